from __future__ import annotations

import pytest

from farthing.documents.classes import CLASSES
from farthing.documents.formats.names import class_name, segmonto_name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ImageRegion", "illustration"),
        ("LineDrawingRegion", "illustration"),
        ("GraphicRegion", "illustration"),
        ("GraphicRegion:stamp", "stamp"),
        ("GraphicRegion:decoration", "decoration"),
        ("GraphicRegion:frame", "decoration"),
        ("GraphicRegion:punch-hole", "illustration"),
        ("TextRegion:drop-capital", "drop_capital"),
        ("TextRegion:paragraph", None),
        ("TextRegion:signature-mark", None),
        ("MusicRegion", "music"),
        ("GraphicZone", "illustration"),
        ("GraphicZone#2", "illustration"),
        ("GraphicZone:ornamentation#1", "decoration"),
        ("GraphicZone:figure", "illustration"),
        ("DropCapitalZone", "drop_capital"),
        ("MarginTextZone:note", None),
        ("MainZone", None),
        ("CustomZone:fore-edge", "fore-edge"),
        ("CustomZone:map", "map"),
        ("CustomZone", None),
        ("drop capital", "drop_capital"),
        ("Drop-Cap", "drop_capital"),
        ("Picture", "illustration"),
        ("Table", "table"),
        ("Page-footer", None),
        ("water mark", "water mark"),
    ],
)
def test_names_of_others(written: str, name: str | None) -> None:
    assert class_name(written) == name


@pytest.mark.parametrize("name", CLASSES)
def test_our_names_come_back(name: str) -> None:
    assert class_name(name) == class_name(segmonto_name(name)) == class_name(name.upper()) == name


def test_wanted_names_stay() -> None:
    assert class_name("Text", wanted=["Text"]) == "Text"
    assert class_name("Figure", wanted=["Figure"]) == "Figure"
    assert class_name("CustomZone:Text", wanted=["Text"]) == "Text"
