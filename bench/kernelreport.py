"""From bench/results/kernels-*.json and clicks.json to their section of docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FARTHING = "farthing"
ISAS = {"avx2": "all held to AVX2", "native": "everybody at their best here"}

Row = dict[str, Any]
Results = dict[str, Any]
Picks = Callable[[Row], bool]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A speed that was aimed at.

    Attributes:
        text: what is done.
        times: how many times as fast as the fastest of the peers.
        where: whether a row belongs to it.
        peers: names of engines; None for all.
    """

    text: str
    times: float
    where: Picks
    peers: tuple[str, ...] | None = None


def _bags(bits: int, batch: int, kind: str) -> Picks:
    return lambda row: (row["work"], row["bits"], row["batch"]) == ("bags", bits, batch) and row["case"].endswith(kind)


def _linear(width: str, batches: Sequence[int]) -> Picks:
    return lambda row: row["work"] == "linear" and row["case"].endswith(width) and row["batch"] in batches


def _model(bits: int, batch: int) -> Picks:
    return lambda row: (row["work"], row["bits"], row["batch"], row["threads"]) == ("model", bits, batch, 1)


def _conv(case: str) -> Picks:
    return lambda row: row["work"] == "conv" and row["case"].startswith(case) and "whole" not in row["case"]


ASKS = (
    Ask(text="26 tables, dim 16, batch 2048, 1 bit, uniform", times=2, where=_bags(1, 2048, "uniform")),
    Ask(text="the same, Zipf", times=3, where=_bags(1, 2048, "zipf")),
    Ask(text="4 bits, uniform, against fbgemm", times=1.7, where=_bags(4, 2048, "uniform"), peers=("fbgemm",)),
    Ask(text="4 bits, Zipf, against fbgemm", times=3, where=_bags(4, 2048, "zipf"), peers=("fbgemm",)),
    Ask(
        text="26 tables, batch 1, 1 bit, against engines with 26 tables",
        times=12,
        where=_bags(1, 1, "uniform"),
        peers=("torch", "fbgemm"),
    ),
    Ask(text="the same against one joined table", times=12, where=_bags(1, 1, "uniform"), peers=("torch, joined",)),
    Ask(
        text="linear 1024 x 1024, W1A1 against MKL fp32, batch 1 to 2048",
        times=12,
        where=_linear("W1A1", (1, 32, 256, 2048)),
        peers=("torch",),
    ),
    Ask(
        text="the same against onnxruntime int8, batch >= 32",
        times=5,
        where=_linear("W1A1", (32, 256, 2048)),
        peers=("onnxruntime",),
    ),
    Ask(
        text="linear 1024 x 1024, W4A8 against onnxruntime int8",
        times=1.5,
        where=_linear("W4A8", (1, 32, 256, 2048)),
        peers=("onnxruntime",),
    ),
    Ask(text="whole DLRM, batch 1: W4A8 against onnxruntime", times=8, where=_model(4, 1), peers=("onnxruntime",)),
    Ask(text="whole DLRM, batch 1: W1A1 against onnxruntime", times=12, where=_model(1, 1), peers=("onnxruntime",)),
    Ask(text="whole DLRM, batch 2048: W4A8 against the best", times=2.5, where=_model(4, 2048)),
    Ask(text="whole DLRM, batch 2048: W1A1 against the best", times=6, where=_model(1, 2048)),
    Ask(text="whole DLRM, batch 256: W4A8 against the best", times=2.5, where=_model(4, 256)),
    Ask(text="whole DLRM, batch 1, W4A8 against eager PyTorch", times=60, where=_model(4, 1), peers=("torch",)),
    Ask(text="Conv2d W8A8, page net's shapes", times=1, where=_conv("page net"), peers=("onnxruntime",)),
    Ask(text="the same, signed inputs", times=1, where=_conv("signed inputs, page net"), peers=("onnxruntime",)),
    Ask(text="Conv2d W8A8, ResNet-18's shapes", times=1, where=_conv("ResNet-18"), peers=("onnxruntime",)),
    Ask(text="the same, signed inputs", times=1, where=_conv("signed inputs, ResNet-18"), peers=("onnxruntime",)),
    Ask(
        text="the page net in 8 bits against fp32",
        times=1.5,
        where=lambda row: row["work"] == "conv" and "whole" in row["case"],
        peers=("torch",),
    ),
)


def kernels(folder: Path) -> str:
    """The section, or nothing where nothing was measured."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("kernels-*.json"))]
    results = {_title(result["machine"]): result for result in found}
    if not results:
        return ""
    path = folder / "clicks.json"
    clicks = json.loads(path.read_text()) if path.exists() else None
    text = _INTRODUCTION + "\n" + _asked(results, clicks) + _one_row(folder)
    return text + "".join(_one(title, result) for title, result in results.items())


def _title(facts: Mapping[str, Any]) -> str:
    """How engines were held, and on what."""
    return f"{ISAS[facts['isa']]}, {facts['cpu'].replace('(R)', '').replace(' Processor', '')}"


_INTRODUCTION = """## Kernels and whole models, beside other engines

    python -m bench.kernels --isa avx2
    python -m bench.kernels
    python -m bench.clicks

All engines of a row run in turns in one process, on one thread unless it says otherwise; a ratio is the median time
of the fastest peer over farthing's, the worst case where a row covers several. Of every peer's variants (its engines,
int8 or fp32, static or dynamic) the fastest counts, chosen anew for each row. Inputs and outputs are float32; peers
get ids in their own form, off the clock, and torch's inference mode is entered once, off the clock too. Tables of
26 M rows take 16 batches in turns, so that no call finds the rows of the one before. Convolutions have normally
distributed weights. Every layer of both nets takes what a ReLU left, without negative numbers, but for the first one,
which takes the image: so do the rows of their shapes, where ResNet-18's first has an image. The same shapes with inputs
of either sign, which no other layer of these nets has, are rows of their own. `torch` looks up 26 tables in 26 calls,
`torch, joined` in one table of them all. ONNX Runtime and
FBGEMM cannot be told to leave AVX-512 and AMX alone: in the first mode CPUID answers them as a CPU with AVX2 would
(bench/only_avx2.c). There products of u8 and i8 would saturate in ONNX Runtime and torch's fbgemm, so they get
weights or inputs of 7 bits, as each advises; farthing's sums are exact. The limit is what this machine was measured
to do at most on one thread (bench/limits.cpp): u8 x i8 products by `vpmaddubsw` or `vpdpbusd` (AMX is not counted),
signs by `vpshufb` with eight operations a byte, random lines of a block of the table's size for lookups. Behind the
share that is reached stands the one that the asked speed needs.

That limit counts multiplying instructions, and AVX2 has to sum with others: vector units start three instructions a
cycle, of which two may multiply. 32 products of W4A8 take 2.1 (one multiplies, one adds, every eighth sum is widened),
so that 71 % is all there is, before inputs are rounded and outputs written. W8A8 takes 4.25; 3 where no input is
negative, and 2.5 where besides large weights are rare (native/octets.hpp): 35 %, 50 % and 60 %. Weights of 7 bits, as
ONNX Runtime has them, take 3 with any input. For any 8-bit weights and inputs we know of no exact sums in fewer than 4:
there ONNX Runtime stays ahead (`signed inputs`). Signs are looked up for two rows at once: 768 products in three
lookups and six other instructions, which is the limit itself. Between two layers of signs no output is computed: sums
are compared with the integers at which outputs become negative (native/signs.hpp).

What stays below what was asked, and why:

- **Bags of one bit** wait for memory. Uniform ids: 45 % to 59 % of the speed at which these machines read random lines
  of such a table; twice as fast as torch's one joined table would take 73 % to 97 %. Zipf: most rows are in the cache,
  and half of what is left is writing the sums, which is the same work for everybody.
- **Linear W4A8** has 71 % of the limit to reach, see above. Rounding the inputs and unpacking the weights take the
  rest.
- **Linear W1A1** at batch 2048 reads 8 MB and writes 8 MB, which takes 1.6 of its 4 ms however few the bits are; at
  batch 1 and 32 it is 14 to 27 times as fast.
- **Whole DLRM, batch 256 and more.** Where its time goes (by samples, AMD EPYC, batch 2048), W4A8: products 63 %,
  lookups 21 %, dot products of the vectors 6 %, rounding 5 %, unpacking 4 %; all of them in exact numbers, the same
  for any batch. 2.5 times the fastest peer would take 49 % to 61 % of the limit in everything, of 71 % that there is
  in products. W1A1: products of signs 41 %, lookups 19 %, the first and the last layer, which have 8 bits, 17 %, dot
  products 16 %.
- **Two threads** share the memory that lookups wait for, and on these machines perhaps a core.
"""


def ratio(rows: Sequence[Row], own: Row, peers: Sequence[str] | None) -> tuple[float, str] | None:
    """How many times as fast as its fastest peer, and which one that is."""
    keys = ("work", "case", "bits", "batch", "threads")
    others = [
        row
        for row in rows
        if row["engine"] != FARTHING
        and (peers is None or row["engine"] in peers)
        and all(row[key] == own[key] for key in keys)
    ]
    if not others:
        return None
    best = min(others, key=lambda row: float(row["median_us"]))
    return best["median_us"] / own["median_us"], best["engine"]


def _asked(results: Mapping[str, Results], clicks: Results | None) -> str:
    heads = [f"{title} | against | of the limit / asked" for title in results]
    lines = [f"| work | asked | {' | '.join(heads)} |", "|---|---:" + "|---:|---|---:" * len(results) + "|"]
    for ask in ASKS:
        cells = " | ".join(_reached(ask, result["rows"]) for result in results.values())
        lines.append(f"| {ask.text} | {ask.times:g}x | {cells} |")
    lines += [_threads(results), *_parsed(clicks, results), _memory(results)]
    return "\n".join(lines) + "\n"


def _reached(ask: Ask, rows: Sequence[Row]) -> str:
    own = [row for row in rows if row.get("engine") == FARTHING and row["work"] != "memory" and ask.where(row)]
    pairs = [(found, row) for row in own if (found := ratio(rows, row, ask.peers)) is not None]
    if not pairs:
        return " |  | "
    (times, engine), row = min(pairs, key=lambda pair: pair[0][0])
    return f"{_bold(times, ask.times)} | {engine} | {_shares(row, ask.times / times)}"


def _bold(times: float, asked: float) -> str:
    return f"**{times:.2f}x**" if times >= asked else f"{times:.2f}x"


def _shares(row: Row, asked: float) -> str:
    """Of the limit: the share that is reached, and the one of a kernel `asked` times as fast."""
    least = max(row["least_us"].values(), default=None)
    return "" if least is None else f"{least / row['median_us']:.0%} / {asked * least / row['median_us']:.0%}"


def _threads(results: Mapping[str, Results]) -> str:
    cells = []
    for result in results.values():
        rows = [row for row in result["rows"] if row["engine"] == FARTHING and row["work"] == "model"]
        one = {row["case"]: row["median_us"] for row in rows if (row["batch"], row["threads"]) == (2048, 1)}
        two = {row["case"]: row["median_us"] for row in rows if (row["batch"], row["threads"]) == (2048, 2)}
        gains = [one[case] / two[case] for case in one.keys() & two.keys()]
        cells.append(f"{_bold(min(gains), 1.8)} | one thread | " if gains else " |  | ")
    return f"| whole DLRM, batch 2048: two threads | 1.8x | {' | '.join(cells)} |"


def _parsed(clicks: Results | None, results: Mapping[str, Results]) -> Iterator[str]:
    """Where it was measured: on one machine, with the best tier that it has."""
    if clicks is None:
        return
    where = (clicks["machine"]["cpu"], clicks["native"]["tier"])
    for ids in dict.fromkeys(row["ids"] for row in clicks["rows"]):
        speed = {row["engine"]: row["rows_per_second"] for row in clicks["rows"] if row["ids"] == ids}
        reached = f"{_bold(speed[FARTHING] / speed['polars'], 4)} | polars | "
        machines = [result["machine"] for result in results.values()]
        cells = [reached if (facts["cpu"], facts["tier"]) == where else " |  | " for facts in machines]
        yield f"| Criteo text, ids {ids}, rows/s per core | 4x | {' | '.join(cells)} |"


def _memory(results: Mapping[str, Results]) -> str:
    cells = []
    for result in results.values():
        rows = [row for row in result["rows"] if row["work"] == "memory"]
        worst = max((row["resident_mb"] / row["file_mb"] for row in rows), default=None)
        cells.append(" |  | " if worst is None else f"{'**' * (worst <= 1.1)}{worst:.2f}x{'**' * (worst <= 1.1)} |  | ")
    return f"| memory of a loaded model, of its file | <= 1.1x | {' | '.join(cells)} |"


def _one(title: str, result: Results) -> str:
    facts, limits = result["machine"], result["limits"]
    where = f"{facts['cpu']}, {facts['cores']} cores, tier `{facts['tier']}`, torch {facts['torch']}, {facts['date']}"
    busy = facts["load"]
    priority = ", at real-time priority" if facts["real_time"] else ""
    load = f"load average {busy['before']:.1f} before and {busy['after']:.1f} after"
    lines = [f"\n### {title[0].upper() + title[1:]}\n", f"{where}; {load}{priority}."]
    if limits:
        sizes = ", ".join(f"{ns:g} ({mib})" for mib, ns in limits["line_ns_of_mib"].items())
        lines.append(
            f"One thread does at most: {limits['fp32_gflops']:g} fp32 and {limits['int8_gops']:g} int8 Gop/s, "
            f"{limits['pshufb_gops']:g} G bytes/s through pshufb, {limits['dram_gb_per_s']:g} GB/s from memory; a line "
            f"takes {limits['line_latency_ns']:g} ns alone, and many at once ns each (of MiB): {sizes}."
        )
    if result["absent"]:
        lines.append(f"Not installed: {', '.join(result['absent'])}.")
    return "\n".join(lines) + "\n\n" + _table([row for row in result["rows"] if row["work"] != "memory"])


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| work | bits | batch | threads | engine | us, median | 10th to 90th percentile | rows/s | times farthing's |",
        "|---|---:|---:|---:|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        own = next(other for other in rows if other["engine"] == FARTHING and _same(other, row))
        times = "" if row is own else f"{row['median_us'] / own['median_us']:.2f}"
        engine = f"{row['engine']} {row['variant']}".strip()
        spread = f"{_us(row['p10_us'])} to {_us(row['p90_us'])}"
        cells = [row["case"], row["bits"], row["batch"], row["threads"], engine, _us(row["median_us"]), spread]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['rows_per_second']:,.0f}", times])) + " |")
    return "\n".join(lines) + "\n"


def _same(a: Row, b: Row) -> bool:
    return all(a[key] == b[key] for key in ("work", "case", "bits", "batch", "threads"))


def _us(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _one_row(folder: Path) -> str:
    """Where the time of a call for one row goes, by `bench.onerow`; nothing where that was not measured."""
    path = folder / "onerow.json"
    if not path.exists():
        return ""
    measured = json.loads(path.read_text())
    bags, linear = measured["us"]["bags"], measured["us"]["linear"]["call"]
    tensor = bags["binding, new tensor"] - bags["binding"]
    checks = bags["call"] - bags["module"] - bags["binding, new tensor"]
    models = "".join(_layers(name, measured["us"][preset]) for name, preset in (("W4A8", "int4"), ("W1A1", "binary")))
    return f"""
### Why one row stays below what was asked

Parts of a call, timed alone: the smallest of 800 means of 100 calls, one thread, tier `{measured["tier"]}`, small
tables (`FARTHING_KERNELS=avx2 python -m bench.onerow`).

- **26 tables in one call.** {bags["call"]:.1f} us: {bags["module"]:.2f} are `nn.Module.__call__`, which the modules of
  torch and FBGEMM pay too, {checks:.2f} the checks of `forward` in Python, {tensor:.2f} the new tensor,
  {bags["binding"]:.2f} the binding with the lookup.
{models}- **Linear layers.** A layer of 16 x 16, where the product is nothing, takes {linear:.1f} us.
"""


def _layers(name: str, parts: Mapping[str, float]) -> str:
    layers = {layer: us for layer, us in parts.items() if layer != "call"}
    told = ", ".join(f"{layer} {us:.2f}" for layer, us in layers.items())
    return f"- **Whole DLRM, {name}.** {parts['call']:.1f} us. Its layers, each called alone: {told}.\n"
