"""The review page as a web application: its files, its questions, its changes, its images."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farthing.base.errors import DataError, FarthingError
from farthing.documents.review import calibration
from farthing.documents.review.answers import Answers
from farthing.documents.review.gallery import Gallery, RequestError
from farthing.documents.review.guard import Guard
from farthing.documents.review.images import SIZES, PageImages
from farthing.documents.review.messages import (
    BoxesMessage,
    DecisionMessage,
    RecallMessage,
    SampleMessage,
    UndoAnswer,
)

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]

MAX_BODY_BYTES = 1 << 20
MAX_PAGES_ASKED = 200
_KEY_HEADER = "idempotency-key"
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_log = logging.getLogger(__name__)


def create_app(gallery: Gallery, images: PageImages, *, token: str | None = None) -> Guard:
    """The application over one store.

    Args:
        gallery: what the store says.
        images: of its pages.
        token: what each request must know; None serves the loopback interface only. See `Guard`.
    """
    api = _Api(gallery, images)
    routes = [
        Route("/", _static("index.html")),
        *(Route(f"/static/{name}", _static(name)) for name in static_files() if name != "index.html"),
        Route("/api/facts", api.facts),
        Route("/api/pages", api.pages),
        Route("/api/boxes", api.boxes),
        Route("/api/boxes/{page:int}", api.replace_boxes, methods=["PUT"]),
        Route("/api/decisions", api.decide, methods=["POST"]),
        Route("/api/undo", api.undo, methods=["POST"]),
        Route("/api/sample", api.draw_sample, methods=["POST"]),
        Route("/api/calibration", api.calibrate, methods=["POST"]),
        Route("/image/{page:int}/{size}", api.image),
    ]
    handlers = {RequestError: _bad_request, FarthingError: _not_now, HTTPException: _http_error}
    return Guard(app=Starlette(routes=routes, exception_handlers=handlers), token=token)


def static_files() -> Mapping[str, bytes]:
    """The files of the page, by name. A request finds a name in this table or nothing: it never becomes a path."""
    folder = files("farthing.documents.review") / "static"
    return {item.name: item.read_bytes() for item in sorted(folder.iterdir(), key=lambda item: item.name)}


class _Api:
    """The endpoints; each does its work in a thread, so that a slow disk delays nobody else."""

    def __init__(self, gallery: Gallery, images: PageImages) -> None:
        self._gallery, self._images = gallery, images
        self._answers = Answers()
        # One decoder per core: more would only make each image later.
        self._decoders = asyncio.Semaphore(os.cpu_count() or 1)

    async def facts(self, _: Request) -> Response:
        """What is known of the collection."""
        return _json(await run_in_threadpool(self._gallery.facts))

    async def pages(self, _: Request) -> Response:
        """All pages as columns."""
        return _json(await run_in_threadpool(self._gallery.columns))

    async def boxes(self, request: Request) -> Response:
        """The boxes of the pages that `?pages=1,2,3` names."""
        numbers = _numbers(request.query_params.get("pages", ""))
        return _json(await run_in_threadpool(self._gallery.boxes, numbers))

    async def replace_boxes(self, request: Request) -> Response:
        """Makes the boxes in the body those of the page; answers once they are on the disk."""
        page = request.path_params["page"]
        message = await _read(request, BoxesMessage)
        return await self._once(request, lambda: self._gallery.replace_boxes(page, message.boxes))

    async def decide(self, request: Request) -> Response:
        """Records a decision; answers once it is on the disk."""
        message = await _read(request, DecisionMessage)
        return await self._once(request, lambda: self._gallery.decide(message.page, contains=message.contains))

    async def undo(self, request: Request) -> Response:
        """Takes back the last decision; answers once that is on the disk."""
        await _read(request, dict)
        return await self._once(request, lambda: UndoAnswer(undone=self._gallery.undo()))

    async def draw_sample(self, request: Request) -> Response:
        """Draws pages for calibration, or doubles the sample; answers how far its answers are."""
        message = await _read(request, SampleMessage)
        return await self._once(request, lambda: calibration.draw(self._gallery.folder, message))

    async def calibrate(self, request: Request) -> Response:
        """Sets the threshold for a recall; answers what is promised. Takes long where a report has to be made anew."""
        message = await _read(request, RecallMessage)
        await run_in_threadpool(calibration.promise, self._gallery.folder, message)
        return _json((await run_in_threadpool(self._gallery.facts)).promise)

    async def image(self, request: Request) -> Response:
        """The image of a page in one of the sizes."""
        size = request.path_params["size"]
        if size not in SIZES:
            raise HTTPException(404)
        page = await run_in_threadpool(self._gallery.name_of, request.path_params["page"])
        async with self._decoders:
            if await request.is_disconnected():  # it has scrolled out of sight
                return Response(status_code=204)
            try:
                image = await run_in_threadpool(self._images.get, page, size)
            except DataError as error:
                _log.debug("%s", error)  # a moved folder would fill the terminal; the page says which ones
                raise HTTPException(404, "this page cannot be shown") from error
        # The browser asks anew after an hour: a person may have replaced the file.
        return Response(image, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    async def _once(self, request: Request, change: Callable[[], object]) -> Response:
        """Answers a change; one that is sent again, because its answer was lost, is not made again."""
        key = request.headers.get(_KEY_HEADER)
        return Response(
            await run_in_threadpool(self._answers.get, key, lambda: msgspec.json.encode(change())),
            media_type="application/json",
        )


def _static(name: str) -> Endpoint:
    content = static_files()[name]
    media_type = _TYPES[name.rpartition(".")[2]]

    async def send(_: Request) -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return send


def _numbers(text: str) -> list[int]:
    """Page numbers from "1,2,3"."""
    parts = text.split(",")
    if len(parts) > MAX_PAGES_ASKED or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise RequestError(f"pages takes 1 to {MAX_PAGES_ASKED} numbers such as 1,2,3")
    return [int(part) for part in parts]


async def _read(request: Request, type: type[T]) -> T:
    """The body, read up to a limit and checked."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "a change is sent as application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"a change is at most {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError("this is not what the review page sends") from error


def _json(value: object, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers=headers, media_type="application/json")


async def _bad_request(_: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, 422)


async def _not_now(_: Request, error: Exception) -> Response:
    """The store failed: the reason, which may name paths, is for the terminal alone."""
    _log.error("%s", error)
    return _json({"error": "the store cannot be read or written now; the terminal says why"}, 503)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json({"error": error.detail}, error.status_code)
