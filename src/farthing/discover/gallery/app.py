"""The gallery page as a web application: its files, its questions, its changes, its images."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farthing.discover.gallery.gallery import Gallery
from farthing.discover.gallery.images import SIZES, ImageFiles
from farthing.discover.gallery.messages import MergeMessage, MoveMessage, RecutMessage, RenameMessage, SplitMessage
from farthing.web.answers import Answers
from farthing.web.endpoints import (
    ERROR_HANDLERS,
    RequestError,
    answer_once,
    json_answer,
    read_body,
    static_files,
    static_routes,
)
from farthing.web.guard import Guard
from farthing.web.pictures import Pictures

MAX_IMAGES_ASKED = 500


def create_app(gallery: Gallery, images: ImageFiles, *, token: str | None = None) -> Guard:
    """The application over one run.

    Args:
        gallery: its classes.
        images: of the run.
        token: what each request must know; None serves the loopback interface only. See `Guard`.
    """
    api = _Api(gallery, images)
    routes = [
        *static_routes({**static_files("farthing.web"), **static_files("farthing.discover.gallery")}),
        Route("/api/facts", api.facts),
        Route("/api/classes", api.classes),
        Route("/api/images", api.images),
        Route("/api/rename", api.rename, methods=["POST"]),
        Route("/api/merge", api.merge, methods=["POST"]),
        Route("/api/split", api.split, methods=["POST"]),
        Route("/api/move", api.move, methods=["POST"]),
        Route("/api/recut", api.recut, methods=["POST"]),
        Route("/api/undo", api.undo, methods=["POST"]),
        Route("/image/{image:int}/{size}", api.image),
    ]
    return Guard(app=Starlette(routes=routes, exception_handlers=ERROR_HANDLERS), token=token)


class _Api:
    """The endpoints; each does its work in a thread, so that a slow disk delays nobody else."""

    def __init__(self, gallery: Gallery, images: ImageFiles) -> None:
        self._gallery, self._images = gallery, images
        self._answers = Answers()
        self._pictures = Pictures("image/webp")

    async def facts(self, _: Request) -> Response:
        """What is known of the run."""
        return json_answer(self._gallery.facts)

    async def classes(self, _: Request) -> Response:
        """All classes as they are now."""
        return json_answer(await run_in_threadpool(self._gallery.sorting))

    async def images(self, request: Request) -> Response:
        """Images of a class: `?of=3&offset=0&limit=100`; without `of` those that have none."""
        of, offset = _number(request, "of"), _number(request, "offset") or 0
        limit = _number(request, "limit") or MAX_IMAGES_ASKED
        if limit > MAX_IMAGES_ASKED:
            raise RequestError(f"limit is at most {MAX_IMAGES_ASKED}, got {limit}")
        return json_answer(await run_in_threadpool(self._gallery.images, of, offset=offset, limit=limit))

    async def rename(self, request: Request) -> Response:
        """Names a class; like every change, answers with all classes once it is on the disk."""
        message = await read_body(request, RenameMessage)
        return await answer_once(self._answers, request, lambda: self._gallery.rename(message.of, message.name))

    async def merge(self, request: Request) -> Response:
        """Puts a class into another."""
        message = await read_body(request, MergeMessage)
        return await answer_once(self._answers, request, lambda: self._gallery.merge(message.of, message.into))

    async def split(self, request: Request) -> Response:
        """Makes a new class of a part of one."""
        message = await read_body(request, SplitMessage)
        return await answer_once(self._answers, request, lambda: self._gallery.split(message.of, message.images))

    async def move(self, request: Request) -> Response:
        """Puts images into a class or into none."""
        message = await read_body(request, MoveMessage)
        return await answer_once(self._answers, request, lambda: self._gallery.move(message.images, message.into))

    async def recut(self, request: Request) -> Response:
        """Sorts into another number of classes."""
        message = await read_body(request, RecutMessage)
        return await answer_once(self._answers, request, lambda: self._gallery.recut(message.num_classes))

    async def undo(self, request: Request) -> Response:
        """Takes back the last change."""
        await read_body(request, dict)
        return await answer_once(self._answers, request, self._gallery.undo)

    async def image(self, request: Request) -> Response:
        """An image in one of the sizes."""
        size = request.path_params["size"]
        if size not in SIZES:
            raise HTTPException(404)
        name = self._gallery.name_of(request.path_params["image"])
        return await self._pictures.answer(request, lambda: self._images.get(name, size))


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise RequestError(f"{name} takes a number such as 12")
    return int(text)
