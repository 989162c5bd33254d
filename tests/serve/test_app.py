"""Every answer of a scoring server, and above all those to bad requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from farthing.serve import requests
from farthing.serve.app import Limits
from tests.serve.loops import run as run_loop
from tests.serve.numbers import Numbers, app_of, folder_of

URL = "http://localhost"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app, _, _ = app_of(folder_of(tmp_path), limits=Limits(max_batch=4, max_body=200))
    with TestClient(app, base_url=URL, raise_server_exceptions=False) as client:
        yield client


def test_scores_are_answered_with_the_model_that_gave_them(client: TestClient) -> None:
    answer = client.post("/v1/score", json={"numbers": [1, 2.5]})
    assert (answer.status_code, answer.json()) == (200, {"model": "2", "numbers": [2, 5.0]})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/healthz", 200, "ok"),
        ("/readyz", 200, "ready"),
        ("/v1/model", 200, '{"hash":"2"}'),
        ("/openapi.json", 200, "3.1.0"),
        ("/", 200, "<p>times 2</p>"),
        ("/v1/score", 405, "this method is not for this page"),
        ("/admin", 404, "there is no such page"),
    ],
)
def test_what_there_is_to_get(client: TestClient, path: str, status: int, text: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert text in answer.text


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 422, "the body is not JSON"),
        (b"\xff", 422, "the body is not JSON"),
        (b"[" * 150, 422, "the body is not"),
        (b"[]", 422, "the body is not what /openapi.json says"),
        (b'{"numbers": ["x"]}', 422, "the body is not what /openapi.json says at $.numbers[0]"),
        (b'{"numbers": [NaN]}', 422, "the body is not JSON"),
        (b'{"numbers": [13]}', 422, "numbers: 13 is none"),
        (b'{"numbers": [1,1,1,1,1]}', 422, "a request has at most 4 rows, got 5"),
        (b'{"numbers": [1]' + b" " * 200 + b"}", 413, "a body has at most 200 bytes"),
        (b'{"numbers": [666]}', 503, "the server could not answer this"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(client: TestClient, body: bytes, status: int, message: str) -> None:
    answer = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json() == {"error": pytest.approx(answer.json()["error"])}
    assert message in answer.json()["error"]
    assert "secret" not in answer.text


def test_a_body_must_be_announced_as_json(client: TestClient) -> None:
    assert client.post("/v1/score", content=b'{"numbers": [1]}').status_code == 415


def test_a_body_in_chunks_is_counted_too(client: TestClient) -> None:
    answer = client.post(
        "/v1/score", content=(b" " * 50 for _ in range(10)), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


def test_a_slow_body_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "READ_TIMEOUT_S", 0.01)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    async def ask() -> int:
        app, _, _ = app_of(folder_of(tmp_path))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            # httpx hands over a body piece by piece only if the application asks for it so.
            answer = await client.post("/v1/score", content=slowly(), headers={"content-type": "application/json"})
            return answer.status_code

    assert run_loop(ask()) == 408


def test_a_client_that_goes_away_is_no_fault_of_ours() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "headers": [(b"content-type", b"application/json")]}
    with pytest.raises(requests.RefusedError, match="cut off"):
        run_loop(requests.read_json(scope, receive, Numbers, max_bytes=9))


@given(body=st.binary(max_size=150))
def test_no_body_is_a_fault_of_ours(body: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    app, _, _ = app_of(folder_of(tmp_path_factory.getbasetemp() / "fuzzed"))
    with TestClient(app, base_url=URL) as client:
        answer = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {200, 422}


def test_metrics_count_what_happened(client: TestClient) -> None:
    client.post("/v1/score", json={"numbers": [1, 2]})
    client.post("/v1/score", json={})
    text = client.get("/metrics").text
    for line in (
        'farthing_requests_total{status="200"} 1',
        'farthing_requests_total{status="422"} 1',
        "farthing_rows_total 2",
        'farthing_model_info{hash="2"} 1',
        'farthing_request_seconds_bucket{le="+Inf"} 2',
    ):
        assert line in text.splitlines()


def test_a_token_is_asked_for_everywhere_but_by_the_load_balancer(tmp_path: Path) -> None:
    app, _, _ = app_of(folder_of(tmp_path), token="correct horse")
    with TestClient(app, base_url="http://archive.example") as client:
        assert client.get("/healthz").status_code == 200
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer correct horse "}):
            assert client.get("/v1/model", headers=headers).status_code in {401, 200}
        assert client.get("/v1/model").status_code == 401
        assert client.get("/v1/model", headers={"authorization": "Bearer correct horse"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "127.0.0.1:8080"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": ""}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 200),
    ],
)
def test_only_this_computer_is_let_in_without_a_token(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.get("/v1/model", headers=headers).status_code == status


def test_more_requests_than_can_be_answered_are_turned_away(tmp_path: Path) -> None:
    async def ask() -> list[int]:
        app, _, _ = app_of(folder_of(tmp_path), limits=Limits(max_requests=2))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
            posts = (client.post("/v1/score", json={"numbers": [1]}) for _ in range(5))
            answers = await asyncio.gather(*posts)
        assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)
        return sorted(answer.status_code for answer in answers)

    assert run_loop(ask()) == [200, 200, 200, 503, 503]  # the first is answered at once, and two wait


def test_web_sockets_are_closed(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/v1/score"):
        pass
