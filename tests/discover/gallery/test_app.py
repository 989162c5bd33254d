"""What the server answers; and that a change is in the store when it is answered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from farthing.discover.gallery.decisions import read_decisions
from farthing.web.endpoints import MAX_BODY_BYTES
from tests.discover.gallery.runs import make_run, opened, sorted_images

CAT, OWL, FIRST, SECOND = range(4)
ROWS = sorted_images()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client for requests that change nothing."""
    with opened(make_run(tmp_path_factory.mktemp("read"))) as client:
        yield client


@pytest.fixture
def client(run: Path) -> Iterator[TestClient]:
    with opened(run) as client:
        yield client


def names(answer: Any) -> dict[str, int]:  # Any: JSON
    """Name -> size of each class that a change answers with."""
    return {row["name"]: row["size"] for row in answer.json()["classes"]}


def test_facts_are_those_of_the_run(reader: TestClient) -> None:
    facts = reader.get("/api/facts").json()
    expected = {"name": "images", "num_images": 25, "num_known": 2, "k": 4, "k_low": 3, "k_high": 9, "can_recut": True}
    assert facts == expected


def test_classes_come_largest_first_with_what_they_look_like(reader: TestClient) -> None:
    answer = reader.get("/api/classes")
    assert names(answer) == {"new-01": 8, "cat": 6, "new-02": 5, "owl": 4}
    sorting = answer.json()
    assert (sorting["unsorted"], sorting["unsorted_images"], sorting["num_changes"]) == (2, [24, 23], 0)
    first = sorting["classes"][0]
    assert first["images"] == list(range(10, 18))
    assert first["near"][0]["id"] == SECOND
    assert first["near"][0]["similarity"] > 0.8
    assert (first["is_new"], first["is_settled"], first["probability"]) == (True, False, 0.88)
    assert first["novelty"] == pytest.approx(0.735)


def test_images_come_in_pages_and_say_what_was_said_of_them(reader: TestClient) -> None:
    rows = reader.get(f"/api/images?of={FIRST}&offset=2&limit=3").json()
    assert [row["id"] for row in rows] == [12, 13, 14]
    row = {"id": 12, "name": ROWS[12].image, "probability": 0.91, "novelty": 0.72, "second": "new-02"}
    assert rows[0] == pytest.approx(row | {"is_given": False})
    assert [row["id"] for row in reader.get("/api/images?offset=0").json()] == [24, 23]
    assert reader.get(f"/api/images?of={CAT}").json()[0]["is_given"]


def test_a_name_is_a_label_when_it_is_answered(client: TestClient, run: Path) -> None:
    answer = client.post("/api/rename", json={"of": FIRST, "name": "  bee  eater "})
    assert names(answer) == {"bee eater": 8, "cat": 6, "new-02": 5, "owl": 4}
    assert answer.json()["num_changes"] == 1
    assert set(read_decisions(run).labels.values()) == {"bee eater"}
    assert len(read_decisions(run).labels) == 8


def test_a_known_class_can_be_agreed_with_but_not_renamed(client: TestClient, run: Path) -> None:
    assert client.post("/api/rename", json={"of": CAT, "name": "dog"}).status_code == 422
    assert read_decisions(run).labels == {}
    assert client.post("/api/rename", json={"of": CAT, "name": "cat"}).status_code == 200
    assert len(read_decisions(run).labels) == 6


def test_a_name_that_exists_merges(client: TestClient) -> None:
    assert names(client.post("/api/rename", json={"of": FIRST, "name": "owl"})) == {"owl": 12, "cat": 6, "new-02": 5}


def test_a_known_class_stays_whichever_way_it_is_merged(client: TestClient) -> None:
    assert names(client.post("/api/merge", json={"of": CAT, "into": FIRST})) == {"cat": 14, "new-02": 5, "owl": 4}


def test_a_class_falls_into_the_parts_that_it_has(client: TestClient) -> None:
    answer = client.post("/api/split", json={"of": FIRST})
    assert names(answer) == {"cat": 6, "new-02": 5, "owl": 4, "new-01": 4, "new-03": 4}
    parts = {row["name"]: row["images"] for row in answer.json()["classes"]}
    assert {image % 2 for image in parts["new-03"]} != {image % 2 for image in parts["new-01"]}


def test_chosen_images_become_a_class(client: TestClient) -> None:
    answer = client.post("/api/split", json={"of": SECOND, "images": [20, 18]})
    assert {row["name"]: row["images"] for row in answer.json()["classes"]}["new-03"] == [18, 20]


def test_images_move_and_are_taken_out(client: TestClient, run: Path) -> None:
    client.post("/api/move", json={"images": [10, 23], "into": CAT})
    answer = client.post("/api/move", json={"images": [18], "into": None})
    assert names(answer) == {"cat": 8, "new-01": 7, "owl": 4, "new-02": 4}
    assert answer.json()["unsorted"] == 2
    assert read_decisions(run).labels == {ROWS[10].image: "cat", ROWS[23].image: "cat"}
    assert read_decisions(run).not_in == {ROWS[18].image: "new-02"}


def test_another_number_of_classes_leaves_named_ones_alone(client: TestClient) -> None:
    client.post("/api/rename", json={"of": SECOND, "name": "bee"})
    answer = client.post("/api/recut", json={"num_classes": 5})
    assert names(answer) == {"cat": 6, "bee": 5, "owl": 4, "new-01": 4, "new-02": 3, "new-03": 3}
    assert answer.json()["unsorted"] == 0


def test_undo_takes_back_one_change_at_a_time_and_a_reload_shows_the_same(client: TestClient, run: Path) -> None:
    before = client.get("/api/classes").json()
    once = client.post("/api/rename", json={"of": FIRST, "name": "bee"}).json()
    client.post("/api/recut", json={"num_classes": 3})
    assert client.post("/api/undo", json={}).json() == once
    with opened(run) as again:
        assert again.get("/api/classes").json() == once
    assert client.post("/api/undo", json={}).json() == before
    assert client.post("/api/undo", json={}).json() == before


def test_a_change_that_is_sent_again_is_made_once(client: TestClient) -> None:
    headers = {"Idempotency-Key": "a"}
    answers = [client.post("/api/split", json={"of": FIRST}, headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert client.get("/api/classes").json()["num_changes"] == 1


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("rename", {"of": 9, "name": "x"}, "this class is gone"),
        ("rename", {"of": FIRST, "name": " "}, "letters that can be read"),
        ("rename", {"of": FIRST, "name": "a\u202eb"}, "letters that can be read"),
        ("rename", {"of": FIRST, "name": ""}, "not what the page sends"),
        ("rename", {"of": FIRST, "name": "x" * 201}, "not what the page sends"),
        ("merge", {"of": CAT, "into": OWL}, "told apart by labels"),
        ("merge", {"of": FIRST, "into": FIRST}, "into itself"),
        ("split", {"of": FIRST, "images": [0]}, "takes some images of a class"),
        ("split", {"of": OWL, "images": [6, 7, 8, 9]}, "takes some images of a class"),
        ("split", {"of": OWL, "images": []}, "not what the page sends"),
        ("move", {"images": [99], "into": CAT}, "image 99: the run has images 0 to 24"),
        ("move", {"images": [1], "into": 77}, "this class is gone"),
        ("move", {"images": [-1], "into": CAT}, "not what the page sends"),
        ("recut", {"num_classes": 1}, "classes must be from 2 to 25"),
        ("recut", {"num_classes": 26}, "classes must be from 2 to 25"),
        ("recut", {"num_classes": "4"}, "not what the page sends"),
        ("undo", [], "not what the page sends"),
    ],
)
def test_what_cannot_be_done_is_refused(reader: TestClient, path: str, body: object, reason: str) -> None:
    answer = reader.post(f"/api/{path}", json=body)
    assert answer.status_code == 422
    assert reason in answer.json()["error"]
    assert reader.get("/api/classes").json()["num_changes"] == 0


def test_a_run_without_features_and_tree_says_so(run: Path) -> None:
    with opened(run, is_rich=False) as client:
        assert not client.get("/api/facts").json()["can_recut"]
        assert client.get("/api/classes").json()["classes"][0]["near"][0] == {"id": SECOND, "similarity": 0.04}
        for path, body in (("recut", {"num_classes": 3}), ("split", {"of": FIRST})):
            answer = client.post(f"/api/{path}", json=body)
            assert (answer.status_code, answer.json()["error"][:12]) == (422, "this run has")


@pytest.mark.parametrize(("size", "height"), [("small", 24), ("large", 24)])
def test_images_are_no_larger_than_their_files(reader: TestClient, size: str, height: int) -> None:
    answer = reader.get(f"/image/0/{size}")
    assert answer.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).size == (20, height)


@pytest.mark.parametrize(
    "path", ["/image/99/small", "/image/0/huge", "/image/x/small", "/image/-1/small", "/static/no"]
)
def test_other_images_and_files_are_not_there(reader: TestClient, path: str) -> None:
    answer = reader.get(path)
    assert answer.status_code in {404, 422}
    assert "/" not in answer.text.replace("application/json", "")


def test_a_missing_file_is_not_shown_and_not_told(run: Path) -> None:
    (run.parent / "images" / ROWS[3].image).unlink()
    with opened(run) as client:
        answer = client.get("/image/3/small")
    assert (answer.status_code, answer.json()) == (404, {"error": "this image cannot be shown"})


@pytest.mark.parametrize("query", ["of=x", "of=-1", "of=99", "limit=501", "offset=1e3", "of=1" + "0" * 20])
def test_questions_that_make_no_sense_are_refused(reader: TestClient, query: str) -> None:
    assert reader.get(f"/api/images?{query}").status_code == 422


def test_a_body_is_read_up_to_a_limit_and_only_as_json(reader: TestClient) -> None:
    assert reader.post("/api/undo", content=b" " * (MAX_BODY_BYTES + 1), headers=JSON).status_code == 413
    assert reader.post("/api/undo", content=b"{}").status_code == 415


JSON = {"Content-Type": "application/json"}


@given(st.binary(max_size=60), st.sampled_from(["rename", "merge", "split", "move", "recut", "undo"]))
def test_no_body_breaks_the_server(reader: TestClient, body: bytes, path: str) -> None:
    assert reader.post(f"/api/{path}", content=body, headers=JSON).status_code in {200, 422}


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_only_the_page_itself_may_ask(reader: TestClient, headers: dict[str, str]) -> None:
    assert reader.post("/api/undo", json={}, headers=headers).status_code == 403
