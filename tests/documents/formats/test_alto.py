from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.documents.collection.xmltree import read_xml
from farthing.documents.formats import Annotations, read_annotations, write_annotations
from tests.documents.formats.pages_on_disk import labels, make_pages

ALTO = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#">
  <Description><MeasurementUnit>pixel</MeasurementUnit>
    <sourceImageInformation><fileName>x.jpg</fileName></sourceImageInformation></Description>
  <Tags><OtherTag ID="BT1" LABEL="GraphicZone"/><OtherTag ID="BT2" LABEL="MainZone"/><LayoutTag ID="L" LABEL=""/></Tags>
  <Layout><Page WIDTH="100" HEIGHT="200"><PrintSpace HPOS="0" VPOS="0" WIDTH="100" HEIGHT="200">
    <TextBlock ID="a" HPOS="10" VPOS="20" WIDTH="30" HEIGHT="40.5" TAGREFS="L BT1"/>
    <TextBlock ID="b" HPOS="10" VPOS="20" WIDTH="30" HEIGHT="40" TAGREFS="BT2"/>
    <TextBlock ID="c" HPOS="10" VPOS="20" WIDTH="30" HEIGHT="40"/>
    <ComposedBlock ID="d" HPOS="0" VPOS="0" WIDTH="50" HEIGHT="50" TYPE="Table">
      <Illustration ID="e" HPOS="1" VPOS="1" WIDTH="5" HEIGHT="5"/>
    </ComposedBlock>
    <Illustration ID="f"><Shape><Polygon POINTS="7 8 9 8 9,30"/></Shape></Illustration>
    <GraphicalElement ID="g"/>
  </PrintSpace></Page></Layout>
</alto>"""


def test_blocks_of_every_kind(tmp_path: Path) -> None:
    make_pages(tmp_path, {"x.jpg": (100, 200)})
    (tmp_path / "x.xml").write_text(ALTO)
    read = read_annotations(tmp_path)
    (page,) = read.pages
    assert (page.page, page.width, page.height, read.warnings) == ("x.jpg", 100, 200, ())
    assert page.labels == ("illustration", "table", "illustration", "illustration")
    np.testing.assert_array_equal(page.boxes, [[10, 20, 40, 60.5], [0, 0, 50, 50], [1, 1, 6, 6], [7, 8, 9, 30]])


def test_a_page_without_a_size_takes_that_of_its_print_space(tmp_path: Path) -> None:
    make_pages(tmp_path, {"x.jpg": (100, 200)})
    (tmp_path / "x.xml").write_text(ALTO.replace('<Page WIDTH="100" HEIGHT="200">', "<Page>"))
    assert read_annotations(tmp_path / "x.xml").pages[0].height == 200


def test_what_is_written_is_alto_4(tmp_path: Path) -> None:
    page = labels("a/x.jpg", (100, 200), ("drop_capital", (10.25, 20.5, 40, 60)))
    write_annotations(Annotations(pages=(page,), classes=("drop_capital",)), tmp_path, "alto")
    text = (tmp_path / "a" / "x.xml").read_text()
    assert 'xmlns="http://www.loc.gov/standards/alto/ns-v4#"' in text
    root = read_xml(tmp_path / "a" / "x.xml")
    assert [child.tag for child in root] == ["Description", "Tags", "Layout"]
    assert root.findtext("Description/MeasurementUnit") == "pixel"
    assert root.findtext("Description/sourceImageInformation/fileName") == "x.jpg"
    (tag,), (block,) = root.findall("Tags/OtherTag"), root.findall("Layout/Page/PrintSpace/*")
    assert (tag.get("LABEL"), tag.get("ID")) == ("DropCapitalZone", block.get("TAGREFS"))
    assert [block.get(key) for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["10.25", "20.50", "29.75", "39.50"]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('WIDTH="100" HEIGHT="200"', 'HEIGHT="200"', "WIDTH must be the size of the page"),
        ('HPOS="10"', 'HPOS="ten"', "a place must be told in numbers"),
        ("7 8 9 8", "7 8 9", "an outline must be pairs of numbers"),
    ],
)
def test_what_is_damaged(tmp_path: Path, before: str, after: str, reason: str) -> None:
    (tmp_path / "x.xml").write_text(ALTO.replace(before, after))
    with pytest.raises(DataError, match=rf"x.xml: {reason}"):
        read_annotations(tmp_path / "x.xml")
