"""Requests as checked values, answers as JSON; an error's text is ours or none, never a library's."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from farthing.base.errors import DataError

T = TypeVar("T")

READ_TIMEOUT_S = 10.0
"""How long a client may take to send a body."""

_log = logging.getLogger(__name__)
_PLACE = re.compile(r" - at `(\$[^`]*)`$")
_NO_STORE = {"Cache-Control": "no-store"}
_JSON_LINES = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


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


async def read_json(scope: Scope, receive: Receive, type: type[T], *, max_bytes: int) -> T:
    """The body of a request as a `type`, counted while it comes in.

    Raises:
        RefusedError: 415 not announced as JSON, 413 too large, 408 too slow, 422 not a `type`.
    """
    kind = dict(scope["headers"]).get(b"content-type", b"")
    if kind.partition(b";")[0].strip().lower() != b"application/json":
        raise RefusedError(415, "send application/json")
    body = await _read_in_time(receive, max_bytes)
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        where = f" at {place[1]}" if place else ""
        raise RefusedError(422, f"the body is not what /openapi.json says{where}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(422, "the body is not JSON") from error


async def _read_in_time(receive: Receive, max_bytes: int) -> bytes:
    # Not asyncio.wait_for: its task for every request costs more than scoring a row.
    task, is_late = asyncio.current_task(), False
    assert task is not None

    def interrupt() -> None:
        nonlocal is_late
        is_late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(READ_TIMEOUT_S, interrupt)
    try:
        return await _read(receive, max_bytes)
    except asyncio.CancelledError:
        if not is_late:
            raise
        raise RefusedError(408, f"the body did not come within {READ_TIMEOUT_S:g} s") from None
    finally:
        timer.cancel()


async def _read(receive: Receive, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(400, "the body is cut off")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise RefusedError(413, f"a body has at most {max_bytes} bytes")
        if not message.get("more_body", False):
            return bytes(body)


def json_response(value: object, status: int = 200) -> Response:
    """The value as JSON that nobody keeps."""
    return Response(msgspec.json.encode(value), status, headers=_NO_STORE, media_type="application/json")


async def send_json(send: Send, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
    """Answers the value as JSON."""
    start, body = _json_messages(value, status, headers or {})
    await send(start)
    await send(body)


def _json_messages(value: object, status: int, headers: Mapping[str, str]) -> tuple[Message, Message]:
    body = msgspec.json.encode(value)
    start = {"type": "http.response.start", "status": status, "headers": _json_lines(body, headers)}
    return start, {"type": "http.response.body", "body": body}


def _json_lines(body: bytes, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    lines = [*_JSON_LINES, (b"content-length", b"%d" % len(body))]
    return lines + [(name.lower().encode(), text.encode()) for name, text in headers.items()]


async def send_too_busy(send: Send) -> None:
    """Answers `too_busy`, from what is kept ready for it."""
    for message in _TOO_BUSY:
        await send(message)


async def send_refusal(send: Send, error: RefusedError) -> None:
    """Answers a refused request."""
    await send_json(send, {"error": str(error)}, error.status, error.headers)


async def send_fault(send: Send, error: Exception) -> None:
    """Answers a request that met a fault of ours: the log says which."""
    _log.error("a request failed", exc_info=error)
    await send_json(send, {"error": "the server could not answer this"}, 503)


_BUSY = too_busy()
TOO_BUSY_BODY = msgspec.json.encode({"error": str(_BUSY)})
TOO_BUSY_HEADERS = _json_lines(TOO_BUSY_BODY, _BUSY.headers)
_TOO_BUSY: tuple[Message, Message] = (
    {"type": "http.response.start", "status": _BUSY.status, "headers": TOO_BUSY_HEADERS},
    {"type": "http.response.body", "body": TOO_BUSY_BODY},
)
