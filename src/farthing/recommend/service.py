"""Scores over HTTP: raw rows, or one context with many candidates, to click probabilities."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from farthing.base.errors import DataError
from farthing.lowbit.artifact import SUMS_NAME
from farthing.recommend.clicks import EncodedRows, concatenate
from farthing.recommend.modelfolder import ClickModel, load_model
from farthing.recommend.schema import LogSchema
from farthing.recommend.servicedocs import openapi, page
from farthing.recommend.values import Value, ValueEncoder
from farthing.serve.app import Service
from farthing.serve.requests import RefusedError

_HASH_DIGITS = 16


class ScoreRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /v1/score` takes: `rows`, or `context` with `candidates`.

    Attributes:
        rows: the log's own column names to values; a column that is absent, null or "" is missing.
        context: what all candidates share.
        candidates: what each has of its own.
        order: whether to answer the order too.
    """

    rows: Annotated[list[dict[str, Value]], msgspec.Meta(min_length=1)] | None = None
    context: dict[str, Value] | None = None
    candidates: Annotated[list[dict[str, Value]], msgspec.Meta(min_length=1)] | None = None
    order: bool = False


class ScoreAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `POST /v1/score` answers.

    Attributes:
        model: hash of the model that scored.
        probability: of a click, for every row or candidate, in their order.
        order: their positions from the most probable to the least, if asked for; equal ones in their order.
        seconds: that the scoring took.
    """

    model: str
    probability: list[float]
    seconds: float
    order: list[int] | None = None


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /v1/model` answers.

    Attributes:
        hash: of the folder.
        settings: how the model was trained.
        numbers: columns that hold numbers.
        categories: columns that hold values.
        metrics: per split, where measured.
        table_rows: embedding rows of all fields together.
    """

    hash: str
    settings: dict[str, Any]  # Any: JSON
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    metrics: dict[str, dict[str, float]]
    table_rows: int


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A loaded model with what requests are checked against.

    Attributes:
        click_model: scores.
        hash: of its folder.
        values: encodes rows of values.
    """

    click_model: ClickModel
    hash: str
    values: ValueEncoder

    @classmethod
    def load(cls, folder: Path) -> ServedModel:
        """The model of a folder, after it has scored a row of which everything is missing.

        Raises:
            FormatError: it is damaged, or holds something else.
        """
        model = load_model(folder)
        digest = hashlib.sha256((folder / SUMS_NAME).read_bytes()).hexdigest()
        served = cls(model, digest[:_HASH_DIGITS], ValueEncoder(model.encoder))
        service = ScoreService()
        service.score([service.prepare(served, ScoreRequest(rows=[{}]))])
        return served

    @property
    def schema(self) -> LogSchema:
        """What the columns mean."""
        return self.click_model.encoder.description.schema


@dataclass(frozen=True, slots=True)
class Work:
    """Encoded rows, and the model that they were encoded for."""

    model: ServedModel
    rows: EncodedRows
    has_order: bool


class ScoreService(Service[ServedModel, ScoreRequest, Work]):
    """What `farthing recommend serve` serves; see `serve.app.Service`."""

    request = ScoreRequest

    def prepare(self, model: ServedModel, body: ScoreRequest) -> Work:
        """The rows of a request, encoded.

        Raises:
            RefusedError: 422; a column that the model does not know, a number that is none, no rows.
        """
        if (body.rows is None) == (body.candidates is None) or (body.rows is not None and body.context is not None):
            raise RefusedError(422, "send rows, or a context with candidates")
        name = "candidates" if body.rows is None else "rows"
        try:
            rows = model.values.encode(body.rows or body.candidates or [], context=body.context or {}, name=name)
        except DataError as error:
            raise RefusedError(422, str(error)) from error
        return Work(model, rows, body.order)

    def num_rows(self, work: Work) -> int:
        """How many rows a work has."""
        return work.rows.num_rows

    def score(self, works: Sequence[Work]) -> list[ScoreAnswer]:
        """The answers; works of one model are scored in one call."""
        answers: dict[int, ScoreAnswer] = {}
        for model in {id(work.model): work.model for work in works}.values():
            places = [place for place, work in enumerate(works) if work.model is model]
            start = time.perf_counter()
            scores = model.click_model.predict_rows(concatenate([works[place].rows for place in places])).tolist()
            seconds, end = time.perf_counter() - start, 0
            for place in places:
                first, end = end, end + works[place].rows.num_rows
                answers[place] = _answer(works[place], scores[first:end], seconds)
        return [answers[place] for place in range(len(works))]

    def openapi(self, _: ServedModel) -> object:
        """The interface, the same for every model."""
        return openapi(ScoreRequest, ScoreAnswer, ModelAnswer)

    def page(self, model: ServedModel) -> str:
        """What can be asked of this model."""
        answer = self.describe(model)
        return page(hash=answer.hash, numbers=answer.numbers, categories=answer.categories)

    def describe(self, model: ServedModel) -> ModelAnswer:
        """What is known of the model."""
        description, schema = model.click_model.description, model.schema
        return ModelAnswer(
            hash=model.hash,
            settings=description.settings,
            numbers=schema.dense,
            categories=tuple(dict.fromkeys(field.column for field in schema.fields)),
            metrics=description.metrics,
            table_rows=sum(description.table_rows),
        )


def _answer(work: Work, scores: list[float], seconds: float) -> ScoreAnswer:
    order = sorted(range(len(scores)), key=lambda place: -scores[place]) if work.has_order else None
    return ScoreAnswer(model=work.model.hash, probability=scores, seconds=seconds, order=order)
