"""What `bench/serve.py` compares with: an empty handler on the same HTTP layer, and FastAPI with eager PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

ANSWER = b'{"model":"0123456789abcdef","probability":[0.25],"seconds":0.0001}'


def empty(_: Path) -> ASGIApp:
    """Reads a body and answers the same bytes."""

    async def score(request: Request) -> Response:
        await request.body()
        return Response(ANSWER, media_type="application/json")

    return Starlette(routes=[Route("/v1/score", score, methods=["POST"])])


def fastapi(folder: Path) -> ASGIApp:
    """FastAPI with eager PyTorch; a module of its own, because FastAPI is not installed with the rest."""
    from bench.servefastapi import create_app

    return create_app(folder)


SERVERS: dict[str, Callable[[Path], ASGIApp]] = {"empty": empty, "fastapi": fastapi}


if __name__ == "__main__":
    torch.set_num_threads(1)
    name, model_folder, port = sys.argv[1:]
    uvicorn.run(SERVERS[name](Path(model_folder)), port=int(port), log_config=None, access_log=False)
