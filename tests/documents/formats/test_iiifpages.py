from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from farthing.documents.collection.iiif import Canvas
from farthing.documents.formats import Annotations, write_annotations
from tests.documents.formats.pages_on_disk import labelled_pages, labels


def places(path: Path) -> list[tuple[str, str, list[int]]]:
    """(canvas, class, (x, y, width, height)) of each annotation of a page."""
    page = json.loads(path.read_text())
    assert (page["@context"], page["type"]) == ("http://iiif.io/api/presentation/3/context.json", "AnnotationPage")
    found = []
    for item in page["items"]:
        match = re.fullmatch(r"(.*)#xywh=(\d+),(\d+),(\d+),(\d+)", item["target"])
        assert match is not None
        assert (item["type"], item["motivation"]) == ("Annotation", "tagging")
        found.append((match[1], item["body"]["value"], [int(number) for number in match.groups()[1:]]))
    return found


@given(written=labelled_pages())
def test_places_are_within_half_a_unit(tmp_path_factory: pytest.TempPathFactory, written: Annotations) -> None:
    out = tmp_path_factory.mktemp("out")
    write_annotations(written, out, "iiif")
    for page in written.pages:
        found = places(out / Path(page.page).with_suffix(".json"))
        assert tuple(name for _, name, _ in found) == page.labels
        boxes = np.array([place for _, _, place in found]).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        assert np.abs(boxes - page.boxes).max(initial=0) <= 0.5


def test_canvases_are_referred_to_in_their_units(tmp_path: Path) -> None:
    page = labels("m#0001", (100, 200), ("stamp", (10, 20, 40, 60)))
    canvas = Canvas(id="http://x/c/1", size=(300, 600), image_size=(100, 200), image=None)
    written = Annotations(pages=(page, labels("other page.jpg", (9, 9), ("seal", (0, 0, 9, 9)))), classes=())
    write_annotations(written, tmp_path, "iiif", canvases={"m#0001": canvas})
    assert places(tmp_path / "m#0001.json") == [("http://x/c/1", "stamp", [30, 60, 90, 120])]
    assert places(tmp_path / "other page.json") == [("other%20page.jpg", "seal", [0, 0, 9, 9])]


def test_ids_are_the_same_each_time_and_all_different(tmp_path: Path) -> None:
    pages = tuple(labels(name, (9, 9), *[("seal", (0.0, 0.0, 9.0, 9.0))] * 2) for name in ("a.jpg", "b.jpg"))
    texts = []
    for out in ("1", "2"):
        write_annotations(Annotations(pages=pages, classes=("seal",)), tmp_path / out, "iiif")
        texts.append([(tmp_path / out / name).read_text() for name in ("a.json", "b.json")])
    assert texts[0] == texts[1]
    ids = re.findall(r'"id": "(.*)"', "".join(texts[0]))
    assert len(set(ids)) == len(ids) == 6
