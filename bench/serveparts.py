"""Where the time of a request goes, without HTTP: for bench/serve.py."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch

from farthing.recommend.service import ScoreRequest, ScoreService, ServedModel

REPEATS_S = 0.5
"""How long each part is repeated; the smallest time counts."""

Parts = dict[str, float]


def smallest_us(call: Callable[[], object]) -> float:
    """Microseconds of the quickest of many calls."""
    best, end = float("inf"), time.perf_counter() + REPEATS_S
    while (start := time.perf_counter()) < end:
        call()
        best = min(best, time.perf_counter() - start)
    return 1e6 * best


def parts(folder: Path, requests: dict[str, Any]) -> dict[str, Parts]:  # Any: JSON
    """Microseconds of every part of some requests, by the names of both; on one thread.

    Args:
        folder: of the model.
        requests: bodies by what they are.
    """
    torch.set_num_threads(1)
    model, service = ServedModel.load(folder), ScoreService()
    return {name: _parts_of(model, service, json.dumps(body).encode()) for name, body in requests.items()}


def _parts_of(model: ServedModel, service: ScoreService, body: bytes) -> Parts:
    request = msgspec.json.decode(body, type=ScoreRequest)
    work = service.prepare(model, request)
    (answer,) = service.score([work])
    return {
        "reading JSON": smallest_us(lambda: msgspec.json.decode(body, type=ScoreRequest)),
        "looking values up": smallest_us(lambda: service.prepare(model, request)),
        "scoring": smallest_us(lambda: service.score([work])),
        "writing JSON": smallest_us(lambda: msgspec.json.encode(answer)),
    }
