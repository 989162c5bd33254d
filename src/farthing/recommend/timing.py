"""How long packed models take to score encoded rows: all models in turn, so that a drifting machine hits all alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from farthing.recommend.clicks import ClickBatch, EncodedRows
from farthing.recommend.modelfolder import ClickModel

BATCH_SIZES = (1, 2048)
SECONDS_PER_MODEL = 1.0
MIN_REPEATS = 20


def time_models(
    models: Mapping[str, tuple[ClickModel, Mapping[int, ClickBatch]]], *, seconds: float = SECONDS_PER_MODEL
) -> dict[str, dict[str, float]]:
    """`p50_us_B` and `rows_per_second_B` of every model at each batch size B, on one thread.

    The clock covers `predict` on an encoded batch: lookup, network, sigmoid; not the parsing of text.

    Args:
        models: by name, the model and one batch of each size.
        seconds: time spent on every model and batch size, about.
    """
    rows: dict[str, dict[str, float]] = {name: {} for name in models}
    with _one_thread():
        for size in BATCH_SIZES:
            samples = _interleaved({name: (model, batches[size]) for name, (model, batches) in models.items()}, seconds)
            for name, durations in samples.items():
                median = float(np.median(durations))
                rows[name] |= {f"p50_us_{size}": 1e6 * median, f"rows_per_second_{size}": size / median}
    return rows


def _interleaved(models: Mapping[str, tuple[ClickModel, ClickBatch]], seconds: float) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {name: [] for name in models}
    for model, batch in models.values():
        model.predict(batch)
    end = time.perf_counter() + seconds * len(models)
    while time.perf_counter() < end or len(next(iter(samples.values()))) < MIN_REPEATS:
        for name, (model, batch) in models.items():
            start = time.perf_counter()
            model.predict(batch)
            samples[name].append(time.perf_counter() - start)
    return samples


def fill_up(batch: ClickBatch, num_rows: int) -> ClickBatch:
    """`num_rows` rows: those of `batch`, over and over; a small test split cannot fill the larger timed batch."""
    num_fields = (len(batch.offsets) - 1) // batch.num_rows
    dense, indices, offsets, label = (
        tensor.numpy() for tensor in (batch.dense, batch.indices, batch.offsets, batch.label)
    )
    rows = EncodedRows(dense, indices, offsets, label, num_fields)
    return rows.take(np.arange(num_rows) % batch.num_rows).batch()


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
