"""The review page as a web application: its files, its questions, its changes, its images."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from farthing.documents.review import calibration
from farthing.documents.review.gallery import Gallery
from farthing.documents.review.images import SIZES, PageImages
from farthing.documents.review.messages import (
    BoxesMessage,
    DecisionMessage,
    RecallMessage,
    SampleMessage,
    UndoAnswer,
)
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

MAX_PAGES_ASKED = 200


def create_app(gallery: Gallery, images: PageImages, *, token: str | None = None) -> Guard:
    """The application over one store.

    Args:
        gallery: what the store says.
        images: of its pages.
        token: what each request must know; None serves the loopback interface only. See `Guard`.
    """
    api = _Api(gallery, images)
    routes = [
        *static_routes({**static_files("farthing.web"), **static_files("farthing.documents.review")}),
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
    return Guard(app=Starlette(routes=routes, exception_handlers=ERROR_HANDLERS), token=token)


class _Api:
    """The endpoints; each does its work in a thread, so that a slow disk delays nobody else."""

    def __init__(self, gallery: Gallery, images: PageImages) -> None:
        self._gallery, self._images = gallery, images
        self._answers = Answers()
        self._pictures = Pictures("image/jpeg")

    async def facts(self, _: Request) -> Response:
        """What is known of the collection."""
        return json_answer(await run_in_threadpool(self._gallery.facts))

    async def pages(self, _: Request) -> Response:
        """All pages as columns."""
        return json_answer(await run_in_threadpool(self._gallery.columns))

    async def boxes(self, request: Request) -> Response:
        """The boxes of the pages that `?pages=1,2,3` names."""
        numbers = _numbers(request.query_params.get("pages", ""))
        return json_answer(await run_in_threadpool(self._gallery.boxes, numbers))

    async def replace_boxes(self, request: Request) -> Response:
        """Makes the boxes in the body those of the page; answers once they are on the disk."""
        page = request.path_params["page"]
        message = await read_body(request, BoxesMessage)
        return await answer_once(self._answers, request, lambda: self._gallery.replace_boxes(page, message.boxes))

    async def decide(self, request: Request) -> Response:
        """Records a decision; answers once it is on the disk."""
        message = await read_body(request, DecisionMessage)
        return await answer_once(
            self._answers, request, lambda: self._gallery.decide(message.page, contains=message.contains)
        )

    async def undo(self, request: Request) -> Response:
        """Takes back the last decision; answers once that is on the disk."""
        await read_body(request, dict)
        return await answer_once(self._answers, request, lambda: UndoAnswer(undone=self._gallery.undo()))

    async def draw_sample(self, request: Request) -> Response:
        """Draws pages for calibration, or doubles the sample; answers how far its answers are."""
        message = await read_body(request, SampleMessage)
        return await answer_once(self._answers, request, lambda: calibration.draw(self._gallery.folder, message))

    async def calibrate(self, request: Request) -> Response:
        """Sets the threshold for a recall; answers what is promised. Takes long where a report has to be made anew."""
        message = await read_body(request, RecallMessage)
        await run_in_threadpool(calibration.promise, self._gallery.folder, message)
        return json_answer((await run_in_threadpool(self._gallery.facts)).promise)

    async def image(self, request: Request) -> Response:
        """The image of a page in one of the sizes."""
        size = request.path_params["size"]
        if size not in SIZES:
            raise HTTPException(404)
        page = await run_in_threadpool(self._gallery.name_of, request.path_params["page"])
        return await self._pictures.answer(request, lambda: self._images.get(page, size))


def _numbers(text: str) -> list[int]:
    """Page numbers from "1,2,3"."""
    parts = text.split(",")
    if len(parts) > MAX_PAGES_ASKED or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise RequestError(f"pages takes 1 to {MAX_PAGES_ASKED} numbers such as 1,2,3")
    return [int(part) for part in parts]
