from __future__ import annotations

from pathlib import Path

import pytest

from farthing.base.errors import DataError
from farthing.documents.collection import xmltree
from farthing.documents.collection.xmltree import parse_xml, read_xml

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>"""
FILE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>"""


def test_namespaces_are_left_out() -> None:
    content = b"""<m:a xmlns:m="u" xmlns:x="http://www.w3.org/1999/xlink" x:href="h" b="c">t<m:d/></m:a>"""
    root = parse_xml(content, name="x")
    assert (root.tag, root.attrib, root.text, [child.tag for child in root]) == (
        "a",
        {"href": "h", "b": "c"},
        "t",
        ["d"],
    )


@pytest.mark.parametrize("content", [LAUGHS, FILE, b"<!DOCTYPE x SYSTEM 'http://127.0.0.1/x.dtd'><x/>"])
def test_entities_and_document_types_are_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=r"x.xml: declares a document type, which is not read; remove its <!DOCTYPE"):
        parse_xml(content, name="x.xml")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not well-formed"),
        (b"<a>", "not well-formed"),
        (b"<a>&undefined;</a>", "not well-formed"),
        (b"<?xml version='1.0' encoding='no-such'?><a/>", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b"<a>" * 501 + b"</a>" * 501, "nest deeper than 500 levels"),
    ],
)
def test_what_cannot_be_read(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=f"x.xml: .*{reason}"):
        parse_xml(content, name="x.xml")


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.xml"
    path.write_text("<a><b/></a>")
    assert read_xml(path).find("b") is not None
    with pytest.raises(DataError, match=r"absent: cannot be read"):
        read_xml(tmp_path / "absent")
    monkeypatch.setattr(xmltree, "MAX_BYTES", 5)
    with pytest.raises(DataError, match="MiB"):
        read_xml(path)
