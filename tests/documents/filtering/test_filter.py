"""A filter records every page, goes on where it was killed, and takes the same memory for any number of pages."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from farthing.base.errors import ConfigError, DataError
from farthing.documents.collection.pages import open_collection
from farthing.documents.detections import Detections
from farthing.documents.filtering.filter import FilterConfig, FilterResult, filter_pages, wanted_classes
from farthing.documents.page import Page
from farthing.results.rows import PageQuery
from farthing.results.store import STORE_FILE, Store
from tests.documents.fakes import CLASSES, ColorDetector, draw_page, write_collection

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("FARTHING_KILLS", "4"))


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the store, and what the store says."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(STORE_FILE)
    }
    with Store.open(folder / STORE_FILE) as store:
        rows = [(row, store.boxes(row.page)) for row in store.pages()]
        return files | {"store": repr((rows, store.meta())).encode()}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_collection(tmp_path_factory.mktemp("collection") / "pages")


class CountingProgress:
    def __init__(self) -> None:
        self.stages: list[list[int | str]] = []

    def start(self, stage: str, *, total: int, done: int = 0) -> None:
        self.stages.append([stage, total, done, 0])

    def advance(self, pages: int = 1, *, failed: int = 0) -> None:
        counts = self.stages[-1]
        counts[2] = int(counts[2]) + pages
        counts[3] = int(counts[3]) + failed


def test_every_page_is_in_one_of_the_tables(collection: Path, tmp_path: Path) -> None:
    progress = CountingProgress()
    config = FilterConfig(contains=("stamp", "illustration"), threshold=0.3, group="folder", crop_pixels=100)
    result = filter_pages(ColorDetector(), collection, tmp_path / "out", config, progress=progress)
    pages, failed = read_table(tmp_path / "out/pages.csv"), read_table(tmp_path / "out/failed.csv")
    names = [source.id for source in open_collection(collection).sources()]
    assert [row["page"] for row in pages] == [name for name in names if "broken" not in name and "empty" not in name]
    assert [row["page"] for row in failed] == ["book1/broken.jpg", "book2/empty.png"]
    assert "damaged" in failed[0]["reason"]
    assert "empty" in failed[1]["reason"]
    assert list(pages[0]) == ["page", "score", "keep", "illustration", "stamp"]
    kept = [row for row in pages if row["keep"] == "1"]
    assert 0 < len(kept) < len(pages)
    for row in pages:
        assert float(row["score"]) == max(float(row["illustration"]), float(row["stamp"]))
        assert (row["keep"] == "1") == (float(row["score"]) >= 0.3)
    assert result == FilterResult(
        pages=26,
        kept=len(kept),
        failed=2,
        threshold=0.3,
        contains=("illustration", "stamp"),
        crops=len(read_table(tmp_path / "out/crops.csv")),
        uncut=0,
        pages_per_second=result.pages_per_second,
    )
    assert progress.stages == [["filter", 26, 26, 2], ["crops", len(kept), len(kept), 0]]
    assert (tmp_path / "out/report.html").stat().st_size > 10_000


def test_detections_hold_every_box_in_page_pixels(tmp_path: Path) -> None:
    draw_page(0.5, 0.25, width=300, height=400).save(tmp_path / "page.png")
    filter_pages(ColorDetector(), tmp_path / "page.png", tmp_path / "out", FilterConfig())
    found = json.loads((tmp_path / "out/detections.json").read_text())
    assert [entry["category"] for entry in found] == ["illustration", "stamp"]
    assert {entry["file_name"] for entry in found} == {"page.png"}
    for entry, expected in zip(found, ([8, 16, 150, 80], [8, 100, 75, 80]), strict=True):
        assert entry["bbox"] == pytest.approx(expected, abs=300 / 96)
        assert set(entry) == {"file_name", "category", "bbox", "score"}


def test_pages_of_the_wanted_classes_are_kept(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    draw_page(0.8).save(tmp_path / "pages/red.png")
    draw_page(0, 0.8).save(tmp_path / "pages/blue.png")
    filter_pages(ColorDetector(), tmp_path / "pages", tmp_path / "out", FilterConfig(contains=("stamp",)))
    assert {row["page"]: row["keep"] for row in read_table(tmp_path / "out/pages.csv")} == {
        "blue.png": "1",
        "red.png": "0",
    }
    assert list(read_table(tmp_path / "out/pages.csv")[0]) == ["page", "score", "keep", "stamp"]


def test_batches_are_as_large_as_asked_and_hold_readable_pages_only(collection: Path, tmp_path: Path) -> None:
    detector = ColorDetector()
    filter_pages(detector, collection, tmp_path / "out", FilterConfig(batch_size=10))
    assert detector.batches == [10, 9, 5]


def test_a_place_without_pages_is_said_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: holds no page"):
        filter_pages(ColorDetector(), tmp_path / "empty", tmp_path / "out", FilterConfig())
    assert not (tmp_path / "out").exists()


def test_a_collection_without_a_readable_page_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/empty.png").touch()
    result = filter_pages(ColorDetector(), tmp_path / "pages", tmp_path / "out", FilterConfig(crop_pixels=9))
    assert (result.pages, result.kept, result.failed, result.crops) == (1, 0, 1, 0)
    assert json.loads((tmp_path / "out/detections.json").read_text()) == []


def test_a_name_that_is_no_text_fails_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    draw_page(0.5).save(tmp_path / "pages/a.png")
    with open(os.fsencode(tmp_path / "pages") + b"/b\xff.png", "wb") as stream:  # noqa: PTH123 - a path of bytes
        stream.write((tmp_path / "pages/a.png").read_bytes())
    result = filter_pages(ColorDetector(), tmp_path / "pages", tmp_path / "out", FilterConfig())
    assert (result.pages, result.failed) == (2, 1)
    assert read_table(tmp_path / "out/failed.csv")[0]["page"] == "b\\xff.png"


def test_groups_by_folder_put_the_pages_of_a_folder_together(collection: Path, tmp_path: Path) -> None:
    filter_pages(ColorDetector(), collection, tmp_path / "out", FilterConfig(group="folder"))
    documents = read_table(tmp_path / "out/documents.csv")
    assert [(row["document"], row["pages"]) for row in documents] == [("book0", "8"), ("book1", "9"), ("book2", "9")]


def test_without_a_group_there_is_no_table_of_documents(collection: Path, tmp_path: Path) -> None:
    filter_pages(ColorDetector(), collection, tmp_path / "out", FilterConfig())
    assert not (tmp_path / "out/documents.csv").exists()
    assert not (tmp_path / "out/crops").exists()


class FailingDetector(ColorDetector):
    """Fails at its n-th batch, like a process that is interrupted there."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self._fails_at = fails_at

    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        if len(self.batches) == self._fails_at:
            raise KeyboardInterrupt
        return super().detect(pages)


@pytest.mark.parametrize("fails_at", [0, 1, 4])
def test_an_interrupted_filter_goes_on_with_the_same_result(collection: Path, tmp_path: Path, fails_at: int) -> None:
    config = FilterConfig(group="folder", crop_pixels=80, batch_size=4)
    filter_pages(ColorDetector(), collection, tmp_path / "whole/out", config)
    with pytest.raises(KeyboardInterrupt):
        filter_pages(FailingDetector(fails_at), collection, tmp_path / "cut/out", config)
    detector, progress = ColorDetector(), CountingProgress()
    filter_pages(detector, collection, tmp_path / "cut/out", config, resume=True, progress=progress)
    assert len(detector.batches) == 7 - fails_at
    assert progress.stages[0] == ["filter", 26, 26, progress.stages[0][3]]
    assert contents(tmp_path / "cut/out") == contents(tmp_path / "whole/out")


def test_resuming_a_finished_filter_changes_nothing_and_new_pages_are_added(tmp_path: Path) -> None:
    pages, out = write_collection(tmp_path / "pages", num_pages=6), tmp_path / "out"
    config = FilterConfig(batch_size=4)
    filter_pages(ColorDetector(), pages, out, config)
    before, detector = contents(out), ColorDetector()
    result = filter_pages(detector, pages, out, config, resume=True)
    assert (detector.batches, result.pages_per_second) == ([], 0.0)
    assert contents(out) == before
    draw_page(0.9).save(pages / "book0/new.png")
    filter_pages(detector, pages, out, config, resume=True)
    assert detector.batches == [1]
    assert read_table(out / "pages.csv")[-1]["page"] == "book0/new.png"


def test_a_resumed_filter_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    pages, out = write_collection(tmp_path / "pages", num_pages=3), tmp_path / "out"
    filter_pages(ColorDetector(), pages, out, FilterConfig())
    before = contents(out)
    (out / "crops").mkdir()
    (out / ".crops.part").mkdir()
    for name in (".pages.csv.510ldpar.part", ".store.sqlite.8c5zt83d.part-journal", "crops/.a.jpg.x.part"):
        (out / name).write_bytes(b"half")
    filter_pages(ColorDetector(), pages, out, FilterConfig(), resume=True)
    assert contents(out) == before


def test_a_resumed_filter_tries_unreadable_pages_again(tmp_path: Path) -> None:
    pages, out = write_collection(tmp_path / "pages", num_pages=3), tmp_path / "out"
    broken = pages / "book0/0000.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:40])
    failed = filter_pages(ColorDetector(), pages, out, FilterConfig()).failed
    assert filter_pages(ColorDetector(), pages, out, FilterConfig(), resume=True).failed == failed
    broken.write_bytes(whole)
    detector = ColorDetector()
    assert filter_pages(detector, pages, out, FilterConfig(), resume=True).failed == failed - 1
    assert detector.batches == [1]
    filter_pages(ColorDetector(), pages, tmp_path / "fresh", FilterConfig())
    assert (out / "pages.csv").read_bytes() == (tmp_path / "fresh/pages.csv").read_bytes()


def test_a_resumed_filter_keeps_the_threshold_and_the_decisions_it_has(tmp_path: Path) -> None:
    pages, out = write_collection(tmp_path / "pages", num_pages=6), tmp_path / "out"
    filter_pages(ColorDetector(), pages, out, FilterConfig())
    with Store.open(out / STORE_FILE) as store:
        store.set_threshold(0.0)
        store.decide("book0/0000.png", contains=False, made_by="review")
    draw_page(0).save(pages / "new.png")
    result = filter_pages(ColorDetector(), pages, out, FilterConfig(), resume=True)
    assert result.threshold == 0.0
    assert [row["page"] for row in read_table(out / "pages.csv") if row["keep"] == "0"] == ["book0/0000.png"]


def test_an_earlier_filter_is_never_overwritten(tmp_path: Path) -> None:
    draw_page(0.5).save(tmp_path / "page.png")
    filter_pages(ColorDetector(), tmp_path / "page.png", tmp_path / "out", FilterConfig())
    with pytest.raises(DataError, match=r"out: holds an earlier filter; pass --resume"):
        filter_pages(ColorDetector(), tmp_path / "page.png", tmp_path / "out", FilterConfig())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (FilterConfig(contains=("stamp",)), r"contains \['stamp'\], it began with \['illustration', "),
        (FilterConfig(group="pdf"), "group 'pdf', it began with None"),
        (FilterConfig(batch_size=3), "batch_size 3, it began with 16"),
    ],
)
def test_a_filter_cannot_go_on_with_other_settings(tmp_path: Path, config: FilterConfig, message: str) -> None:
    draw_page(0.5).save(tmp_path / "page.png")
    filter_pages(ColorDetector(), tmp_path / "page.png", tmp_path / "out", FilterConfig())
    with pytest.raises(ConfigError, match=message):
        filter_pages(ColorDetector(), tmp_path / "page.png", tmp_path / "out", config, resume=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.5}, "threshold must be from 0 to 1, got 1.5"),
        ({"threshold": float("nan")}, "threshold must be from 0 to 1, got nan"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"crop_pixels": 0}, "crop_pixels must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FilterConfig(**settings)  # type: ignore[arg-type]  # that is what the test is about


def test_wanted_classes_come_in_the_order_of_the_model() -> None:
    assert wanted_classes(["stamp", "illustration"], CLASSES) == ("illustration", "stamp")
    assert wanted_classes([], CLASSES) == CLASSES
    with pytest.raises(ConfigError, match="does not know 'photo'; it knows illustration, drop_capital, stamp"):
        wanted_classes(["photo"], CLASSES)


def start(pages: Path, out: Path, seconds: float = 0.0) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, "-m", "tests.documents.filter_target", str(pages), str(out), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)


def finish(pages: Path, out: Path) -> int:
    """Runs a filter to its end; returns the most bytes that it had in memory."""
    with start(pages, out) as process:
        assert process.stdout is not None
        *_, last = process.stdout
    assert process.returncode == 0
    return int(last)


@pytest.mark.slow
def test_a_killed_filter_goes_on_with_the_same_result(collection: Path, tmp_path: Path) -> None:
    finish(collection, tmp_path / "whole/out")
    moments = random.Random(1)
    for _ in range(KILLS):
        with start(collection, tmp_path / "killed/out", seconds=0.02) as process:
            assert process.stdout is not None
            next(process.stdout, None)
            time.sleep(moments.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    finish(collection, tmp_path / "killed/out")
    assert contents(tmp_path / "killed/out") == contents(tmp_path / "whole/out")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_collection(tmp_path: Path) -> None:
    draw_page(0.6).save(tmp_path / "page.png")
    peaks = []
    for count in (300, 1500):
        for number in range(count):
            path = tmp_path / f"pages{count}/book{number // 100}/{number:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.hardlink_to(tmp_path / "page.png")
        peaks.append(finish(tmp_path / f"pages{count}", tmp_path / f"out{count}"))
    with Store.open(tmp_path / "out1500" / STORE_FILE) as store:
        assert store.count(PageQuery(keep=True)) == 1500
    # 1,200 pages more: a kilobyte kept of each would be 1.2 MB, a page's pixels 70 MB.
    assert peaks[1] - peaks[0] < 4e6
