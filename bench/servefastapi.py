"""The same model as most people would serve it: FastAPI, values looked up in dicts, float32 by eager PyTorch."""

# Without postponed annotations, because FastAPI reads them.

import math
from pathlib import Path

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp

from farthing.recommend.modelfolder import load_model
from farthing.recommend.peers.floats import float_network
from farthing.recommend.vocabulary import MISSING_ID, NUM_RESERVED, UNKNOWN_ID

Value = str | int | float | None


class Rows(BaseModel):
    rows: list[dict[str, Value]]


class Scores(BaseModel):
    probability: list[float]


def create_app(folder: Path) -> ASGIApp:
    """For a model with one value per field."""
    model = load_model(folder)
    network, encoder = float_network(model), model.encoder
    numbers = [(column.name, column.mean, column.std) for column in encoder.description.dense]
    fields, start = [], 0
    for field, values in zip(encoder.description.schema.fields, encoder.values, strict=True):
        assert (field.separator, field.part) == (None, None), "one value per field"
        ids = {value: start + NUM_RESERVED + i for i, value in enumerate(values)}
        fields.append((field.column, ids | {"": start + MISSING_ID}, start + UNKNOWN_ID))
        start += NUM_RESERVED + len(values)

    async def score(body: Rows) -> Scores:
        dense = [[_standardised(row.get(name), mean, std) for name, mean, std in numbers] for row in body.rows]
        indices = [ids.get(_text(row.get(name)), unknown) for row in body.rows for name, ids, unknown in fields]
        with torch.inference_mode():
            offsets = torch.arange(len(indices) + 1)
            logits = network(torch.tensor(dense, dtype=torch.float32), torch.tensor(indices), offsets)
            return Scores(probability=logits.double().sigmoid().tolist())

    app = FastAPI()
    app.add_api_route("/v1/score", score, methods=["POST"], response_model=Scores)
    asgi: ASGIApp = app
    return asgi


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _standardised(value: Value, mean: float, deviation: float) -> float:
    if value is None or value == "":
        return 0.0
    number = float(value)
    return (math.copysign(math.log1p(abs(number)), number) - mean) / deviation
