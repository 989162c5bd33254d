"""Requests over kept connections, from one event loop: as many as the server takes, or so many a second."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

NUM_CONNECTIONS = 128
"""Of an open loop, from the start: making one costs more than a request, and thousands would measure the clients."""


@dataclass(frozen=True)
class Reply:
    """An answer: status 0 is none (the connection ended), seconds count from when the request was due."""

    status: int
    seconds: float
    at: float
    body: bytes = b""
    headers: bytes = b""


class Client(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._reply: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.is_open = transport, True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._reply is not None and not self._reply.done():
            self._reply.set_result((0, b"", b""))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._reply is None or self._reply.done():
            return
        head = bytes(self._received[:end]).lower()
        start = head.find(b"content-length: ")
        length = int(head[start + 16 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(self._received) >= end + 4 + length:
            body = bytes(self._received[end + 4 : end + 4 + length])
            self._received.clear()
            self._reply.set_result((int(head[9:12]), body, head))

    async def ask(self, request: bytes, due: float | None = None) -> Reply:
        """The reply to a request that was due at that time of the monotonic clock."""
        start = time.monotonic() if due is None else due
        if self._transport is None or not self.is_open:
            return Reply(0, 0.0, start)
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        status, body, headers = await self._reply
        end = time.monotonic()
        return Reply(status, end - start, end, body, headers)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(port: int) -> Client:
    """A connection to this computer; one that was refused is closed from the start."""
    client = Client()
    with contextlib.suppress(OSError):
        await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)
    return client


def post(body: bytes, path: str = "/v1/score") -> bytes:
    """A request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


@dataclass
class Traffic:
    """Replies so far, and whether to go on."""

    replies: list[Reply] = field(default_factory=list)
    is_over: bool = False

    def num(self, status: int) -> int:
        return sum(reply.status == status for reply in self.replies)


async def closed_loop(traffic: Traffic, port: int, request: bytes, *, clients: int) -> None:
    """Each client asks again as soon as it is answered, until the traffic is over or the connection is lost."""

    async def one() -> None:
        client = await connect(port)
        while not traffic.is_over and client.is_open:
            traffic.replies.append(await client.ask(request))
        client.close()

    await asyncio.gather(*(one() for _ in range(clients)))


@contextlib.contextmanager
def without_pauses() -> Iterator[None]:
    """No garbage collection: looking through all that a test has loaded takes a fifth of a second, which would count as
    the server's.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


async def open_loop(port: int, request: bytes, *, rate: float, seconds: float) -> list[Reply]:
    """So many requests a second, whether or not the earlier ones were answered; the latency counts from when due.

    A request that finds all connections busy waits for one, and that counts too.
    """
    idle: asyncio.LifoQueue[Client] = asyncio.LifoQueue()
    for _ in range(NUM_CONNECTIONS):
        idle.put_nowait(await connect(port))
    replies: list[Reply] = []
    tasks: set[asyncio.Task[None]] = set()

    async def one(due: float) -> None:
        client = await idle.get()
        if not client.is_open:
            client = await connect(port)
        replies.append(await client.ask(request, due))
        idle.put_nowait(client)

    with without_pauses():
        start, number = time.monotonic(), 0
        while (now := time.monotonic() - start) < seconds:
            while number < now * rate:
                task = asyncio.create_task(one(start + number / rate))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)
    while not idle.empty():
        idle.get_nowait().close()
    return replies


async def during(traffic: Traffic, port: int, request: bytes, *, clients: int, act: Callable[[], object]) -> None:
    """Runs `act` in a thread while clients ask; the traffic is over when it has returned."""
    loop = asyncio.get_running_loop()
    asking = asyncio.ensure_future(closed_loop(traffic, port, request, clients=clients))
    await loop.run_in_executor(None, act)
    traffic.is_over = True
    await asking


def percentile(replies: list[Reply], share: float) -> float:
    """Seconds within which that share of the replies came."""
    seconds = sorted(reply.seconds for reply in replies)
    return seconds[min(int(share * len(seconds)), len(seconds) - 1)] if seconds else float("inf")
