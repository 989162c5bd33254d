"""The same model as most people would serve it: pydantic and polars, float32 by eager PyTorch, FastAPI around it."""

# Without postponed annotations, because FastAPI reads them.

from pathlib import Path

import polars as pl
import torch
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp

from farthing.recommend.modelfolder import load_model
from farthing.recommend.peers.floats import float_network
from farthing.recommend.rows import rows_of_values


class Rows(BaseModel):
    rows: list[dict[str, str | int | float | None]]


class Scores(BaseModel):
    probability: list[float]


def create_app(folder: Path) -> ASGIApp:
    model = load_model(folder)
    network, schema = float_network(model), model.encoder.description.schema
    columns = [name for name in schema.columns(with_label=False) if name != schema.id]

    def score(body: Rows) -> Scores:
        texts = {name: [_text(row.get(name)) for row in body.rows] for name in columns}
        frame = pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))
        batch = model.encoder.encode(rows_of_values(frame, schema, name="rows"))
        with torch.inference_mode():
            logits = network(batch.dense, batch.indices, batch.offsets)
        return Scores(probability=logits.double().sigmoid().tolist())

    app = FastAPI()
    app.add_api_route("/v1/score", score, methods=["POST"], response_model=Scores)
    asgi: ASGIApp = app
    return asgi


def _text(value: str | float | None) -> str | None:
    return None if value in (None, "") else str(value)
