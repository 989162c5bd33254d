"""Files by name, bodies within limits, changes once, and errors that tell no secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from farthing.web.endpoints import MAX_BODY_BYTES, static_files
from tests.web.pages import FILES, num_changes, opened

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with opened() as client:
        yield client


def test_files_are_found_by_name_and_nothing_else_is(client: TestClient) -> None:
    assert client.get("/").content == FILES["index.html"]
    assert client.get("/static/icon.svg").headers["content-type"].startswith("image/svg+xml")
    foreign = ("..%2fpages.py", "%2e%2e/pages.py", "../pages.py", "none.js", "index.html", "")
    for path in ("/index.html", *(f"/static/{name}" for name in foreign)):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("package", ["farthing.web", "farthing.discover.gallery", "farthing.documents.review"])
def test_the_files_of_a_page_hold_no_inline_script_or_style(package: str) -> None:
    for name, content in static_files(package).items():
        text = content.decode("ascii")
        if name.endswith(".html"):
            assert "style=" not in text
            assert "<style" not in text
            assert text.count("<script") == text.count('<script type="module" src=')
        assert "innerHTML" not in text
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_change_is_made_once_per_key(client: TestClient) -> None:
    before = num_changes(client)
    answers = [client.post("/api/change", json={"add": 1}, headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1
    assert num_changes(client) == before + 1


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b'{"add": 1}', {}, 415),
        *((b'{"add": 1}', {"Content-Type": kind}, 415) for kind in ("text/plain", "multipart/form-data", "")),
        (b"add=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"add": "1"}', JSON, 422),
        (b'{"add": 1, "more": 1}', JSON, 422),
        (b"\xff", JSON, 422),
        (b"[" * 100_000, JSON, 422),
        (b" " * (MAX_BODY_BYTES + 1), JSON, 413),
    ],
)
def test_a_body_that_is_not_a_change_changes_nothing(
    client: TestClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    before = num_changes(client)
    answer = client.post("/api/change", content=content, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert num_changes(client) == before


def test_a_body_that_does_not_say_how_long_it_is_has_the_same_limit(client: TestClient) -> None:
    parts = iter([b" " * 65536] * (MAX_BODY_BYTES // 65536 + 1))
    assert client.post("/api/change", content=parts, headers=JSON).status_code == 413


@given(st.binary(max_size=40))
def test_no_body_breaks_the_server(client: TestClient, body: bytes) -> None:
    assert client.post("/api/change", content=body, headers=JSON).status_code in {200, 422}


def test_what_went_wrong_is_for_the_terminal_alone(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.post("/api/change", json={"add": 13})
    assert answer.status_code == 503
    assert "secret" not in answer.text
    assert "secret.sqlite" in caplog.text
