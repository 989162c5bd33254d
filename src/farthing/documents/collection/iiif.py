"""Pages of a IIIF manifest (Presentation API 2 and 3): its canvases, and their images at a wanted size.

Source: https://iiif.io/api/presentation/2.1/, https://iiif.io/api/presentation/3.0/ and the Image APIs 2.1 and 3.0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from farthing.base.errors import DataError
from farthing.documents.collection.fetch import FetchConfig, fetch, is_url
from farthing.documents.page import Page
from farthing.vision.images import MAX_PIXELS, decode_image

MAX_MANIFEST_BYTES = 64 << 20
MAX_IMAGE_BYTES = 256 << 20
MARK = b"iiif.io/api/presentation"

# A manifest is whatever a library's software wrote: any JSON in any place, so every step checks what it finds.
Json: TypeAlias = Any
_SERVICE_MARKS = ("iiif.io/api/image", "ImageService", "library.stanford.edu/iiif")
_IMAGE_REQUEST = re.compile(r"(https?://.+)/full/[^/]+/0/(?:default|native|color)\.\w+")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageService:
    """A server of one image at any size (IIIF Image API).

    Attributes:
        id: the address to which a request is added.
        version: of the Image API, 2 or 3.
        is_static: sends only the sizes it lists (compliance level 0).
        sizes: (width, height) that it prefers to send.
    """

    id: str
    version: int
    is_static: bool = False
    sizes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Canvas:
    """One page of a manifest.

    Attributes:
        id: its own address, the target of annotations; empty where there is none.
        size: (width, height) in its own units, in which annotations are told; (0, 0) where it says none.
        image_size: (width, height) of the whole image in pixels; that of the canvas where it says none.
        image: address or relative path of the whole image; None for a canvas without one.
        service: what sends the image at other sizes.
    """

    id: str
    size: tuple[int, int]
    image_size: tuple[int, int]
    image: str | None
    service: ImageService | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IiifSource:
    """A page whose image a server sends.

    Attributes:
        id: see `PageSource`.
        document: see `PageSource`.
        canvas: where the image is.
        max_pixels: the largest image that is decoded.
        fetching: how patient to be with the server.
    """

    id: str
    document: str
    canvas: Canvas
    max_pixels: int = MAX_PIXELS
    fetching: FetchConfig = field(default_factory=FetchConfig)

    def load(self, max_side: int | None = None) -> Page:
        """The page, requested with a long side of `max_side` where the server can, told in pixels of its whole image.

        Raises:
            DataError: no request for the image succeeds, or what comes is not an image.
        """
        failure: DataError | None = None
        for url in image_urls(self.canvas, max_side):
            try:
                content = fetch(url, max_bytes=MAX_IMAGE_BYTES, config=self.fetching)
                image = decode_image(content, name=url, max_side=max_side, max_pixels=self.max_pixels)
            except DataError as error:
                failure = failure or error
                continue
            return Page(
                id=self.id,
                document=self.document,
                pixels=image.pixels,
                width=max(self.canvas.image_size[0] or image.width, image.pixels.shape[1]),
                height=max(self.canvas.image_size[1] or image.height, image.pixels.shape[0]),
            )
        raise failure or DataError(f"page {self.id}: its canvas has no image")


def parse_manifest(content: bytes, *, name: str) -> list[Canvas]:
    """The canvases of a manifest, in order.

    Args:
        content: the JSON text.
        name: what messages call it.

    Raises:
        DataError: not JSON, not a manifest, or a manifest without canvases.
    """
    try:
        manifest = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{name}: is not JSON ({error})") from error
    kind = _text(manifest, "type", "@type") if isinstance(manifest, dict) else ""
    if "Collection" in kind:
        raise DataError(f"{name}: is a IIIF collection of manifests; open one of its manifests")
    if not kind.endswith("Manifest"):
        raise DataError(f"{name}: is not a IIIF manifest (Presentation API 2 or 3)")
    canvases = [_canvas(canvas) for canvas in _canvas_items(manifest)]
    if not canvases:
        raise DataError(f"{name}: the manifest has no pages")
    return canvases


def image_urls(canvas: Canvas, max_side: int | None) -> list[str]:
    """Addresses to try for the image: one near the wanted size, then the whole one."""
    urls = [] if canvas.service is None else [_sized_url(canvas, canvas.service, max_side)]
    if canvas.image is not None and is_url(canvas.image):
        urls.append(canvas.image)
    return list(dict.fromkeys(url for url in urls if url))


def _sized_url(canvas: Canvas, service: ImageService, max_side: int | None) -> str:
    """The request for a long side of at least `max_side`; empty where the service cannot be asked."""
    long_side = max(canvas.image_size)
    large_enough = sorted(size for size in service.sizes if max_side is not None and max(size) >= max_side)
    if large_enough:
        width, height = large_enough[0]
        size = f"{width},{height}" if service.version >= 3 else f"{width},"
    elif service.is_static:
        return ""
    elif max_side is None or max_side >= long_side:
        size = "max" if service.version >= 3 else "full"
    else:
        size = f"{math.ceil(canvas.image_size[0] * max_side / long_side)},"
    return f"{service.id}/full/{size}/0/default.jpg"


def _canvas_items(manifest: Json) -> Iterator[Json]:
    """The canvases of either version."""
    yield from _objects(manifest, "items")
    for sequence in _objects(manifest, "sequences")[:1]:
        yield from _objects(sequence, "canvases")


def _canvas(canvas: Json) -> Canvas:
    """What matters of a canvas; without an image where it has none that is understood."""
    image = next(_images(canvas), None)
    url = None if image is None else _text(image, "id", "@id") or None
    size = _size(canvas)
    return Canvas(
        id=_text(canvas, "id", "@id"),
        size=size,
        image_size=_size(image) if min(_size(image)) else size,
        image=url,
        service=_service(image, url),
    )


def _images(canvas: Json) -> Iterator[Json]:
    """The images painted on a canvas; of a choice, the first."""
    painted = [annotation for page in _objects(canvas, "items") for annotation in _objects(page, "items")]
    bodies = [body for annotation in painted for body in _objects(annotation, "body")]
    bodies += [body for annotation in _objects(canvas, "images") for body in _objects(annotation, "resource")]
    for body in bodies:
        yield from (_objects(body, "items") or _objects(body, "default") or [body])[:1]


def _service(image: Json, url: str | None) -> ImageService | None:
    """The image service of an image, told by itself or by its address."""
    for service in _objects(image, "service"):
        address = _text(service, "id", "@id").rstrip("/")
        words = " ".join(_words(service))
        if is_url(address) and (
            "iiif.io/api/image" in words or "ImageService" in words or "library.stanford.edu" in words
        ):
            sizes = [_size(size) for size in _objects(service, "sizes")]
            return ImageService(
                id=address,
                version=3 if "ImageService3" in words or "image/3" in words else 2,
                is_static="level0" in words,
                sizes=tuple(size for size in sizes if min(size)),
            )
    match = _IMAGE_REQUEST.fullmatch(url or "")
    return ImageService(id=match[1], version=3 if "/full/max/" in match[0] else 2) if match else None


def _words(service: Json) -> Iterator[str]:
    """Everything by which a service says what it is."""
    for key in ("type", "@type", "@context", "profile"):
        values = service.get(key)
        yield from (value for value in (values if isinstance(values, list) else [values]) if isinstance(value, str))


def _objects(value: Json, key: str) -> list[Json]:
    """The JSON objects under `key`, where one or several may stand; none where something else does."""
    found = value.get(key) if isinstance(value, dict) else None
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _text(value: Json, *keys: str) -> str:
    """The first text under one of the keys; empty where there is none."""
    return next((value[key] for key in keys if isinstance(value.get(key), str)), "")


def _size(value: Json) -> tuple[int, int]:
    """(width, height), or (0, 0) where they are not both given and positive."""
    width, height = (value.get(key) if isinstance(value, dict) else None for key in ("width", "height"))
    if isinstance(width, int | float) and isinstance(height, int | float) and min(width, height) >= 1:
        return int(width), int(height)
    return 0, 0
