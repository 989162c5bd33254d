"""Training speed on a log of Criteo's shape: 26 tables of dim 16, full precision against 4 bits, on all cores.

    python -m bench.training

Both models take the same batches in turn, step by step, so that a drifting machine hits both alike. The clock covers
whole steps: lookup, forward, backward, both optimizers. Results go to bench/results/training.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from bench.machine import describe

from farthing.base.files import write_json
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.dataset import Dataset
from farthing.recommend.precision import build_model
from farthing.recommend.prepare import prepare
from farthing.recommend.presets import Shape, build_preset
from farthing.recommend.synthetic import synthesize
from farthing.recommend.task import ClickTask, TrainBatches

RESULTS = Path(__file__).parent / "results" / "training.json"
PRESETS = ("fp32", "int4")


def step(task: ClickTask, batch: ClickBatch) -> float:
    """Seconds of one training step."""
    start = time.perf_counter()
    loss = task.loss(batch)
    for optimizer in task.optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for optimizer in task.optimizers:
        optimizer.step()
    return time.perf_counter() - start


def measure(dataset: Dataset, *, steps: int, batch_size: int, presets: Sequence[str]) -> dict[str, list[float]]:
    """Seconds of every step of every preset, after three steps of warm-up."""
    tasks = {}
    for name in presets:
        config = build_preset(name, Shape.of(dataset))
        table_rows = tuple(dataset.table_rows(1))
        model = build_model(num_dense=13, table_rows=table_rows, model=config.model, precision=config.precision)
        tasks[name] = ClickTask(model.train(), dataset=dataset, table_rows=table_rows, config=config.train)
    batches = list(TrainBatches(dataset, table_rows, batch_size, 0).epoch(0, 0))[: steps + 3]
    seconds: dict[str, list[float]] = {name: [] for name in presets}
    for batch in batches:
        for name, task in tasks.items():
            seconds[name].append(step(task, batch))
    return {name: values[3:] for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--batch-size", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log, data = Path(folder) / "log.tsv", Path(folder) / "data"
        synthesize(options.rows, seed=0, out=log)
        prepare([log], data)
        dataset = Dataset.open(data)
        seconds = measure(dataset, steps=options.steps, batch_size=options.batch_size, presets=PRESETS)
        num_rows = sum(dataset.table_rows(1))
    rows = []
    for name, values in seconds.items():
        low, median, high = np.percentile(values, (10, 50, 90))
        rows.append(
            {
                "name": name,
                "batch_size": options.batch_size,
                "threads": torch.get_num_threads(),
                "table_rows": num_rows,
                "rows_per_second": float(options.batch_size / median),
                "median_ms": float(1e3 * median),
                "p10_ms": float(1e3 * low),
                "p90_ms": float(1e3 * high),
            }
        )
        print(f"{name}: {options.batch_size / median:,.0f} rows/s, {1e3 * median:.0f} ms a step")
    ratio = float(np.median(np.divide(seconds["int4"], seconds["fp32"])))
    print(f"int4 takes {ratio:.2f} times as long as fp32 (median over pairs of steps)")
    write_json(RESULTS, {"machine": describe(), "int4_over_fp32": ratio, "rows": rows})


if __name__ == "__main__":
    main()
