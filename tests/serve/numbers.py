"""A service that doubles numbers: all that the HTTP layer needs to be tested with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from farthing.base.errors import FormatError
from farthing.serve.app import Limits, Service, create_app
from farthing.serve.doorkeeper import Doorkeeper
from farthing.serve.metrics import Metrics
from farthing.serve.models import CurrentModel
from farthing.serve.requests import RefusedError


class Numbers(msgspec.Struct, forbid_unknown_fields=True):
    numbers: list[float]


@dataclass(frozen=True)
class Factor:
    hash: str

    @classmethod
    def load(cls, folder: Path) -> Factor:
        text = (folder / "SHA256SUMS").read_text()
        if not text.isdigit():
            raise FormatError(f"{folder}: secret details")
        return cls(text)


class Doubling(Service[Factor, Numbers, tuple[Factor, list[float]]]):
    request = Numbers

    def prepare(self, model: Factor, body: Numbers) -> tuple[Factor, list[float]]:
        if 13 in body.numbers:
            raise RefusedError(422, "numbers: 13 is none")
        return model, body.numbers

    def num_rows(self, work: tuple[Factor, list[float]]) -> int:
        return len(work[1])

    def score(self, works: Sequence[tuple[Factor, list[float]]]) -> list[object]:
        if any(666 in numbers for _, numbers in works):
            raise ZeroDivisionError("a library's secret")
        return [
            {"model": model.hash, "numbers": [int(model.hash) * one for one in numbers]} for model, numbers in works
        ]

    def describe(self, model: Factor) -> object:
        return {"hash": model.hash}

    def openapi(self, _: Factor) -> object:
        return {"openapi": "3.1.0"}

    def page(self, model: Factor) -> str:
        return f"<p>times {model.hash}</p>"


def folder_of(path: Path, factor: str = "2") -> Path:
    path.mkdir(exist_ok=True)
    (path / "SHA256SUMS").write_text(factor)
    return path


def app_of(
    folder: Path, *, limits: Limits | None = None, token: str | None = None
) -> tuple[Doorkeeper, CurrentModel[Factor], Metrics]:
    metrics = Metrics()
    current = CurrentModel(folder, Factor.load, metrics)
    app = create_app(Doubling(), current, metrics, limits=limits or Limits(), token=token)
    return app, current, metrics
