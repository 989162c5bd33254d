"""Every kernel beside the engines that can do the same work, and beside what this machine can do at most.

    python -m bench.kernels                  every instruction set of this CPU
    python -m bench.kernels --isa avx2       all engines held to AVX2 (bench/only_avx2.c)
    python -m bench.kernels --only bags linear --seconds 2

    chrt -r 10 python -m bench.kernels       on a busy machine: before everything else, and nothing is stopped

All engines of a case are timed in turns in one process; of an engine's variants the fastest counts. Results go to
bench/results/kernels-ISA-MAKER.json, from there into docs/benchmarks.md (python -m bench.report).
Absent engines are named with the line that installs them. Parsing has a script of its own: bench/clicks.py.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from bench import isa
from bench.machine import describe, maker

from farthing.base.files import write_json
from farthing.lowbit import native
from farthing.recommend.peers.engine import PEERS, find_peers
from farthing.recommend.timing import interleave, num_threads

WORKS = ("bags", "linear", "conv", "model", "memory")
BATCHES = (1, 32, 256, 2048)
TRIAL_SECONDS = 0.05

Row = dict[str, Any]


def measure(cases: Iterator[Any], *, threads: int, seconds: float) -> Iterator[Row]:
    """A row for every engine of every case."""
    from bench.workloads import Case

    from farthing.recommend.bench import bench_row

    for case in cases:
        assert isinstance(case, Case), "cases are of bench.workloads"
        calls = {engine: fastest(variants) for engine, variants in case.engines.items()}
        for engine, samples in interleave({name: call for name, (_, call) in calls.items()}, seconds=seconds).items():
            row = bench_row(samples, work=case.work, bits=case.bits, batch=case.batch, threads=threads, engine=engine)
            yield msgspec.to_builtins(row) | {
                "case": case.name,
                "variant": calls[engine][0],
                "least_us": case.least_us,
            }


def fastest(variants: dict[str, Any]) -> tuple[str, Any]:
    """The variant with the lowest median in a short trial, and its name."""
    if len(variants) == 1:
        return next(iter(variants.items()))
    samples = interleave(variants, seconds=TRIAL_SECONDS)
    return min(variants.items(), key=lambda item: float(np.median(samples[item[0]])))


def kernel_rows(limits: dict[str, Any], options: argparse.Namespace) -> Iterator[Row]:
    """The rows of the works that were asked for."""
    from bench.convolutions import conv_cases
    from bench.dlrm import memory_rows, model_rows
    from bench.workloads import bag_cases, linear_cases

    one, many = 1, os.cpu_count() or 1
    batches: Sequence[int] = options.batch
    if "bags" in options.only:
        with num_threads(one):
            cases = bag_cases(limits, bits=(8, 4, 2, 1), batches=(1, 2048), table_rows=options.table_rows)
            yield from measure(cases, threads=one, seconds=options.seconds)
    if "linear" in options.only:
        with num_threads(one):
            cases = linear_cases(limits, batches=batches, threads=one)
            yield from measure(cases, threads=one, seconds=options.seconds)
    if "conv" in options.only:
        with num_threads(one):
            yield from measure(conv_cases(limits, threads=one), threads=one, seconds=options.seconds)
    if "model" in options.only:
        peers, _ = find_peers(list(PEERS))
        yield from model_rows(
            limits,
            peers=peers,
            batches=batches,
            threads=many,
            table_rows=options.table_rows,
            seconds=options.seconds,
        )
    if "memory" in options.only:
        yield from memory_rows(options.table_rows)


def show(row: Row) -> None:
    """A line as soon as it is measured."""
    if row["work"] == "memory":
        print(
            f"memory  {row['case']}: {row['resident_mb']:.0f} MB resident, {row['file_mb']:.0f} MB on disk", flush=True
        )
        return
    least = max(row["least_us"].values(), default=0.0)
    share = f"  {least / row['median_us']:.0%} of the limit" if least and row["engine"] == "farthing" else ""
    engine = f"{row['engine']} {row['variant']}".strip()
    print(
        f"{row['work']:7} {row['case']:45} {row['bits']} bit  batch {row['batch']:>4} x{row['threads']}  {engine:26}"
        f"{row['median_us']:>11,.1f} us{share}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isa", choices=("native", "avx2"), default="native")
    parser.add_argument("--only", nargs="+", choices=WORKS, default=WORKS)
    parser.add_argument("--batch", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--table-rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=1.0, help="for every engine of a case, about")
    parser.add_argument("--out", type=Path, help="default: bench/results/kernels-ISA-MAKER.json")
    options = parser.parse_args()
    isa.enter(options.isa, "bench.kernels")
    held = isa.in_use()
    _, absent = find_peers(list(PEERS))
    for name, line in absent.items():
        print(f"{name}: left out, it is not installed: {line}")
    limits = isa.measure_limits()
    if isinstance(limits, str):
        print(f"no limits of this machine: {limits}")
        limits = {}
    load = os.getloadavg()[0]
    rows = []
    for row in kernel_rows(limits, options):
        show(row)
        rows.append(row)
    busy = {"before": load, "after": os.getloadavg()[0]}
    facts = describe() | {"isa": held, "load": busy, "tier": (native.info() or {}).get("tier")}
    facts |= {"real_time": os.sched_getscheduler(0) != os.SCHED_OTHER}
    out = options.out or isa.HERE / "results" / f"kernels-{held}-{maker()}.json"
    write_json(out, {"machine": facts, "limits": limits, "absent": sorted(absent), "rows": rows})
    print(f"{out}: {len(rows)} rows")


if __name__ == "__main__":
    main()
