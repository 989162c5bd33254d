from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farthing.base.errors import DataError
from farthing.documents.adaptation.unlabelled import names_digest, read_collection


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(np.full((60, 40), 30 * number, np.uint8)).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n, and then nothing")
    return folder


def test_every_page_is_decoded_once_and_nothing_is_known_of_it(scans: Path, tmp_path: Path) -> None:
    cache = read_collection(scans, tmp_path / "work", long_side=30, max_pages=10, seed=0)
    assert [page.labels.page for page in cache.pages] == [f"{number}.png" for number in range(6)]
    assert cache.shapes == ((30, 20),) * 6
    assert [int(cache.pixels(index).mean()) for index in range(6)] == [0, 30, 60, 90, 120, 150]
    page = cache.pages[0]
    assert (page.labels.width, page.labels.height, page.labels.labels, page.known) == (40, 60, (), frozenset())


def test_a_draw_keeps_the_order_and_depends_on_the_seed(scans: Path, tmp_path: Path) -> None:
    (scans / "broken.png").unlink()
    draws = {
        seed: [
            page.labels.page
            for page in read_collection(scans, tmp_path / str(seed), long_side=30, max_pages=3, seed=seed).pages
        ]
        for seed in range(8)
    }
    assert all(len(pages) == 3 and pages == sorted(pages) for pages in draws.values())
    assert len(set(map(tuple, draws.values()))) > 1


def test_too_few_readable_pages(scans: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 7 pages must be readable, got 6 of 7"):
        read_collection(scans, tmp_path / "work", long_side=30, max_pages=10, seed=0, least=7)


def test_the_digest_tells_collections_apart(scans: Path, tmp_path: Path) -> None:
    first = read_collection(scans, tmp_path / "a", long_side=30, max_pages=10, seed=0)
    again = read_collection(scans, tmp_path / "b", long_side=20, max_pages=10, seed=1)
    (scans / "0.png").unlink()
    other = read_collection(scans, tmp_path / "c", long_side=30, max_pages=10, seed=0)
    assert names_digest(first) == names_digest(again) != names_digest(other)
