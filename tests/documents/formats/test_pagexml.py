from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.documents.collection.xmltree import read_xml
from farthing.documents.formats import Annotations, read_annotations, write_annotations
from tests.documents.formats.pages_on_disk import labels, make_pages

PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15">
  <Metadata><Creator>eScriptorium</Creator></Metadata>
  <Page imageFilename="x.jpg" imageWidth="100" imageHeight="200">
    <TextRegion id="a" custom="readingOrder {index:0;} structure {type:GraphicZone:ornamentation;}">
      <Coords points="10,20 40,20 40,60 10,60"/>
      <TextRegion id="b" type="drop-capital"><Coords points="1,2 5,2 5,9"/></TextRegion>
    </TextRegion>
    <ImageRegion id="c" custom="structure {type:other;}"><Coords points="0,0 50,50"/></ImageRegion>
    <GraphicRegion id="d" type="stamp"><Coords><Point x="3" y="4"/><Point x="8" y="9"/></Coords></GraphicRegion>
    <TextRegion id="e" type="paragraph"><Coords points="10,20 40,60"/></TextRegion>
    <SeparatorRegion id="f"><Coords points="10,20 40,60"/></SeparatorRegion>
    <TableRegion id="g"/>
  </Page>
</PcGts>"""


def test_regions_of_every_kind(tmp_path: Path) -> None:
    make_pages(tmp_path, {"x.jpg": (100, 200)})
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "x.xml").write_text(PAGE)
    read = read_annotations(tmp_path)
    (page,) = read.pages
    assert (page.page, page.width, page.height, read.warnings) == ("x.jpg", 100, 200, ())
    assert page.labels == ("decoration", "drop_capital", "illustration", "stamp")
    np.testing.assert_array_equal(page.boxes, [[10, 20, 40, 60], [1, 2, 5, 9], [0, 0, 50, 50], [3, 4, 8, 9]])


def test_what_is_written_is_page(tmp_path: Path) -> None:
    page = labels("a/x.jpg", (100, 200), ("stamp", (10.4, 20.5, 40, 60)), ("seal", (0, 0, 1, 1)), ("owl", (0, 0, 9, 9)))
    write_annotations(Annotations(pages=(page,), classes=("stamp", "seal", "owl")), tmp_path, "page")
    root = read_xml(tmp_path / "a" / "x.xml")
    assert root.tag == "PcGts"
    assert [child.tag for child in root] == ["Metadata", "Page"]
    assert [child.tag for child in root[0]] == ["Creator", "Created", "LastChange"]
    assert root[1].attrib == {"imageFilename": "x.jpg", "imageWidth": "100", "imageHeight": "200"}
    stamp, seal, owl = root[1]
    assert (stamp.tag, stamp.get("type"), stamp.get("custom")) == (
        "GraphicRegion",
        "stamp",
        "structure {type:StampZone;}",
    )
    assert stamp[0].attrib == {"points": "10,21 40,21 40,60 10,60"}
    assert (seal.tag, seal.get("type")) == ("CustomRegion", "seal")
    assert (owl.tag, owl.get("custom")) == ("CustomRegion", "structure {type:CustomZone:owl;}")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('imageWidth="100"', "", "imageWidth must be the size of the page in pixels, got None"),
        ('imageHeight="200"', 'imageHeight="-2"', "imageHeight must be .* got '-2'"),
        ('imageHeight="200"', 'imageHeight="1e999"', "imageHeight must be"),
        ("10,20 40,20", "10,20 40", "an outline must be pairs of numbers"),
        ("10,20 40,20", "10,20 a,b", "an outline must be pairs of numbers"),
        ('x="3"', 'x="left"', "an outline must be pairs of numbers"),
    ],
)
def test_what_is_damaged(tmp_path: Path, before: str, after: str, reason: str) -> None:
    (tmp_path / "x.xml").write_text(PAGE.replace(before, after, 1))
    with pytest.raises(DataError, match=rf"x.xml: .*{reason}"):
        read_annotations(tmp_path / "x.xml")


def test_a_damaged_file_of_many_is_counted(tmp_path: Path) -> None:
    make_pages(tmp_path, {"x.jpg": (100, 200)})
    (tmp_path / "1.xml").write_text(PAGE[:300])
    (tmp_path / "2.xml").write_text(PAGE)
    read = read_annotations(tmp_path)
    assert len(read.pages) == 1
    assert "1 XML files are left out: neither PAGE nor ALTO, or damaged" in read.warnings[0]


def test_the_name_of_the_file_stands_in_for_that_of_the_image(tmp_path: Path) -> None:
    make_pages(tmp_path, {"images/x.png": (100, 200), "y.tif": (100, 200)})
    for name in ("x", "y"):
        (tmp_path / f"{name}.xml").write_text(PAGE.replace("x.jpg", ""))
    assert [page.page for page in read_annotations(tmp_path).pages] == ["images/x.png", "y.tif"]
