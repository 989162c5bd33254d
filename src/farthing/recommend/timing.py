"""How long calls take, in turns; how long packed models take to score encoded rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch

from farthing.recommend.clicks import ClickBatch, EncodedRows
from farthing.recommend.modelfolder import ClickModel

BATCH_SIZES = (1, 2048)
SECONDS_PER_MODEL = 1.0
SECONDS_PER_TURN = 1e-3
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
    with num_threads(1):
        for size in BATCH_SIZES:
            calls = {name: partial(model.predict, batches[size]) for name, (model, batches) in models.items()}
            samples = interleave(calls, seconds=seconds)
            for name, durations in samples.items():
                median = float(np.median(durations))
                rows[name] |= {f"p50_us_{size}": 1e6 * median, f"rows_per_second_{size}": size / median}
    return rows


@torch.inference_mode()
def interleave(calls: Mapping[str, Callable[[], object]], *, seconds: float) -> dict[str, list[float]]:
    """Seconds of every call, measured in turns, so that a drifting machine hits all alike.

    In its turn a call runs once off the clock, to bring back what the others pushed out of the caches, and then for
    about `SECONDS_PER_TURN`, at least once. Torch is in inference mode all the time: a program that scores enters it
    once, and to do so in every call would take longer than the shortest calls.

    Args:
        calls: by name.
        seconds: spent on each of them, about; every one gets at least `MIN_REPEATS` turns.
    """
    samples: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds * len(calls)
    turns = 0
    while turns < MIN_REPEATS or time.perf_counter() < end:
        turns += 1
        for name, call in calls.items():
            call()
            samples[name] += _turn(call)
    return samples


def _turn(call: Callable[[], object]) -> list[float]:
    durations: list[float] = []
    end = time.perf_counter() + SECONDS_PER_TURN
    while not durations or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return durations


def fill_up(batch: ClickBatch, num_rows: int) -> ClickBatch:
    """`num_rows` rows: those of `batch`, over and over; a small test split cannot fill the larger timed batch."""
    num_fields = (len(batch.offsets) - 1) // batch.num_rows
    dense, indices, offsets, label = (
        tensor.numpy() for tensor in (batch.dense, batch.indices, batch.offsets, batch.label)
    )
    rows = EncodedRows(dense, indices, offsets, label, num_fields)
    return rows.take(np.arange(num_rows) % batch.num_rows).batch()


@contextmanager
def num_threads(threads: int) -> Iterator[None]:
    """Lets torch and the native kernels use this many threads until the block ends."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
