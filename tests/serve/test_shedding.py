from __future__ import annotations

import asyncio
from functools import partial

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from farthing.serve.shedding import SheddingProtocol, is_whole_score
from tests.serve.loops import run as run_loop
from tests.serve.traffic import Reply, connect, post

WHOLE = post(b'{"rows": [{}]}')


async def answers_ok(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        WHOLE[:-1],
        WHOLE + b"P",
        WHOLE + WHOLE,
        WHOLE.replace(b"/v1/score", b"/healthz"),
        WHOLE.replace(b"POST", b"GET "),
        WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        WHOLE.replace(b"Content-Length: 14", b"Transfer-Encoding: chunked"),
        WHOLE.replace(b"Content-Length: 14", b"Content-Length: 1e1"),
    ],
)
def test_everything_else_goes_the_usual_way(data: bytes) -> None:
    assert is_whole_score(WHOLE)
    assert is_whole_score(WHOLE.replace(b"Content-Length", b"content-LENGTH"))
    assert not is_whole_score(data)


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)))
def test_no_part_of_a_request_is_a_whole_one(start: int, end: int) -> None:
    assert is_whole_score(WHOLE[start:end]) == ((start, end) == (0, len(WHOLE)))


def test_one_connection_is_turned_away_and_answered_in_turns() -> None:
    async def ask() -> list[Reply]:
        is_full = iter([True, False, True, True, False])
        protocol = partial(SheddingProtocol, turns_away=lambda: next(is_full))
        config = uvicorn.Config(answers_ok, http=protocol, lifespan="off", port=0, log_config=None)  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        client = await connect(server.servers[0].sockets[0].getsockname()[1])
        replies = [await client.ask(WHOLE) for _ in range(5)]
        client.close()
        server.should_exit = True
        await serving
        return replies

    replies = run_loop(ask())
    assert [reply.status for reply in replies] == [503, 200, 503, 503, 200]
    for reply in (replies[0], replies[2], replies[3]):
        assert reply.body == b'{"error":"too busy; try again"}'
        lines = {b"retry-after: 1", b"cache-control: no-store", b"content-type: application/json"}
        assert lines < set(reply.headers.split(b"\r\n"))
