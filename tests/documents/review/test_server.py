"""Which collection the page shows, and what is written when it stops."""

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

from farthing.base.errors import DataError, FormatError
from farthing.documents.review.server import find_collection, run_review
from farthing.results.store import STORE_FILE, Store
from farthing.web.server import Address
from tests.documents.review.places import make_folder

WAIT_S = 60.0
PROGRAM = """
import sys
from pathlib import Path
from farthing.documents.review.server import run_review
from farthing.web.server import Address
run_review(Path(sys.argv[1]), address=Address(port=0), announce=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


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
