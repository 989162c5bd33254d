"""A small page with one fact and one change, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from farthing.base.errors import DataError
from farthing.web.answers import Answers
from farthing.web.endpoints import ERROR_HANDLERS, answer_once, json_answer, read_body, static_routes
from farthing.web.guard import Guard

HOST = "127.0.0.1:8000"
FILES = {"index.html": b"<!doctype html>", "page.js": b"", "page.css": b"", "icon.svg": b"<svg/>"}


class Add(msgspec.Struct, forbid_unknown_fields=True):
    """A change; to add 13 fails as a broken disk would."""

    add: int


def create_app(token: str | None = None) -> Guard:
    """The application: a sum, starting from 0, and how often it was changed."""
    state = {"sum": 0, "changes": 0}
    answers = Answers()

    def make(message: Add) -> dict[str, int]:
        if message.add == 13:
            raise DataError("/home/someone/secret.sqlite: cannot be written")
        state["sum"] += message.add
        state["changes"] += 1
        return state

    async def fact(_: Request) -> Response:
        return json_answer(state)

    async def change(request: Request) -> Response:
        message = await read_body(request, Add)
        return await answer_once(answers, request, lambda: make(message))

    routes = [*static_routes(FILES), Route("/api/fact", fact), Route("/api/change", change, methods=["POST"])]
    return Guard(app=Starlette(routes=routes, exception_handlers=ERROR_HANDLERS), token=token)


@contextmanager
def opened(token: str | None = None) -> Iterator[TestClient]:
    """A client that behaves as a browser on the page."""
    with TestClient(create_app(token), base_url=f"http://{HOST}", headers={"Origin": f"http://{HOST}"}) as client:
        yield client


def num_changes(client: TestClient) -> int:
    return int(client.get("/api/fact").json()["changes"])
