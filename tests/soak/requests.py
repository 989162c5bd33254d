"""7: requests that no client of ours would send."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

from tests.serve.loops import run as run_loop
from tests.serve.process import serving
from tests.serve.traffic import Reply, connect, post
from tests.soak.artifacts import changed_bytes
from tests.soak.models import make_model
from tests.soak.outcome import Budget, Outcome

ALLOWED = {200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 431, 503}
# Words of the libraries below, and of stack traces: none may reach a client.
FOREIGN_WORDS = (b"Traceback", b"msgspec", b"polars", b"torch", b"numpy", b"starlette", b"site-packages", b".py")
VALUES = (
    "NaN",
    "1e999",
    "-1e999",
    '"nan"',
    '"inf"',
    "null",
    "true",
    "[]",
    "{}",
    "-1",
    "1e308",
    '"\\u0000"',
    '"\\ud800"',
)
COLUMNS = ("user", "item", "price", "age", "tags", "clicked", "nothing", "")
WHOLE = b'{"rows": [{"user": 3, "item": "item-1", "price": 2.5, "tags": ["tag1", "tag2"]}], "order": true}'


def requests_cannot_take_it_down(budget: Budget, folder: Path) -> Outcome:
    """Fuzzed bodies and heads, bodies too large, in chunks and never finished; then a whole one is asked for again."""
    with serving(make_model(folder)) as server:
        replies, same = run_loop(_fuzz(server.port, budget))
        lives = server.process.poll() is None
        tracebacks = sum("Traceback" in line for line in server.said)
    counts = {status: sum(reply.status == status for reply in replies) for status in {r.status for r in replies}}
    bad = [reply for reply in replies if reply.status and reply.status not in ALLOWED]
    told = [reply for reply in replies if reply.status >= 400 and any(word in reply.body for word in FOREIGN_WORDS)]
    listed = ", ".join(f"{count:,} x {status or 'closed'}" for status, count in sorted(counts.items()))
    figure = (
        f"{len(replies):,} fuzzed requests: {listed}; {len(bad)} other 5xx, {len(told)} answers with foreign words, "
        f"{tracebacks} faults in the log"
    )
    return Outcome(figure, lives and same and not bad and not told and not tracebacks)


async def _fuzz(port: int, budget: Budget) -> tuple[list[Reply], bool]:
    """The replies, and whether a whole request is answered afterwards as it was before."""
    replies: list[Reply] = []
    before = await _scores(port)
    slow = [await connect(port) for _ in range(8)]
    waiting = [asyncio.create_task(client.ask(post(WHOLE)[:-20])) for client in slow]
    for _ in budget.rounds():
        client = await connect(port)
        try:
            replies.append(await asyncio.wait_for(client.ask(hostile_request(budget.random)), 0.5))
        except asyncio.TimeoutError:  # half a request: the server waits for the rest
            replies.append(Reply(0, 0.5, 0.0))
        client.close()
    for task, client in zip(waiting, slow, strict=True):
        client.close()
        replies.append(await task)
    return replies, await _scores(port) == before


async def _scores(port: int) -> object:
    client = await connect(port)
    reply = await client.ask(post(WHOLE))
    client.close()
    return json.loads(reply.body)["probability"]


def hostile_request(rng: random.Random) -> bytes:
    """A request that is wrong somewhere, or nowhere."""
    kind = rng.randrange(8)
    if kind == 0:
        return changed_bytes(post(WHOLE), rng) or b"\r\n\r\n"
    if kind == 1:
        return post(b'{"rows": [' + b",".join([b"{}"] * rng.choice((1, 4096, 5000))) + b"]}")
    if kind == 2:
        return post(b" " * rng.choice((999_000, 1_100_000)) + b"{}")
    if kind == 3:
        return _chunked(WHOLE, rng)
    if kind == 4:
        return post(b'{"rows":' + b"[" * rng.randrange(50_000))
    if kind == 5:
        return post(changed_bytes(WHOLE, rng))
    cells = ",".join(f'"{rng.choice(COLUMNS)}": {rng.choice(VALUES)}' for _ in range(rng.randint(0, 4)))
    return post(f'{{"rows": [{{{cells}}}]}}'.encode())


def _chunked(body: bytes, rng: random.Random) -> bytes:
    """A body in pieces, perhaps with a size that is none."""
    head = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
    size = rng.choice((f"{len(body):x}", "0", "ffffffffffffffffff", "-1", "x"))
    return head + b"\r\n\r\n" + size.encode() + b"\r\n" + body + b"\r\n0\r\n\r\n"
