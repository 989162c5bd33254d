from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from farthing.base.errors import ConfigError, DataError
from farthing.documents.collection.pages import open_collection
from farthing.documents.formats import WRITERS, Annotations, read_annotations, write_annotations
from tests.documents.formats.pages_on_disk import labelled_pages, labels, make_pages
from tests.vision.hostile import pdf

READABLE = sorted(set(WRITERS) - {"iiif"})
BOX = (10.0, 20.0, 40.0, 60.0)


@pytest.mark.parametrize("format", READABLE)
@given(written=labelled_pages())
def test_round_trips_stay_within_half_a_pixel(
    tmp_path_factory: pytest.TempPathFactory, format: str, written: Annotations
) -> None:
    folder = tmp_path_factory.mktemp("pages")
    make_pages(folder, {page.page: (page.width, page.height) for page in written.pages})
    write_annotations(written, folder / "out", format)
    read = read_annotations(folder / "out", images=folder)
    assert read.warnings == ()
    assert read.classes == written.classes
    before, after = ({page.page: page for page in pages} for pages in (written.pages, read.pages))
    assert before.keys() == after.keys()
    for name, page in before.items():
        assert (after[name].width, after[name].height, after[name].labels) == (page.width, page.height, page.labels)
        assert after[name].boxes.dtype == np.float32
        assert np.abs(after[name].boxes - page.boxes).max(initial=0) <= 0.5


@pytest.mark.parametrize("format", READABLE)
def test_pages_of_a_pdf(tmp_path: Path, format: str) -> None:
    (tmp_path / "book.pdf").write_bytes(pdf([(120, 240), (120, 240)]))
    written = Annotations(
        pages=tuple(labels(f"book.pdf#000{number}", (500, 1000), ("stamp", BOX)) for number in (1, 2)),
        classes=("stamp",),
    )
    write_annotations(written, tmp_path / "out", format)
    read = read_annotations(tmp_path / "out", images=tmp_path)
    assert [page.page for page in read.pages] == [source.id for source in open_collection(tmp_path).sources()]
    assert [page.labels for page in read.pages] == [("stamp",), ("stamp",)]
    np.testing.assert_allclose(read.pages[1].boxes, [BOX], atol=0.5)


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a/../../x.jpg"])
def test_a_page_name_never_leads_out_of_the_folder(tmp_path: Path, format: str, name: str) -> None:
    out = tmp_path / "deep" / "out"
    written = Annotations(pages=(labels(name, (90, 90), ("stamp", BOX)),), classes=("stamp",))
    try:
        write_annotations(written, out, format)
    except DataError:
        pass
    else:
        assert format in {"coco", "csv", "labelstudio"}  # one file under a name of its own
    assert all(path.is_relative_to(out) for path in tmp_path.rglob("*") if path.is_file())


def test_an_unknown_format() -> None:
    with pytest.raises(ConfigError, match=r"format must be one of coco, page, alto, .*, got 'pascal'"):
        write_annotations(Annotations(pages=(), classes=()), "out", "pascal")


def coco(folder: Path, images: list[dict[str, object]], boxes: list[tuple[object, object, list[float]]]) -> Path:
    """A COCO file with the categories 1: stamp, 2: Headpiece, 3: text."""
    categories = [{"id": key, "name": name} for key, name in ((1, "stamp"), (2, "Headpiece"), (3, "Text"))]
    found = [{"id": n, "image_id": i, "category_id": c, "bbox": b} for n, (i, c, b) in enumerate(boxes)]
    path = folder / "annotations.json"
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": found}))
    return path


def image(id: object, name: str) -> dict[str, object]:
    return {"id": id, "file_name": name, "width": 100, "height": 200}


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    make_pages(tmp_path, {"a.jpg": (100, 200), "b.jpg": (100, 200)})
    boxes: list[tuple[object, object, list[float]]] = [
        (1, 1, [10, 20, 30, 40]),
        (1, 1, [-5, 20, 30, 40]),  # over the edge
        (1, 1, [80, 180, 20.4, 20.4]),  # over it by a rounding error
        (1, 1, [200, 20, 30, 40]),  # outside
        (1, 1, [10, 20, 0, 40]),  # empty
        (1, 1, [10, 20, -5, 40]),  # inside out
        (1, 3, [10, 20, 30, 40]),  # text
        (1, 9, [10, 20, 30, 40]),  # no such category
        (8, 1, [10, 20, 30, 40]),  # no such image
        (2, 2, [10, 20, 30, 40]),
        (3, 1, [10, 20, 30, 40]),
        (4, 1, [10, 20, 30, 40]),
    ]
    images = [image(1, "a.jpg"), image(2, "b.jpg"), image(3, "absent.jpg"), image(4, "../out.jpg"), image(5, "a.jpg")]
    read = read_annotations(coco(tmp_path, images, boxes))
    assert read.classes == ("decoration", "stamp")
    first, second = read.pages
    np.testing.assert_allclose(first.boxes, [[10, 20, 40, 60], [0, 20, 25, 60], [80, 180, 100, 200]], atol=1e-4)
    assert (first.labels, second.labels) == (("stamp",) * 3, ("decoration",))
    assert set(read.warnings) == {
        "1 boxes are left out: no category has their category_id (first: a.jpg)",
        "1 boxes are left out: no image has their image_id (first: image_id 8)",
        "1 boxes reach over the edge of their page and are cut there (first: a.jpg)",
        "3 boxes are left out: empty, or outside their page (first: a.jpg)",
        "1 pages are left out: there is no such image (first: absent.jpg)",
        "1 pages are left out: their names lead out of the folder of the images (first: ../out.jpg)",
        "1 pages are described twice; the first counts (first: a.jpg)",
    }


def test_classes_that_are_not_wanted_are_counted(tmp_path: Path) -> None:
    make_pages(tmp_path, {"a.jpg": (100, 200)})
    path = coco(tmp_path, [image(1, "a.jpg")], [(1, 1, [1, 1, 9, 9]), (1, 2, [1, 1, 9, 9]), (1, 3, [1, 1, 9, 9])])
    read = read_annotations(path, classes=("music", "stamp"))
    assert (read.classes, read.pages[0].labels) == (("music", "stamp"), ("stamp",))
    assert read.warnings == ("1 boxes of class 'Headpiece' are left out: not one of music, stamp (first: a.jpg)",)
    read = read_annotations(path, classes=("Text", "Headpiece"))
    assert read.pages[0].labels == ("Headpiece", "Text")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("x.jpg", "images/x.jpg"),
        ("deep\\x.jpg", "images/x.jpg"),
        ("/home/somebody/x.jpg", "images/x.jpg"),
        ("page/y.jpg", "y.jpg"),
    ],
)
def test_names_are_found_where_images_usually_lie(tmp_path: Path, written: str, found: str) -> None:
    make_pages(tmp_path, {"images/x.jpg": (100, 200), "y.jpg": (100, 200)})
    read = read_annotations(coco(tmp_path, [image(1, written)], []))
    assert [page.page for page in read.pages] == [found]


def test_nothing_that_can_be_used(tmp_path: Path) -> None:
    path = coco(tmp_path, [image(1, "a.jpg"), image(2, "b.jpg")], [])
    with pytest.raises(
        DataError, match=r"no page can be used .*2 pages are left out: there is no such image \(first: a.jp"
    ):
        read_annotations(path)
    with pytest.raises(DataError, match="it describes no pages"):
        read_annotations(coco(tmp_path, [], []))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.json", b"", "is not a COCO file"),
        ("x.json", b"{", "is not a COCO file"),
        ("x.json", b'{"images": [{"id": 1}]}', r"is not a COCO file \(Object missing required field `file_name`"),
        ("x.json", b'{"images": [{"id": 1, "file_name": "a", "width": 0, "height": 9}]}', "is not a COCO file"),
        ("x.json", b"{" * 100_000, "is not a COCO file"),
        ("x.json", b'["task"]', "is not a Label Studio export"),
        ("x.xml", b"<TEI/>", "is neither PAGE nor ALTO; its root is <TEI>"),
        ("x.xml", b"<PcGts/>", "is a PAGE file without a Page"),
        ("x.xml", b"<alto/>", "is an ALTO file without a Page"),
        ("x.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><PcGts/>", "declares a document type"),
        ("x.csv", b"page,score\n", "the columns width, height, class, x0, y0, x1, y1 are missing"),
        ("x.csv", b"\xff\xfe\x00", "is not a CSV file in UTF-8"),
        ("data.yaml", b"nc: 3\n", "has no list of class names"),
        ("x.docx", b"PK", "annotations are .json"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason):
        read_annotations(tmp_path / name)


def test_folders_that_are_not_understood(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder of annotations"):
        read_annotations(tmp_path / "absent")
    with pytest.raises(DataError, match="holds no annotations that are recognised"):
        read_annotations(tmp_path)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(DataError, match="give the file itself"):
        read_annotations(tmp_path)


def test_a_folder_with_one_json_file(tmp_path: Path) -> None:
    make_pages(tmp_path, {"a.jpg": (100, 200)})
    coco(tmp_path, [image("one", "a.jpg")], [("one", 1, [1, 1, 9, 9])]).rename(tmp_path / "instances_train.json")
    assert read_annotations(tmp_path).pages[0].labels == ("stamp",)
