"""What the server answers: facts, columns, boxes, images; and that a change is in the store when it is answered."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from farthing.documents.review.app import MAX_PAGES_ASKED
from farthing.documents.review.images import SIZES
from farthing.results.store import STORE_FILE, Store
from farthing.web.endpoints import static_files
from tests.documents.review.places import make_folder, opened
from tests.reference.hostile_text import HOSTILE


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client for requests that change nothing."""
    with opened(make_folder(tmp_path_factory.mktemp("read"))) as client:
        yield client


@pytest.fixture
def client(found: Path) -> Iterator[TestClient]:
    with opened(found) as client:
        yield client


def _stored(found: Path) -> dict[str, bool]:
    """The decisions as another process reads them."""
    with Store.open(found / STORE_FILE) as store:
        return store.decisions()


def test_facts_say_what_was_filtered_and_what_failed(reader: TestClient) -> None:
    facts = reader.get("/api/facts").json()
    assert facts["name"] == "pages"
    assert facts["num_pages"] == 12
    assert facts["wanted"] == ["illustration", "stamp"]
    assert facts["classes"][:2] == facts["wanted"]
    assert facts["question"] == "Does it show an illustration or a stamp?"
    assert facts["threshold"] == 0.5
    assert facts["doubtful"] == [0.25, 0.75]
    assert facts["num_failed"] == 1
    assert facts["failed"] == [{"page": "broken.jpg", "reason": "broken.jpg: the file is empty"}]
    assert facts["promise"]["kind"] == "open"


def test_columns_hold_every_readable_page_in_the_order_of_the_collection(reader: TestClient) -> None:
    columns = reader.get("/api/pages").json()
    assert columns["id"] == list(range(12))
    assert columns["page"][4] == "book1/00004.png"
    assert columns["score"] == [round(number / 12, 4) for number in range(12)]
    assert columns["keep"] == [0] * 6 + [1] * 6
    assert columns["decision"] == columns["sample"] == [-1] * 12
    assert columns["scores"]["stamp"] == [round(number / 12, 4) if number % 2 else 0 for number in range(12)]
    assert {len(values) for name, values in columns.items() if name != "scores"} == {12}


def test_a_decision_is_in_the_store_when_it_is_answered(client: TestClient, found: Path) -> None:
    answer = client.post("/api/decisions", json={"page": 2, "contains": True})
    assert answer.json() == {"page": 2, "keep": True, "decision": True}
    assert _stored(found) == {"book2/00002.png": True}
    answer = client.post("/api/decisions", json={"page": 2, "contains": False})
    assert answer.json() == {"page": 2, "keep": False, "decision": False}
    columns = client.get("/api/pages").json()
    assert (columns["keep"][2], columns["decision"][2]) == (0, 0)


def test_undo_takes_back_one_decision_at_a_time(client: TestClient, found: Path) -> None:
    client.post("/api/decisions", json={"page": 2, "contains": True})
    client.post("/api/decisions", json={"page": 9, "contains": False})
    assert client.post("/api/undo", json={}).json() == {"undone": {"page": 9, "keep": True, "decision": None}}
    assert _stored(found) == {"book2/00002.png": True}
    assert client.post("/api/undo", json={}).json() == {"undone": {"page": 2, "keep": False, "decision": None}}
    assert client.post("/api/undo", json={}).json() == {"undone": None}


def test_a_change_that_is_sent_again_is_made_once(client: TestClient, found: Path) -> None:
    for page in (2, 9):
        client.post("/api/decisions", json={"page": page, "contains": True})
    first = client.post("/api/undo", json={}, headers={"Idempotency-Key": "a"})
    again = client.post("/api/undo", json={}, headers={"Idempotency-Key": "a"})
    assert first.json() == again.json()
    assert _stored(found) == {"book2/00002.png": True}
    client.post("/api/undo", json={}, headers={"Idempotency-Key": "b"})
    assert _stored(found) == {}


def test_boxes_are_replaced_and_remembered(client: TestClient, found: Path) -> None:
    before = client.get("/api/boxes?pages=3,0").json()
    assert before == {"3": [_box("stamp", 8, 16, 68, 48, 0.25, "model")], "0": []}
    drawn = _box("map", 0, 0, 120, 160, None, "person")
    assert client.put("/api/boxes/3", json={"boxes": [*before["3"], drawn]}).json() == [*before["3"], drawn]
    assert client.put("/api/boxes/3", json={"boxes": [drawn]}).json() == [drawn]
    with Store.open(found / STORE_FILE) as store:
        assert [box.label for box in store.boxes("book0/00003.png")] == ["map"]


def test_what_another_site_asks_for_changes_and_shows_nothing(client: TestClient, found: Path) -> None:
    evil = {"Origin": "http://evil.example"}
    assert client.post("/api/decisions", json={"page": 1, "contains": True}, headers=evil).status_code == 403
    assert client.put("/api/boxes/1", json={"boxes": []}, headers=evil).status_code == 403
    assert client.post("/api/undo", json={}, headers=evil).status_code == 403
    assert _stored(found) == {}
    for path in ("/", "/api/pages", "/api/facts", "/image/1/small", "/static/review.js"):
        assert client.get(path, headers={"Host": "evil.example"}).status_code == 403
        assert client.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert "default-src 'none'" in client.get(path).headers["content-security-policy"]


def test_where_a_token_is_asked_for_nothing_is_shown_without_it(found: Path) -> None:
    with opened(found, token="a-secret-of-some-length") as stranger:
        for path in ("/", "/api/pages", "/image/1/small", "/?token=wrong"):
            assert stranger.get(path).status_code == 403
        assert stranger.get("/?token=a-secret-of-some-length").status_code == 200
        assert stranger.get("/api/pages").status_code == 200


def _box(label: str, x0: float, y0: float, x1: float, y1: float, score: float | None, source: str) -> dict[str, Any]:
    return {"label": label, "x0": x0, "y0": y0, "x1": x1, "y1": y1, "score": score, "source": source}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": "cat"}, "label of a box must be one of"),
        ({"x0": 68.0}, "x0 < x1"),
        ({"y1": 160.5}, "inside the page of 120 x 160"),
        ({"x0": -1.0}, "not what the page sends"),
        ({"x0": "1"}, "not what the page sends"),
    ],
)
def test_a_box_that_cannot_be_is_refused(reader: TestClient, change: dict[str, object], reason: str) -> None:
    box = _box("stamp", 8, 16, 68, 48, None, "person") | change
    answer = reader.put("/api/boxes/3", json={"boxes": [box]})
    assert answer.status_code == 422
    assert reason in answer.json()["error"]
    assert reader.get("/api/boxes?pages=3").json()["3"][0]["source"] == "model"


def test_numbers_that_json_cannot_hold_are_refused(reader: TestClient) -> None:
    for number in ("NaN", "Infinity", "1e999"):
        body = f'{{"boxes": [{{"label": "stamp", "x0": 0, "y0": 0, "x1": {number}, "y1": 9}}]}}'
        answer = reader.put("/api/boxes/3", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422


@pytest.mark.parametrize("size", SIZES)
def test_images_are_jpegs_no_larger_than_the_page(reader: TestClient, size: str) -> None:
    answer = reader.get(f"/image/5/{size}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (120, 160)


def test_an_image_that_cannot_be_read_is_no_error_of_the_server(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_files=3)
    with opened(found) as client:
        assert client.get("/image/2/small").status_code == 200
        answer = client.get("/image/5/small")
    assert answer.status_code == 404
    assert answer.json() == {"error": "this image cannot be shown"}


@pytest.mark.parametrize(
    "path",
    [
        *("/image/99/small", "/image/-1/small", "/image/1/huge", "/image/1", "/image/a/small"),
        *("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/", "/static/none.js"),
        *(
            "/image/..%2f..%2fetc%2fpasswd/small",
            "/api/none",
            "/found/store.sqlite",
            "//etc/passwd",
            "/image/1%00/small",
        ),
    ],
)
def test_there_is_nothing_beside_what_is_listed(reader: TestClient, path: str) -> None:
    assert reader.get(path).status_code in {404, 422}


def test_a_store_that_names_a_path_outside_the_collection_leads_nowhere(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=2)
    (tmp_path / "secret.png").write_bytes((tmp_path / "pages" / "book0" / "00000.png").read_bytes())
    with sqlite3.connect(found / STORE_FILE) as connection:
        connection.execute("UPDATE pages SET page = '../secret.png' WHERE id = 1")
        connection.execute("UPDATE pages SET page = ? WHERE id = 2", [str(tmp_path / "secret.png")])
    with opened(found) as client:
        assert [client.get(f"/image/{page}/small").status_code for page in (0, 1)] == [404, 404]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"a"',
        b'{"page": 1}',
        b'{"page": "1", "contains": true}',
        b'{"page": -1, "contains": 1}',
        b'{"page": 99, "contains": true}',
        b'{"page": 1, "contains": true, "x": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_something_else_is_refused(reader: TestClient, body: bytes) -> None:
    answer = reader.post("/api/decisions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert set(reader.get("/api/pages").json()["decision"]) == {-1}


_PARTS = st.sampled_from(
    ["api", "boxes", "pages", "image", "static", "undo", "..", "%2e%2e", "1", "-1", "9" * 40, "small", ""]
)
_TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@pytest.mark.slow
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    parts=st.lists(st.one_of(_PARTS, _TEXT.map(quote)), max_size=5),
    query=_TEXT,
    body=st.one_of(
        st.binary(max_size=60), st.sampled_from([b"{}", b'{"page": 0}', b'{"boxes": []}', b'{"pages": null}'])
    ),
)
@settings(max_examples=150)
def test_no_request_is_an_error_of_the_server(
    reader: TestClient, method: str, parts: list[str], query: str, body: bytes
) -> None:
    # A path that starts with two slashes is a host for the client, and never gets to the server.
    path = "/" + "/".join(parts).lstrip("/") + "?" + quote(query, safe="=&,")
    answer = reader.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500


@pytest.mark.parametrize("pages", ["", "a", "1,", "-1", "1.5", "99", "9" * 30, ",".join("1" * (MAX_PAGES_ASKED + 1))])
def test_boxes_are_asked_for_by_number(reader: TestClient, pages: str) -> None:
    assert reader.get("/api/boxes", params={"pages": pages}).status_code == 422


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/undo"), ("POST", "/api/pages"), ("DELETE", "/api/boxes/1")])
def test_other_methods_are_refused(reader: TestClient, method: str, path: str) -> None:
    assert reader.request(method, path).status_code == 405


def test_a_store_that_fails_says_so_without_its_path(client: TestClient, found: Path) -> None:
    with sqlite3.connect(found / STORE_FILE) as connection:
        connection.execute("DROP TABLE decisions")
    answer = client.post("/api/decisions", json={"page": 1, "contains": True})
    assert answer.status_code == 503
    assert str(found) not in answer.text
    assert "decisions" not in answer.json()["error"]


def test_names_travel_as_text(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=len(HOSTILE))
    with sqlite3.connect(found / STORE_FILE) as connection:
        for number, name in enumerate(HOSTILE, start=1):
            connection.execute("UPDATE pages SET page = ? WHERE id = ?", [f"{number}{name}", number])
    with opened(found) as client:
        pages = client.get("/api/pages")
    assert pages.headers["content-type"] == "application/json"
    assert pages.json()["page"] == [f"{number}{name}" for number, name in enumerate(HOSTILE, start=1)]


def test_every_file_of_the_page_is_served_and_asks_for_no_other_place(reader: TestClient) -> None:
    page = reader.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>" not in page.text
    assert " style=" not in page.text
    for name, content in (static_files("farthing.web") | static_files("farthing.documents.review")).items():
        assert content.isascii()
        assert content.count(b"\n") <= 400
        assert b"://" not in content.replace(b"http://www.w3.org/2000/svg", b"")
        if name != "index.html":
            assert reader.get(f"/static/{name}").content == content
