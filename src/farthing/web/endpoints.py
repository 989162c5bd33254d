"""What every local page needs of its server: its files, checked requests, answers, errors that tell no secrets."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farthing.base.errors import DataError, FarthingError
from farthing.web.answers import Answers

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]

MAX_BODY_BYTES = 1 << 20
_KEY_HEADER = "idempotency-key"
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_log = logging.getLogger(__name__)


class RequestError(DataError):
    """A request asks for what there is not, or sends what cannot be; its message may be shown to whoever sent it."""


def static_files(package: str) -> dict[str, bytes]:
    """The files in a package's `static/`, by name: a request finds a name here or nothing, it never is a path."""
    folder = files(package) / "static"
    return {item.name: item.read_bytes() for item in sorted(folder.iterdir(), key=lambda item: item.name)}


def static_routes(contents: Mapping[str, bytes]) -> list[Route]:
    """`/` for index.html, `/static/NAME` for every other file."""
    return [
        Route("/" if name == "index.html" else f"/static/{name}", _static(name, contents[name])) for name in contents
    ]


async def read_body(request: Request, type: type[T]) -> T:
    """The body, read up to a limit and checked.

    Raises:
        HTTPException: it is not JSON, or too large.
        RequestError: it is not a `type`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "a change is sent as application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"a change is at most {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError("this is not what the page sends") from error


async def answer_once(answers: Answers, request: Request, change: Callable[[], object]) -> Response:
    """Makes a change and answers it; one that is sent again, because its answer was lost, is not made again."""
    key = request.headers.get(_KEY_HEADER)
    content = await run_in_threadpool(answers.get, key, lambda: msgspec.json.encode(change()))
    return Response(content, media_type="application/json")


def json_answer(value: object, status: int = 200) -> Response:
    """The value as JSON that nobody keeps."""
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers=headers, media_type="application/json")


def _static(name: str, content: bytes) -> Endpoint:
    media_type = _TYPES[name.rpartition(".")[2]]

    async def send(_: Request) -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return send


async def _bad_request(_: Request, error: Exception) -> Response:
    return json_answer({"error": str(error)}, 422)


async def _not_now(_: Request, error: Exception) -> Response:
    """The store failed: the reason, which may name paths, is for the terminal alone."""
    _log.error("%s", error)
    return json_answer({"error": "the store cannot be read or written now; the terminal says why"}, 503)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return json_answer({"error": error.detail}, error.status_code)


ERROR_HANDLERS = {RequestError: _bad_request, FarthingError: _not_now, HTTPException: _http_error}
"""For `Starlette(exception_handlers=...)`."""
