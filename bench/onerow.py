"""Where the time of a call for one row goes: for docs/benchmarks.md, beside the ratios of bench/kernels.py.

    FARTHING_KERNELS=avx2 python -m bench.onerow

The smallest of many means of short runs, on one thread, everything in the caches. Results go to
bench/results/onerow.json.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bench.dlrm import random_model
from bench.machine import describe
from bench.workloads import draw_ids, random_linear, random_table
from torch import nn

from farthing.base.files import write_json
from farthing.lowbit import native
from farthing.lowbit.packed import PackedLinear
from farthing.recommend.bench import draw_batch

RESULTS = Path(__file__).resolve().parents[1] / "bench" / "results" / "onerow.json"
NUM_TABLES, TABLE_ROWS = 26, 1000
REPEATS, CALLS = 800, 100

Parts = dict[str, float]


def smallest_us(call: Callable[[], object]) -> float:
    """Microseconds of a call: the smallest of `REPEATS` means of `CALLS`."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / CALLS


def bags() -> Parts:
    """One id in each of 26 tables of one bit: a call, a module that does nothing, and what is within."""
    starts = tuple(range(0, NUM_TABLES * TABLE_ROWS, TABLE_ROWS))
    table = random_table(1, NUM_TABLES * TABLE_ROWS, 16, starts)
    ids = (draw_ids(TABLE_ROWS, NUM_TABLES, 1, kind="uniform", seed=0) + torch.tensor(starts)).reshape(-1)
    offsets, out = torch.arange(NUM_TABLES + 1), torch.empty(NUM_TABLES, 16)
    nothing, is_mean, has_end = nn.Identity(), False, True
    assert table.native is not None, "the extension is built"
    sum_bags = table.native.table.sum_bags
    return {
        "call": smallest_us(lambda: table(ids, offsets)),
        "module": smallest_us(lambda: nothing(ids)),
        "binding": smallest_us(lambda: sum_bags(ids, offsets, None, is_mean, out, 1, has_end)),
        "binding, new tensor": smallest_us(lambda: sum_bags(ids, offsets, None, is_mean, None, 1, has_end)),
    }


def model(preset: str) -> Parts:
    """One row through a DLRM: the call, and each of its linear layers."""
    whole = random_model(preset, TABLE_ROWS)
    batch = draw_batch(whole.network, 1)
    layers = [m for m in whole.network.modules() if isinstance(m, PackedLinear)]
    return {"call": smallest_us(lambda: whole.logits(batch.dense, batch.indices, batch.offsets))} | {
        f"{layer.num_columns} to {layer.description.out_features}": _product_us(layer) for layer in layers
    }


def _product_us(layer: PackedLinear) -> float:
    x, out = torch.randn(1, layer.num_columns), torch.empty(1, layer.description.out_features)
    return smallest_us(lambda: layer.native.linear(x, out, 1))


def linear() -> Parts:
    """A layer of which the product is next to nothing."""
    layer, x = random_linear(4, 8, 16), torch.randn(1, 16)
    return {"call": smallest_us(lambda: layer(x))}


def main() -> None:
    torch.set_num_threads(1)
    info: dict[str, Any] = native.info() or {}
    with torch.inference_mode():
        results = {"bags": bags(), "int4": model("int4"), "binary": model("binary"), "linear": linear()}
    for name, parts in results.items():
        print(f"{name:8}", ", ".join(f"{part} {us:.2f}" for part, us in parts.items()))
    write_json(RESULTS, {"machine": describe(), "tier": info.get("tier"), "us": results})


if __name__ == "__main__":
    main()
