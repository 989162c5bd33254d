"""Requests to a server on this computer, from a process of its own: as fast as it answers, or at a given rate."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import numpy as np

MAX_CONNECTIONS = 512


class Connection(asyncio.Protocol):
    """One connection that stays open; a request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """The status of the answer, once all of it is there."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) >= length and self._answer is not None:
            self._buffer = b""
            self._answer.set_result(int(head[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)


class Load:
    """Requests of one kind to one server, and when they were answered."""

    def __init__(self, url: str, body: bytes) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._request = (
            f"POST /v1/score HTTP/1.1\r\nHost: {place.hostname}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.answers: list[tuple[int, float]] = []

    async def connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, self._host, self._port)
        return connection

    async def ask(self, connection: Connection, since: float) -> None:
        status = await connection.ask(self._request)
        self.answers.append((status, time.perf_counter() - since))

    async def closed(self, num_connections: int, seconds: float) -> None:
        """Each connection asks again as soon as it was answered."""
        end = time.perf_counter() + seconds

        async def ask_on() -> None:
            connection = await self.connect()
            while (now := time.perf_counter()) < end:
                await self.ask(connection, now)

        await asyncio.gather(*(ask_on() for _ in range(num_connections)))

    async def open(self, rate: float, seconds: float) -> None:
        """Asks at fixed times, whether earlier requests were answered or not; times count from when one was due."""
        free = [await self.connect() for _ in range(64)]
        num_connections, start, running = len(free), time.perf_counter(), set()

        async def ask_once(due: float) -> None:
            nonlocal num_connections
            if free:
                connection = free.pop()
            elif num_connections < MAX_CONNECTIONS:
                num_connections += 1
                connection = await self.connect()
            else:
                self.answers.append((0, time.perf_counter() - due))
                return
            await self.ask(connection, due)
            free.append(connection)

        for number in range(int(rate * seconds)):
            due = start + number / rate
            while (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait if wait > 0.001 else 0)
            task = asyncio.create_task(ask_once(due))
            running.add(task)
            task.add_done_callback(running.discard)
            if number % 32 == 0:
                await asyncio.sleep(0)
        await asyncio.gather(*running)

    def summary(self, seconds: float) -> dict[str, float]:
        """Answers per second, times in ms of those that were scored, and how many were turned away."""
        statuses = Counter(status for status, _ in self.answers)
        times = np.array([duration for status, duration in self.answers if status == 200] or [np.nan]) * 1e3
        shed = np.array([duration for status, duration in self.answers if status == 503] or [0.0]) * 1e3
        return {
            "answered_per_second": statuses[200] / seconds,
            **{name: float(np.percentile(times, q)) for name, q in (("p50", 50), ("p99", 99), ("p999", 99.9))},
            "shed": statuses[503] / max(1, len(self.answers)),
            "shed_p99": float(np.percentile(shed, 99)),
            "lost": statuses[0] / max(1, len(self.answers)),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, help="requests per second; without it as fast as they are answered")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    load = Load(options.url, sys.stdin.buffer.read())
    if options.rate:
        asyncio.run(load.open(options.rate, options.seconds))
    else:
        asyncio.run(load.closed(options.connections, options.seconds))
    print(json.dumps(load.summary(options.seconds)))


if __name__ == "__main__":
    main()
