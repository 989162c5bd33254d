from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from PIL import Image

from farthing.base.errors import DataError
from farthing.documents.collection.fetch import FetchConfig
from farthing.documents.collection.iiif import Canvas, IiifSource, ImageService, image_urls, parse_manifest
from tests.documents.webserver import Answer, WebServer, web_server
from tests.vision.hostile import drawing, encoded

SERVICE_2 = {
    "@context": "http://iiif.io/api/image/2/context.json",
    "@id": "http://x/i/1/",
    "profile": "http://iiif.io/api/image/2/level1.json",
}
SERVICE_3 = {"id": "http://x/i/1", "type": "ImageService3", "profile": "level2"}


def version_2(*images: object) -> bytes:
    canvases = [
        {"@id": f"http://x/c/{number}", "width": 1000, "height": 2000, "images": [{"resource": image}] if image else []}
        for number, image in enumerate(images, start=1)
    ]
    return json.dumps({"@type": "sc:Manifest", "sequences": [{"canvases": canvases}, {"canvases": canvases}]}).encode()


def version_3(*bodies: object) -> bytes:
    items = [
        {
            "id": f"http://x/c/{number}",
            "type": "Canvas",
            "width": 1000,
            "height": 2000,
            "items": [{"type": "AnnotationPage", "items": [{"motivation": "painting", "body": body}] if body else []}],
        }
        for number, body in enumerate(bodies, start=1)
    ]
    return json.dumps({"type": "Manifest", "items": items}).encode()


def canvas(content: bytes) -> Canvas:
    return parse_manifest(content, name="x")[0]


def test_a_manifest_of_version_2() -> None:
    content = version_2({"@id": "http://x/1.jpg", "width": 500, "height": 1000, "service": SERVICE_2}, None)
    first, second = parse_manifest(content, name="x")
    service = ImageService(id="http://x/i/1", version=2)
    assert first == Canvas(
        id="http://x/c/1", size=(1000, 2000), image_size=(500, 1000), image="http://x/1.jpg", service=service
    )
    assert second == Canvas(id="http://x/c/2", size=(1000, 2000), image_size=(1000, 2000), image=None)
    choice = {"@type": "oa:Choice", "default": {"@id": "http://x/a.jpg"}, "item": [{"@id": "http://x/b.jpg"}]}
    assert canvas(version_2(choice)).image == "http://x/a.jpg"


def test_a_manifest_of_version_3() -> None:
    content = version_3({"id": "http://x/1.jpg", "width": 500, "height": 1000, "service": [SERVICE_3]}, None)
    first, second = parse_manifest(content, name="x")
    assert first.service == ImageService(id="http://x/i/1", version=3)
    assert (first.size, first.image_size, second.image) == ((1000, 2000), (500, 1000), None)
    choice = {"type": "Choice", "items": [{"id": "http://x/a.jpg"}, {"id": "http://x/b.jpg"}]}
    assert canvas(version_3(choice)).image == "http://x/a.jpg"


def urls(max_side: int | None, **service: object) -> list[str]:
    found = canvas(version_3({"id": "http://x/1.jpg", "service": [{**SERVICE_3, **service}]}))
    return [url.removeprefix("http://x/") for url in image_urls(found, max_side)]


def test_requests_ask_for_the_wanted_side() -> None:
    sizes = [{"width": width, "height": 2 * width} for width in (100, 500, 250)]
    assert urls(401) == ["i/1/full/201,/0/default.jpg", "1.jpg"]
    assert urls(2000) == urls(None) == ["i/1/full/max/0/default.jpg", "1.jpg"]
    assert urls(401, type="ImageService2") == ["i/1/full/201,/0/default.jpg", "1.jpg"]
    assert urls(None, type="ImageService2") == ["i/1/full/full/0/default.jpg", "1.jpg"]
    assert urls(401, sizes=sizes) == ["i/1/full/250,500/0/default.jpg", "1.jpg"]
    assert urls(401, sizes=sizes, type="ImageService2") == ["i/1/full/250,/0/default.jpg", "1.jpg"]
    assert urls(401, sizes=sizes, profile="level0") == ["i/1/full/250,500/0/default.jpg", "1.jpg"]
    assert urls(1001, sizes=sizes, profile="level0") == ["1.jpg"]
    assert urls(401, profile="level0") == ["1.jpg"]


def test_an_address_that_is_a_request_tells_its_service() -> None:
    found = canvas(version_2({"@id": "http://x/i/ark:/1/f2/full/full/0/native.jpg"}))
    assert image_urls(found, 500)[0] == "http://x/i/ark:/1/f2/full/250,/0/default.jpg"


@pytest.mark.parametrize("image", ["file:///etc/passwd", "ftp://x/y.jpg", "page.jpg", "javascript:1", ""])
def test_only_the_web_is_asked(image: str) -> None:
    assert image_urls(canvas(version_3({"id": image, "service": [{**SERVICE_3, "id": image}]})), 100) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "x: is not JSON"),
        (b"\xff", "x: is not JSON"),
        (b"[" * 100_000, "x: is not JSON"),
        (b"[]", "x: is not a IIIF manifest"),
        (b'{"images": []}', "x: is not a IIIF manifest"),
        (b'{"type": "Collection"}', "x: is a IIIF collection of manifests; open one of its manifests"),
        (b'{"@type": "sc:Collection"}', "open one of its manifests"),
        (b'{"type": "Manifest"}', "x: the manifest has no pages"),
        (b'{"@type": "sc:Manifest", "sequences": [1, null, "x"]}', "x: the manifest has no pages"),
    ],
)
def test_what_is_no_manifest(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        parse_manifest(content, name="x")


@pytest.mark.parametrize(
    "body", [1, "x", [], [None], {"id": 5}, {"id": ["x"], "service": 3}, {"items": 7, "service": ["x"]}]
)
def test_a_strange_canvas_is_a_missing_page(body: object) -> None:
    assert image_urls(canvas(version_3(body)), 10) == []
    assert image_urls(canvas(version_2(body)), 10) == []


@pytest.mark.parametrize(
    "size", [{"width": -1, "height": 5}, {"width": "a", "height": 5}, {"height": 5}, {"width": None, "height": []}]
)
def test_a_strange_size_is_none(size: dict[str, object]) -> None:
    content = json.dumps({"type": "Manifest", "items": [{"type": "Canvas", **size}]}).encode()
    assert canvas(content).size == (0, 0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with web_server() as running:
        yield running


def source(server: WebServer, *, size: tuple[int, int] = (1000, 1500)) -> IiifSource:
    found = Canvas(
        id="c",
        size=size,
        image_size=size,
        image=f"{server.address}/whole.jpg",
        service=ImageService(id=f"{server.address}/i", version=3),
    )
    return IiifSource(id="m#0001", document="m", canvas=found, fetching=FetchConfig(num_retries=0))


def test_a_page_comes_near_the_wanted_size(server: WebServer) -> None:
    def image(path: str) -> Answer:
        width = int(path.split("/")[3].rstrip(","))
        return Answer(encoded(drawing(width, width * 3 // 2), "JPEG"))

    server.otherwise = image
    page = source(server).load(150)
    assert server.asked == ["/i/full/100,/0/default.jpg"]
    assert (page.id, page.document, page.width, page.height, page.pixels.shape) == (
        "m#0001",
        "m",
        1000,
        1500,
        (150, 100, 3),
    )


def test_the_whole_image_is_asked_for_where_the_service_fails(server: WebServer) -> None:
    server.answers["/whole.jpg"] = Answer(encoded(drawing(1000, 1500), "JPEG"))
    page = source(server, size=(0, 0)).load(150)
    assert server.asked == ["/i/full/max/0/default.jpg", "/whole.jpg"]
    assert (page.width, page.height, page.pixels.shape) == (1000, 1500, (188, 125, 3))


def test_a_page_that_nobody_sends(server: WebServer) -> None:
    with pytest.raises(DataError, match=r"/i/full/100,/0/default.jpg: cannot be fetched \(HTTP 404\)"):
        source(server).load(150)
    server.otherwise = lambda _: Answer(b"<html>busy</html>")
    with pytest.raises(DataError, match="is not an image"):
        source(server).load(150)


def test_a_server_that_sends_more_than_it_said(server: WebServer) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (300, 450)).save(stream, "JPEG")
    server.otherwise = lambda _: Answer(stream.getvalue())
    page = source(server, size=(100, 150)).load()
    assert (page.width, page.height) == (300, 450)
