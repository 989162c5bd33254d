"""Rows per second and peak memory of `recommend prepare` on a synthetic log in Criteo's format.

    python -m bench.prepare --rows 10000000

The log is made first, in a process of its own. Then another process, with nothing in it but `prepare`, encodes it; its
peak resident memory is what the kernel reports. Results go to bench/results/prepare.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
from bench.machine import describe

from farthing.base.files import write_json

RESULTS = Path(__file__).parent / "results" / "prepare.json"


def main() -> None:
    """Parses the command line and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gzip", action="store_true", help="read a gzip-compressed log")
    parser.add_argument("--log", type=Path, help="measure this log and make none")
    parser.add_argument("--keep", type=Path, help="folder for the log and the data set (default: a temporary one)")
    parser.add_argument("--step", choices=["synthesize", "prepare"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step == "synthesize":
        _synthesize(arguments.log, arguments.rows, arguments.seed)
    elif arguments.step == "prepare":
        _prepare(arguments.log, arguments.keep)
    else:
        with tempfile.TemporaryDirectory(dir=arguments.keep) as folder:
            log = arguments.log or Path(folder) / ("log.tsv.gz" if arguments.gzip else "log.tsv")
            if arguments.log is None:
                _run("synthesize", log, arguments)
            _run("prepare", log, arguments, keep=Path(folder) / "data")


def _run(step: str, log: Path, arguments: argparse.Namespace, keep: Path | None = None) -> None:
    command = [sys.executable, "-m", "bench.prepare", "--step", step, "--log", str(log)]
    command += ["--rows", str(arguments.rows), "--seed", str(arguments.seed)]
    subprocess.run(command + (["--keep", str(keep)] if keep else []), check=True)


def _synthesize(log: Path, rows: int, seed: int) -> None:
    from farthing.recommend.synthetic import synthesize

    synthesize(rows, seed, log)


def _prepare(log: Path, out: Path) -> None:
    from farthing.recommend.prepare import prepare

    stages: dict[str, float] = {}
    start = time.perf_counter()

    def progress(stage: str, fraction: float, num_rows: int) -> None:
        del fraction, num_rows
        stages[stage] = round(time.perf_counter() - start, 2)

    manifest = prepare([log], out, progress=progress)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    num_rows = sum(manifest.num_rows.values())
    result = {
        "machine": describe(),
        "rows": num_rows,
        "log_mb": round(log.stat().st_size / 1e6),
        "values": sum(field.num_values for field in manifest.fields),
        "seconds": round(seconds, 2),
        "seconds_until_end_of_stage": stages,
        "rows_per_second": round(num_rows / seconds),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_rss_mb": round(used.ru_maxrss * 1024 / 1e6),
        "data_mb": round(sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6),
        "polars_threads": pl.thread_pool_size(),
    }
    write_json(RESULTS, result)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
