"""Requests as checked values, answers as JSON; an error's text is ours or none, never a library's."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from farthing.base.errors import DataError

T = TypeVar("T")

READ_TIMEOUT_S = 10.0
"""How long a client may take to send a body."""

_log = logging.getLogger(__name__)
_PLACE = re.compile(r" - at `(\$[^`]*)`$")
_NO_STORE = {"Cache-Control": "no-store"}


class RefusedError(DataError):
    """A request that is answered with an error.

    Attributes:
        status: of the answer.
        headers: of the answer, beyond the usual ones.
    """

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


def too_busy(retry_after_s: int = 1) -> RefusedError:
    """What is answered while there is more to do than can be done."""
    return RefusedError(503, "too busy; try again", {"Retry-After": str(retry_after_s)})


async def read_json(request: Request, type: type[T], *, max_bytes: int) -> T:
    """The body as a `type`, counted while it comes in.

    Raises:
        RefusedError: 415 not announced as JSON, 413 too large, 408 too slow, 422 not a `type`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedError(415, "send application/json")
    try:
        body = await asyncio.wait_for(_read(request, max_bytes), READ_TIMEOUT_S)
    except asyncio.TimeoutError:
        raise RefusedError(408, f"the body did not come within {READ_TIMEOUT_S:g} s") from None
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        where = f" at {place[1]}" if place else ""
        raise RefusedError(422, f"the body is not what /openapi.json says{where}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(422, "the body is not JSON") from error


async def _read(request: Request, max_bytes: int) -> bytearray:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise RefusedError(413, f"a body has at most {max_bytes} bytes")
    return body


def json_response(value: object, status: int = 200) -> Response:
    """The value as JSON that nobody keeps."""
    return Response(msgspec.json.encode(value), status, headers=_NO_STORE, media_type="application/json")


async def refuse(_: Request, error: Exception) -> Response:
    """The answer to a refused request."""
    assert isinstance(error, RefusedError)
    answer = json_response({"error": str(error)}, error.status)
    answer.headers.update(error.headers)
    return answer


async def fail(_: Request, error: Exception) -> Response:
    """The answer to a request that met a fault of ours: the log says which."""
    _log.error("a request failed", exc_info=error)
    return json_response({"error": "the server could not answer this"}, 503)
