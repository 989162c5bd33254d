"""Only the page itself, opened under a name of this computer, gets an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from farthing.web.guard import COOKIE
from tests.web.pages import HOST, num_changes, opened

TOKEN = "a-secret-of-some-length"


@pytest.fixture
def client() -> Iterator[TestClient]:
    with opened() as client:
        yield client


@pytest.fixture
def stranger() -> Iterator[TestClient]:
    """A client of a server that asks for a token, without one."""
    with opened(token=TOKEN) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:9", "[::1]:8000", "127.0.0.1:1"])
def test_names_of_this_computer_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example:8000",
        "localhost.evil.example",
        "",
        "127.0.0.1@evil.example",
        "[::2]:8000",
        "localhost:8000:8000",
        "127.0.0.2",
        "localhost:evil",
        "0.0.0.0:8000",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/fact", "/static/icon.svg", "/static/page.js"])
def test_a_name_that_was_made_to_point_here_is_refused(client: TestClient, host: str, path: str) -> None:
    assert client.get(path, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "", "http://localhost:8000", "http://127.0.0.1:9000"),
        *("https://127.0.0.1:8000", "http://127.0.0.1", "http://127.0.0.1:8000.evil.example"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/change"), ("PUT", "/api/change"), ("DELETE", "/api/change")]
)
def test_a_change_from_elsewhere_is_refused(client: TestClient, origin: str, method: str, path: str) -> None:
    body = {"add": 1}
    assert client.request(method, path, json=body, headers={"Origin": origin}).status_code == 403
    assert num_changes(client) == 0


def test_a_change_without_an_origin_is_refused(client: TestClient) -> None:
    del client.headers["Origin"]
    assert client.post("/api/change", json={"add": 1}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/api/fact", "/static/icon.svg", "/static/page.js", "/"])
def test_what_another_site_asks_for_is_refused(client: TestClient, site: str, path: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert client.get(path, headers=headers).status_code == 403


def test_a_link_on_another_site_may_open_the_page_but_not_in_a_frame(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get("/", headers=headers).status_code == 200
    assert client.get("/", headers=headers | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert client.get("/api/fact", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/fact", "/static/icon.svg", "/none", "/static/page.css"])
def test_every_answer_forbids_what_the_page_does_not_need(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_refusals_carry_the_same_headers(client: TestClient) -> None:
    answer = client.get("/", headers={"Host": "evil.example"})
    assert "content-security-policy" in answer.headers
    assert answer.json()["error"].startswith("refused: ")


@pytest.mark.parametrize(
    "path", ["/", "/api/fact", "/static/icon.svg", "/?token=", "/?token=wrong", f"/api/fact?token={TOKEN}"]
)
def test_without_the_token_nothing_is_answered(stranger: TestClient, path: str) -> None:
    assert stranger.get(path).status_code == 403


@pytest.mark.parametrize("cookie", [f"{COOKIE}=wrong", f"{COOKIE}=", f"other={TOKEN}", "\x01=;", f'{COOKIE}="'])
def test_a_wrong_cookie_is_no_token(stranger: TestClient, cookie: str) -> None:
    assert stranger.get("/api/fact", headers={"Cookie": cookie}).status_code == 403


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_has(stranger: TestClient) -> None:
    answer = stranger.get(f"/?token={TOKEN}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.get("/api/fact").status_code == 200


def test_with_a_token_a_change_must_still_come_from_the_page(stranger: TestClient) -> None:
    stranger.cookies.set(COOKIE, TOKEN)
    body = {"add": 1}
    assert stranger.post("/api/change", json=body, headers={"Origin": "http://evil.example"}).status_code == 403
    assert stranger.post("/api/change", json=body, headers={"Origin": f"http://{HOST}"}).status_code == 200


def test_other_protocols_are_not_spoken(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/fact"):
        pass
