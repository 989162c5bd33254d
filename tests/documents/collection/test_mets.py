from __future__ import annotations

import pytest

from farthing.base.errors import DataError
from farthing.documents.collection.mets import parse_mets
from farthing.documents.collection.xmltree import parse_xml


def mets(groups: dict[str, dict[str, str]], pages: list[list[str]] | None, mime_type: str = "image/tiff") -> bytes:
    """A METS file with groups of files (USE -> id -> href), and pages that point to file ids."""
    files = "".join(
        f'<fileGrp USE="{use}">'
        + "".join(
            f'<file ID="{key}" MIMETYPE="{mime_type}"><FLocat xlink:href="{href}"/></file>'
            for key, href in group.items()
        )
        + "</fileGrp>"
        for use, group in groups.items()
    )
    divisions = "".join(
        '<div TYPE="page">' + "".join(f'<fptr FILEID="{key}"/>' for key in page) + "</div>" for page in pages or []
    )
    structure = f'<structMap TYPE="PHYSICAL"><div TYPE="physSequence">{divisions}</div></structMap>'
    return (
        '<mets xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"<fileSec>{files}</fileSec>{structure if pages is not None else ''}</mets>"
    ).encode()


def images(content: bytes) -> list[str | None]:
    return [canvas.image for canvas in parse_mets(parse_xml(content, name="x"), name="x")]


GROUPS = {"THUMBS": {"t1": "t/1", "t2": "t/2"}, "OTHER": {"o1": "o/1"}, "MAX": {"m1": "m/1", "m2": "m/2", "m3": "m/3"}}


def test_pages_follow_the_physical_structure_and_take_the_best_group() -> None:
    assert images(mets(GROUPS, [["t2", "m2"], ["m1", "t1", "absent"], ["t1", "o1"], ["t1"], [], ["absent"]])) == [
        "m/2", "m/1", "o/1", "t/1", None, None,
    ]  # fmt: skip


def test_without_a_structure_the_best_group_counts() -> None:
    assert images(mets(GROUPS, None)) == ["m/1", "m/2", "m/3"]
    assert images(mets({"A": {"a1": "a/1"}}, [])) == ["a/1"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<alto/>", r"x: is not a METS file; its root is <alto>"),
        (mets({}, []), "names no image files"),
        (mets({"MAX": {"a": "a.xml"}}, [["a"]], mime_type="text/xml"), "names no image files"),
    ],
)
def test_files_without_pages(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        images(content)
