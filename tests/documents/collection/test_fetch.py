from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from farthing.base.errors import ConfigError, DataError
from farthing.documents.collection import fetch as module
from farthing.documents.collection.fetch import FetchConfig, fetch
from tests.documents.webserver import Answer, WebServer, web_server

HASTY = FetchConfig(timeout_s=1.0, num_retries=2, wait_s=0.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with web_server() as running:
        yield running


def test_a_body(server: WebServer) -> None:
    body = bytes(range(256)) * 1000
    server.answers["/x"] = Answer(body)
    assert fetch(f"{server.address}/x", max_bytes=len(body)) == body
    with pytest.raises(DataError, match=r"/x: the answer is longer than the 255,999 bytes that are accepted"):
        fetch(f"{server.address}/x", max_bytes=len(body) - 1)


def test_redirects_stay_on_the_web(server: WebServer) -> None:
    server.answers["/x"] = Answer(status=302, headers={"Location": "/y"})
    server.answers["/y"] = Answer(b"y")
    assert fetch(f"{server.address}/x", max_bytes=9) == b"y"
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "data:text/plain,x"):
        server.answers["/x"] = Answer(status=302, headers={"Location": target})
        with pytest.raises(DataError, match=r"only http and https are fetched|HTTP 302"):
            fetch(f"{server.address}/x", max_bytes=9, config=HASTY)
    server.answers["/x"] = Answer(status=302, headers={"Location": "/x"})
    with pytest.raises(DataError, match=r"HTTP 302"):
        fetch(f"{server.address}/x", max_bytes=9, config=HASTY)


def test_https_is_not_left_for_http() -> None:
    with pytest.raises(DataError, match="redirects from https to http"):
        module._check_scheme("http://x/", came_from="https://x/")
    module._check_scheme("https://x/", came_from="http://x/")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd", "data:,x"])
def test_other_schemes(url: str) -> None:
    with pytest.raises(DataError, match="only http and https are fetched"):
        fetch(url, max_bytes=9)


@pytest.mark.parametrize("url", ["http://", "http://[", "http://127.0.0.1:port/", "http://127.0.0.1/ x"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(DataError, match=r"cannot be fetched"):
        fetch(url, max_bytes=9, config=HASTY)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_server_is_asked_again(server: WebServer, status: int) -> None:
    server.answers["/x"] = [Answer(status=status), Answer(status=status, headers={"Retry-After": "0"}), Answer(b"x")]
    assert fetch(f"{server.address}/x", max_bytes=9, config=HASTY) == b"x"
    server.answers["/y"] = Answer(status=status)
    with pytest.raises(DataError, match=rf"/y: cannot be fetched \(HTTP {status}\); try again later"):
        fetch(f"{server.address}/y", max_bytes=9, config=HASTY)
    assert server.asked == ["/x"] * 3 + ["/y"] * 3


def test_the_pause_doubles_unless_the_server_says_how_long(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.answers["/x"] = [
        Answer(status=503),
        Answer(status=503, headers={"Retry-After": "9999"}),
        Answer(status=503),
        Answer(b"x"),
    ]
    fetch(f"{server.address}/x", max_bytes=9, config=FetchConfig(wait_s=0.5))
    assert pauses == [0.5, 60.0, 2.0]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 501])
def test_other_failures_are_final(server: WebServer, status: int) -> None:
    server.answers["/x"] = Answer(status=status)
    with pytest.raises(DataError, match=rf"/x: cannot be fetched \(HTTP {status}\)$"):
        fetch(f"{server.address}/x", max_bytes=9, config=HASTY)
    assert server.asked == ["/x"]


def test_an_answer_that_stops_early_is_asked_for_again(server: WebServer) -> None:
    server.answers["/x"] = [Answer(b"ab", cut=5), Answer(b"abcdefg")]
    assert fetch(f"{server.address}/x", max_bytes=9, config=HASTY) == b"abcdefg"
    server.answers["/y"] = Answer(b"ab", cut=5)
    with pytest.raises(DataError, match="stops early"):
        fetch(f"{server.address}/y", max_bytes=9, config=HASTY)


def test_nobody_there_and_nobody_answering() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(DataError, match="no connection"):
            fetch(address, max_bytes=9, config=HASTY)
        free.listen()
        with pytest.raises(DataError, match="no answer"):
            fetch(address, max_bytes=9, config=FetchConfig(timeout_s=0.05, num_retries=1, wait_s=0.0))


def test_a_trickle_ends(server: WebServer) -> None:
    server.answers["/x"] = Answer(bytes(1 << 20))
    with pytest.raises(DataError, match="still not complete after"):
        fetch(f"{server.address}/x", max_bytes=1 << 21, config=FetchConfig(deadline_s=1e-9, num_retries=0))


@pytest.mark.parametrize("bad", [{"timeout_s": 0}, {"deadline_s": -1}, {"num_retries": -1}, {"wait_s": -0.1}])
def test_settings(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="timeout_s and deadline_s must be > 0"):
        FetchConfig(**bad)  # type: ignore[arg-type]
