"""Where the page is served, to whom, and what is written when it stops."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.documents.review.server import Address, find_collection, listen, run_review, url_of
from farthing.results.store import STORE_FILE, Store
from tests.documents.review.places import make_folder

WAIT_S = 60.0
PROGRAM = """
import sys
from pathlib import Path
from farthing.documents.review.server import Address, run_review
run_review(Path(sys.argv[1]), address=Address(port=0), announce=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "192.168.1.7", "archive.example")),
    ],
)
def test_only_the_loopback_interface_needs_no_token(host: str, is_loopback: bool) -> None:
    assert Address(host=host).is_loopback == is_loopback


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_have_a_range(port: int) -> None:
    with pytest.raises(ConfigError, match="port must be from 0 to 65535"):
        Address(port=port)


def test_by_default_nothing_else_can_reach_it() -> None:
    with listen(Address(port=0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert url_of(listener, Address(port=0), None) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_the_address_carries_the_token_and_brackets() -> None:
    with listen(Address(port=0)) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener, Address(host="::1"), "a-b") == f"http://[::1]:{port}/?token=a-b"


def test_a_taken_port_is_an_error_that_says_what_to_do() -> None:
    with listen(Address(port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: cannot be listened on .* choose another --port"):
            listen(Address(port=port))


def test_a_host_that_is_elsewhere_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"256\.1\.1\.1"):
        listen(Address(host="256.1.1.1"))


def test_a_folder_without_a_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="there is no store here"):
        run_review(tmp_path, address=Address(port=0), announce=lambda _: None)


def test_a_collection_that_has_moved_is_found_and_remembered(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=3)
    moved = (tmp_path / "pages").rename(tmp_path / "moved")
    with Store.open(found / STORE_FILE) as store:
        with pytest.raises(DataError, match="no such folder"):
            find_collection(store, None)
        find_collection(store, moved)
        assert find_collection(store, None).source("book1/00001.png").load().width == 120


def test_another_collection_is_not_taken_for_it(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=3)
    (tmp_path / "other").mkdir()
    with Store.open(found / STORE_FILE) as store:
        with pytest.raises(DataError, match=r"book0/00000\.png"):
            find_collection(store, tmp_path / "other")
        assert store.meta()["collection"] == str(tmp_path / "pages")


def _start(found: Path) -> tuple[subprocess.Popen[str], str]:
    program = [sys.executable, "-c", PROGRAM, str(found)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _decide(url: str, page: int) -> None:
    origin = {"Origin": url.rstrip("/")}
    answer = httpx.post(f"{url}api/decisions", json={"page": page, "contains": True}, headers=origin, trust_env=False)
    assert answer.status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_when_it_is_stopped_the_tables_are_written_anew(tmp_path: Path, number: int) -> None:
    found = make_folder(tmp_path, num_pages=6)
    process, url = _start(found)
    with process:
        _decide(url, 0)
        process.send_signal(number)
        assert process.communicate(timeout=WAIT_S)[0] == "stopped\n"
    assert "book0/00000.png,0.000000,1" in (found / "pages.csv").read_text()
    assert (found / "report.html").exists()


@pytest.mark.slow
def test_a_killed_server_loses_no_decision_that_it_acknowledged(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=6)
    process, url = _start(found)
    acknowledged = 0
    with process:
        threading.Timer(0.5, process.kill).start()
        with suppress(httpx.TransportError):
            for page in itertools.cycle(range(6)):
                _decide(url, page)
                acknowledged += 1
    assert process.returncode == -signal.SIGKILL
    with Store.open(found / STORE_FILE) as store:
        stored = [decision.page for decision in store.history()]
    assert 0 < acknowledged <= len(stored) <= acknowledged + 1
    assert stored[:3] == ["book0/00000.png", "book1/00001.png", "book2/00002.png"]
