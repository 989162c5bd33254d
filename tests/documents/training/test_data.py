from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from farthing.base.errors import DataError
from farthing.documents.detections import PageLabels
from farthing.documents.training.cache import LabelledPage, PageCache
from farthing.documents.training.data import TrainBatches, fingerprint, read_pages, scaled_boxes, split_pages
from tests.documents.plainpages import NAMES, write_pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("pages") / "data", 12)


@pytest.fixture
def cache(folder: Path, tmp_path: Path) -> PageCache:
    return PageCache.build(read_pages([folder], NAMES), tmp_path, long_side=64)


def batches(cache: PageCache, **changes: int) -> TrainBatches:
    sizes = {"batch_size": 4, "num_batches": 3, "long_side": 64, "seed": 0} | changes
    return TrainBatches(cache=cache, indices=range(len(cache)), classes=NAMES, **sizes)


def test_pages_are_kept_grey_and_small(cache: PageCache, folder: Path) -> None:
    assert cache.shapes == ((64, 48),) * 12
    with Image.open(folder / "images" / "0003.png") as image:
        small = np.asarray(image.resize((48, 64), Image.Resampling.BOX), dtype=float)
    assert np.abs(cache.pixels(3).astype(float) - small).mean() < 1


def test_boxes_shrink_with_their_page(cache: PageCache) -> None:
    page = next(page for page in cache.pages if page.labels.labels)
    np.testing.assert_allclose(scaled_boxes(page, (64, 48)), page.labels.boxes / 2)


def test_unreadable_pages_are_left_out_and_named(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages = read_pages([folder], NAMES)
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff nothing more")
    torn = LabelledPage(tmp_path / "torn.jpg", pages[0].labels, pages[0].known)
    with caplog.at_level(logging.WARNING):
        assert len(PageCache.build([torn, pages[1]], tmp_path, long_side=64)) == 1
    assert "torn.jpg" in caplog.text
    with pytest.raises(DataError, match="no page can be read"):
        PageCache.build([torn], tmp_path, long_side=64)


def sums(source: TrainBatches, epoch: int) -> list[int]:
    """The sum of all pixels of each page of an epoch, which tells pages apart."""
    return [int(page.long().sum()) for batch in source.epoch(epoch, 0) for page in batch.pixels]


def test_every_page_comes_once_before_any_comes_again(cache: PageCache) -> None:
    everything = sorted(int(cache.pixels(index).sum()) for index in range(12))
    first, second = (sums(batches(cache), epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == everything
    assert first != second


def test_a_stream_goes_on_where_an_epoch_ends_within_a_pass(cache: PageCache) -> None:
    source = batches(cache, num_batches=2)
    seen = [*sums(source, 0), *sums(source, 1), *sums(source, 2)]
    assert sorted(seen) == sorted(2 * [int(cache.pixels(index).sum()) for index in range(12)])


def test_an_epoch_can_be_entered_in_the_middle(cache: PageCache) -> None:
    whole, rest = list(batches(cache).epoch(1, 0)), list(batches(cache).epoch(1, 2))
    assert len(rest) == 1
    assert torch.equal(whole[2].pixels, rest[0].pixels)
    assert torch.equal(whole[2].objects.boxes, rest[0].objects.boxes)
    assert whole[2].seed == rest[0].seed


def test_a_batch_holds_the_objects_of_its_pages(cache: PageCache) -> None:
    counts = {int(cache.pixels(index).sum()): cache.pages[index].labels for index in range(12)}
    for batch in batches(cache).epoch(0, 0):
        assert batch.num_rows == 4
        assert batch.objects.is_known.all()
        for row in range(4):
            labels = counts[int(batch.pixels[row].long().sum())]
            real = batch.objects.is_real[row]
            assert [NAMES[label] for label in batch.objects.labels[row][real].tolist()] == list(labels.labels)
            np.testing.assert_allclose(batch.objects.boxes[row][real].numpy(), labels.boxes / 2)


def test_pages_of_one_format_share_a_canvas(tmp_path: Path) -> None:
    pages = []
    for number in range(16):
        size = (60, 90) if number % 2 else (90, 60)
        Image.new("L", size, 200).save(tmp_path / f"{number}.png")
        labels = PageLabels(page="", width=size[0], height=size[1], boxes=np.zeros((0, 4), np.float32), labels=())
        pages.append(LabelledPage(tmp_path / f"{number}.png", labels, frozenset(NAMES)))
    cache = PageCache.build(pages, tmp_path, long_side=64)
    for batch in batches(cache, num_batches=4).epoch(0, 0):
        is_upright = batch.sizes[:, 0] > batch.sizes[:, 1]
        assert is_upright.all() or not is_upright.any()
        assert batch.canvas == (64, 64)


def test_a_class_that_one_data_set_does_not_know_is_marked(folder: Path, tmp_path: Path) -> None:
    other = write_pages(tmp_path / "other", 4, seed=1)
    coco = json.loads((other / "annotations.json").read_text())
    coco["categories"] = coco["categories"][:1]
    coco["annotations"] = [entry for entry in coco["annotations"] if entry["category_id"] == 0]
    (other / "annotations.json").write_text(json.dumps(coco))
    pages = read_pages([folder, other], NAMES)
    assert [page.known for page in (pages[0], pages[-1])] == [frozenset(NAMES), frozenset(NAMES[:1])]
    cache = PageCache.build(pages, tmp_path / "cache", long_side=64)
    known = torch.cat([batch.objects.is_known for batch in batches(cache, num_batches=4).epoch(0, 0)])
    assert known.sum(0).tolist() == [16, 12]


def test_data_without_any_object_of_the_classes_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="no page shows any of seal"):
        read_pages([folder], ("seal",))


def test_the_held_out_pages_are_drawn_by_seed() -> None:
    train, held_out = split_pages(50, share=0.1, at_most=500, seed=0)
    assert (len(train), len(held_out)) == (45, 5)
    assert sorted(train + held_out) == list(range(50))
    assert (
        split_pages(50, share=0.1, at_most=500, seed=0)[1]
        == held_out
        != split_pages(50, share=0.1, at_most=500, seed=1)[1]
    )
    assert len(split_pages(50, share=0.5, at_most=3, seed=0)[1]) == 3
    with pytest.raises(DataError, match="at least 2 pages"):
        split_pages(1, share=0.1, at_most=1, seed=0)


def test_the_fingerprint_sees_every_label(folder: Path) -> None:
    pages = read_pages([folder], NAMES)
    assert fingerprint(pages) == fingerprint(read_pages([folder], NAMES))
    place = next(index for index, page in enumerate(pages) if page.labels.labels)
    labels = pages[place].labels
    moved = PageLabels(
        page=labels.page, width=labels.width, height=labels.height, boxes=labels.boxes + 1, labels=labels.labels
    )
    changed = [*pages[:place], LabelledPage(pages[place].path, moved, pages[place].known), *pages[place + 1 :]]
    assert fingerprint(changed) != fingerprint(pages)
