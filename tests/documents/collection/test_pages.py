from __future__ import annotations

import json
import os
from collections.abc import Iterator
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest

from farthing.base.errors import DataError
from farthing.documents.collection.iiif import IiifSource
from farthing.documents.collection.pages import canvases, open_collection
from farthing.documents.collection.sources import PageSource
from tests.documents.collection.test_iiif import version_2, version_3
from tests.documents.collection.test_mets import mets
from tests.documents.webserver import Answer, WebServer, web_server
from tests.vision.hostile import drawing, encoded, locked_pdf, pdf, png_bomb

JPEG = encoded(drawing(), "JPEG")


def names(location: Path | str) -> list[str]:
    return [source.id for source in open_collection(location).sources()]


def reason(source: PageSource) -> str:
    with pytest.raises(DataError) as caught:
        source.load(50)
    return str(caught.value)


def write(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every kind of file."""
    for name in (
        "page10.jpg",
        "page2.JPG",
        "b/x.png",
        "b/.hidden.png",
        "a/y.jpg",
        "a/notes.txt",
        "a/y.xml",
        ".git/z.jpg",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
    (tmp_path / "a" / "book.pdf").write_bytes(pdf([(50, 80), (50, 90)]))
    (tmp_path / "b" / "many.tif").write_bytes(encoded(drawing(), "TIFF", save_all=True, append_images=[drawing()] * 2))
    (tmp_path / "b" / "one.tiff").write_bytes(encoded(drawing(), "TIFF"))
    (tmp_path / "annotations.json").write_text('{"images": []}')
    return tmp_path


PAGES = {
    "a/book.pdf#0001": "a/book.pdf",
    "a/book.pdf#0002": "a/book.pdf",
    "a/y.jpg": "a",
    "b/many.tif#0001": "b/many.tif",
    "b/many.tif#0002": "b/many.tif",
    "b/many.tif#0003": "b/many.tif",
    "b/one.tiff": "b",
    "b/x.png": "b",
    "page2.JPG": ".",
    "page10.jpg": ".",
}


def test_a_folder_is_read_in_natural_order(folder: Path) -> None:
    collection = open_collection(folder)
    assert {source.id: source.document for source in collection.sources()} == PAGES
    assert names(str(folder)) == list(PAGES)
    for source in collection.sources():
        page = source.load(20)
        assert (page.id, page.document) == (source.id, source.document)
        assert collection.source(source.id) == source


def test_sources_can_go_to_another_process(folder: Path) -> None:
    for source in open_collection(folder).sources():
        assert ForkingPickler.loads(ForkingPickler.dumps(source)) == source


@pytest.mark.parametrize(
    "id", ["c.jpg", "a/book.pdf", "a/book.pdf#0003", "a/notes.txt", "a", "b/many.tif", "page2.JPG#0001"]
)
def test_a_page_that_is_not_there(folder: Path, id: str) -> None:
    with pytest.raises(DataError, match=r"is not in"):
        open_collection(folder).source(id)


@pytest.mark.parametrize("id", ["../x.jpg", "/etc/passwd", "a/../../x.jpg", "out/y.jpg", "", "x\0.jpg"])
def test_a_page_outside_is_never_opened(folder: Path, id: str) -> None:
    outside = folder / "a"
    (folder / "b" / "out").symlink_to(outside)
    with pytest.raises(DataError, match=r"must be a relative path|leads out|is not in"):
        open_collection(folder / "b").source(id)


def test_one_bad_file_of_many_does_not_stop_the_others(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "1broken.jpg": JPEG[:200],
            "2empty.png": b"",
            "3bomb.png": png_bomb(8000),
            "4text.jpg": b"just text",
            "5locked.pdf": locked_pdf(),
            "6image.pdf": JPEG,
            "7really-a-pdf.tif": pdf([(50, 80)]),
            "8really-a-jpeg.png": JPEG,
            "9manifest.json": b'{"@context": "http://iiif.io/api/presentation/2/context.json", "@type": "sc:Manifest"}',
        },
    )
    (tmp_path / os.fsdecode(b"latin\xe9.jpg")).write_bytes(JPEG)
    sources = {source.id: source for source in open_collection(tmp_path).sources()}
    expected = {
        "1broken.jpg": "the JPEG data is damaged or cut off",
        "2empty.png": "the file is empty",
        "3bomb.png": "8000 x 8000 pixels are more than the 50 megapixels",
        "4text.jpg": "is not an image that can be read",
        "5locked.pdf": "needs a password",
        "6image.pdf": "is no PDF",
        "9manifest.json": "the manifest has no pages",
        "latin\\xe9.jpg": "its name is not UTF-8",
    }
    for name, text in expected.items():
        assert text in reason(sources.pop(name))
    assert {source.load(50).id for source in sources.values()} == {"7really-a-pdf.tif#0001", "8really-a-jpeg.png"}


def test_a_file_is_a_collection(folder: Path) -> None:
    assert names(folder / "a" / "book.pdf") == ["book.pdf#0001", "book.pdf#0002"]
    assert names(folder / "b" / "many.tif") == [f"many.tif#000{number}" for number in (1, 2, 3)]
    assert names(folder / "b" / "x.png") == ["x.png"]
    collection = open_collection(folder / "a" / "book.pdf")
    assert collection.source("book.pdf#0002").load(10).document == "book.pdf"
    with pytest.raises(DataError, match=r"page 'book.pdf#0003': is not in .*book.pdf"):
        collection.source("book.pdf#0003")


def test_a_file_that_cannot_be_opened_is_an_error_at_once(tmp_path: Path) -> None:
    write(tmp_path, **{"locked.pdf": locked_pdf(), "notes.txt": b"text", "annotations.json": b'{"images": []}'})
    for name, text in {
        "locked.pdf": "needs a password",
        "notes.txt": "holds no pages; give an image",
        "annotations.json": "holds no pages",
        "absent": "no such folder or file",
    }.items():
        with pytest.raises(DataError, match=text):
            open_collection(tmp_path / name)


def test_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    write(tmp_path / "real", **{"x.jpg": JPEG})
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "root" / "file.jpg").symlink_to(tmp_path / "real" / "x.jpg")
    (tmp_path / "root" / "up").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "broken.jpg").symlink_to(tmp_path / "absent.jpg")
    os.mkfifo(tmp_path / "root" / "pipe.jpg")
    sources = {source.id: source for source in open_collection(tmp_path / "root").sources()}
    assert list(sources) == ["broken.jpg", "file.jpg", "folder/x.jpg", "pipe.jpg"]
    assert sources["folder/x.jpg"].load(20).width == sources["file.jpg"].load(20).width == 64
    assert "is not a file" in reason(sources["broken.jpg"])
    assert "is not a file" in reason(sources["pipe.jpg"])


def test_a_folder_that_may_not_be_read_is_a_page_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    write(tmp_path, **{"x.jpg": JPEG})
    entries = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        if self.name == "locked":
            raise PermissionError(13, "Permission denied")
        return entries(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    locked, image = open_collection(tmp_path).sources()
    assert (locked.id, image.id) == ("locked", "x.jpg")
    assert "cannot be listed (Permission denied)" in reason(locked)


def manifest(*images: object, version: int = 3) -> bytes:
    content = json.loads((version_2 if version == 2 else version_3)(*images))
    context = f"http://iiif.io/api/presentation/{version}/context.json"
    return json.dumps({"@context": context, **content}).encode()


def test_a_local_manifest(tmp_path: Path) -> None:
    write(tmp_path, **{"p 1.jpg": JPEG, "secret.jpg": JPEG})
    (tmp_path / "m").mkdir()
    write(tmp_path / "m", **{"p 1.jpg": JPEG})
    bodies = ({"id": name} for name in ("p%201.jpg", "absent.jpg", "../secret.jpg", "file:///etc/passwd", "p 1.jpg"))
    write(tmp_path / "m", **{"manifest.json": manifest(*bodies, None, {"id": "http://127.0.0.1:1/7.jpg"})})
    collection = open_collection(tmp_path / "m" / "manifest.json")
    pages = list(collection.sources())
    assert [page.id for page in pages] == ["p 1.jpg", *(f"manifest.json#000{number}" for number in range(2, 8))]
    assert {page.document for page in pages} == {"manifest.json"}
    assert pages[0].load(50).width == pages[4].load(50).width == 64
    for page, text in zip(pages[1:4], ("absent.jpg is missing", "must be a relative path", "is missing"), strict=True):
        assert text in reason(page)
    assert "names no image that can be fetched" in reason(pages[5])
    assert isinstance(pages[6], IiifSource)
    assert canvases(collection) == {"manifest.json#0007": pages[6].canvas}
    # The folder shows its images once, under their own names, and of the manifest what is elsewhere.
    assert names(tmp_path / "m") == [*(f"manifest.json#000{number}" for number in (2, 3, 4, 6, 7)), "p 1.jpg"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with web_server() as running:
        running.answers["/i/1.jpg"] = Answer(JPEG)
        yield running


@pytest.mark.parametrize("version", [2, 3])
def test_a_manifest_on_the_web(server: WebServer, version: int) -> None:
    bodies = [{"id": "../i/1.jpg"}, None, {"id": "file:///etc/passwd"}, {"id": f"{server.address}/i/1.jpg"}]
    server.answers["/m/book%201"] = Answer(manifest(*bodies, version=version))
    url = f"{server.address}/m/book%201"
    collection = open_collection(url)
    pages = list(collection.sources())
    assert [page.id for page in pages] == [f"book 1#000{number}" for number in (1, 2, 3, 4)]
    assert {page.document for page in pages} == {url}
    assert pages[0].load(500).pixels.shape == pages[3].load(500).pixels.shape == (96, 64, 3)
    for page in pages[1:3]:
        assert "names no image that can be fetched" in reason(page)
    assert collection.source("book 1#0004") == pages[3]
    with pytest.raises(DataError, match=r"HTTP 404"):
        open_collection(f"{server.address}/absent")


def test_mets(tmp_path: Path, server: WebServer) -> None:
    write(tmp_path, **{"1.jpg": JPEG})
    files = {"MAX": {"a": "1.jpg", "b": "absent.jpg", "c": f"{server.address}/i/1.jpg"}}
    write(tmp_path, **{"mets.xml": mets(files, [["a"], ["b"], ["c"], []])})
    pages = list(open_collection(tmp_path / "mets.xml").sources())
    assert [page.id for page in pages] == ["1.jpg", "mets.xml#0002", "mets.xml#0003", "mets.xml#0004"]
    assert pages[0].load(50).width == 64
    assert pages[2].load(50).width == 64
    assert "absent.jpg is missing" in reason(pages[1])
    assert "names no image" in reason(pages[3])
    assert names(tmp_path) == ["1.jpg"]
    server.answers["/mets.xml"] = Answer((tmp_path / "mets.xml").read_bytes().replace(b"1.jpg", b"i/1.jpg", 1))
    remote = list(open_collection(f"{server.address}/mets.xml").sources())
    assert remote[0].load(50).width == 64
