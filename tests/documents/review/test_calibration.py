"""A sample is drawn, answered and turned into a promise from the review page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from farthing.documents.recall.sampling import read_sample
from farthing.results.store import STORE_FILE, Store
from tests.documents.review.places import opened

NUM_PAGES = 12
ASK = {"recall": 0.8, "confidence": 0.95}


@pytest.fixture
def client(found: Path) -> Iterator[TestClient]:
    with opened(found) as client:
        yield client


def _answer_all(client: TestClient, *, wanted_from: int) -> None:
    columns = client.get("/api/pages").json()
    for page, place in zip(columns["id"], columns["sample"], strict=True):
        if place >= 0:
            client.post("/api/decisions", json={"page": page, "contains": page >= wanted_from})


def test_columns_say_in_which_order_the_sample_was_drawn(client: TestClient, found: Path) -> None:
    assert client.post("/api/sample", json={"pages": 5}).json()["total"] == 5
    sample = read_sample(found)
    assert sample is not None
    columns = client.get("/api/pages").json()
    places = dict(zip(columns["page"], columns["sample"], strict=True))
    assert [places[page] for page in sample.pages] == [0, 1, 2, 3, 4]
    assert sorted(columns["sample"])[: NUM_PAGES - 5] == [-1] * (NUM_PAGES - 5)


def test_an_answered_sample_becomes_a_promise_and_a_threshold(client: TestClient, found: Path) -> None:
    client.post("/api/sample", json={"pages": NUM_PAGES})
    _answer_all(client, wanted_from=3)
    answer = client.post("/api/calibration", json=ASK)
    assert answer.status_code == 200
    assert answer.json()["kind"] == "promised"
    assert client.get("/api/facts").json()["promise"] == answer.json()
    assert client.get("/api/facts").json()["threshold"] != 0.5
    with Store.open(found / STORE_FILE) as store:
        assert sum(row.keep for row in store.pages()) == 9
    assert (found / "calibration.json").exists()
    assert "book0/00003.png,0.250000,1" in (found / "pages.csv").read_text()


def test_answers_that_do_not_suffice_keep_every_page(client: TestClient) -> None:
    client.post("/api/sample", json={"pages": 2})
    _answer_all(client, wanted_from=NUM_PAGES)
    assert client.post("/api/calibration", json=ASK | {"recall": 0.99}).json()["kind"] == "short"
    columns = client.get("/api/pages").json()
    assert [keep for keep, decision in zip(columns["keep"], columns["decision"], strict=True) if decision < 0] == [
        1
    ] * 10


def test_a_sample_is_doubled_once_it_is_answered(client: TestClient) -> None:
    client.post("/api/sample", json={"pages": 3})
    refused = client.post("/api/sample", json={"pages": None})
    assert refused.status_code == 422
    assert "3 of 3 sampled pages have no answer yet" in refused.json()["error"]
    _answer_all(client, wanted_from=3)
    assert client.post("/api/sample", json={"pages": None}).json() == {
        "total": 6,
        "answered": 3,
        "num_pages": NUM_PAGES,
        "round": 2,
    }


def test_doubling_that_is_sent_again_happens_once(client: TestClient) -> None:
    client.post("/api/sample", json={"pages": 3})
    _answer_all(client, wanted_from=3)
    for _ in range(2):
        answer = client.post("/api/sample", json={"pages": None}, headers={"Idempotency-Key": "once"})
    assert answer.json()["round"] == 2


@pytest.mark.parametrize("pages", [0, -1, 1.5, "3", 10**9, True])
def test_a_sample_has_at_least_one_page(client: TestClient, pages: object) -> None:
    assert client.post("/api/sample", json={"pages": pages}).status_code == 422


def test_what_has_no_sample_has_no_promise(client: TestClient) -> None:
    assert "draw one first" in client.post("/api/sample", json={"pages": None}).json()["error"]
    assert "draw one first" in client.post("/api/calibration", json=ASK).json()["error"]


def test_a_second_sample_does_not_replace_the_first(client: TestClient) -> None:
    client.post("/api/sample", json={"pages": 3})
    assert "drawn already" in client.post("/api/sample", json={"pages": 5}).json()["error"]


def test_a_whole_sample_cannot_grow(client: TestClient) -> None:
    client.post("/api/sample", json={"pages": NUM_PAGES})
    _answer_all(client, wanted_from=3)
    assert "every page is in the sample" in client.post("/api/sample", json={"pages": None}).json()["error"]


def test_a_promise_needs_every_answer(client: TestClient, found: Path) -> None:
    client.post("/api/sample", json={"pages": 3})
    refused = client.post("/api/calibration", json=ASK)
    assert refused.status_code == 422
    assert "every one of them counts" in refused.json()["error"]
    assert not (found / "calibration.json").exists()


@pytest.mark.parametrize("ask", [{"recall": 0}, {"recall": 1}, {"recall": 2.0}, {"confidence": 1}, {"recall": "1"}])
def test_shares_lie_between_none_and_all(client: TestClient, ask: dict[str, object]) -> None:
    assert client.post("/api/calibration", json=ASK | ask).status_code == 422
