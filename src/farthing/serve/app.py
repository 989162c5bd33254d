"""The application around one model: what every scoring server answers, whatever it scores."""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from farthing.serve.doorkeeper import Doorkeeper
from farthing.serve.gather import Gatherer
from farthing.serve.limit import Limit
from farthing.serve.metrics import CONTENT_TYPE, Metrics
from farthing.serve.models import CurrentModel, Model
from farthing.serve.requests import RefusedError, json_response, read_json, send_fault, send_json, send_refusal

RequestBody = TypeVar("RequestBody")
Work = TypeVar("Work")
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


class Service(ABC, Generic[Model, RequestBody, Work]):
    """What an application serves."""

    request: type[RequestBody]

    @abstractmethod
    def prepare(self, model: Model, body: RequestBody) -> Work:
        """What is to be scored; a `RefusedError` where the body asks for what there is not."""

    @abstractmethod
    def num_rows(self, work: Work) -> int:
        """How many rows a work has."""

    @abstractmethod
    def score(self, works: Sequence[Work]) -> Sequence[object]:
        """The answers to some works, whose models may differ, in their order; run in any thread."""

    @abstractmethod
    def describe(self, model: Model) -> object:
        """What `/v1/model` says."""

    @abstractmethod
    def openapi(self, model: Model) -> object:
        """The interface by OpenAPI 3.1."""

    @abstractmethod
    def page(self, model: Model) -> str:
        """HTML that says what can be asked, and shows how."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one server takes.

    Attributes:
        max_batch: rows of one call of the model, and of one request.
        max_body: bytes of a request.
        max_requests: how many are answered at the same time while none is late.
    """

    max_batch: int = 4096
    max_body: int = 1_000_000
    max_requests: int = 128


def create_app(
    service: Service[Model, RequestBody, Work],
    current: CurrentModel[Model],
    metrics: Metrics,
    *,
    limits: Limits,
    token: str | None = None,
    on_start: Callable[[], None] | None = None,
) -> Doorkeeper:
    """The ASGI application.

    Args:
        service: what is served.
        current: its model.
        metrics: what `/metrics` shows.
        limits: what is refused.
        token: what each request must carry; None admits this computer only.
        on_start: called in the event loop before the first request.
    """
    gatherer: Gatherer[Work, object] = Gatherer(service.score, num_rows=service.num_rows, max_batch=limits.max_batch)
    limit = Limit(limits.max_requests)
    api = _Api(service, current, metrics, gatherer, limits, limit)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(current.watch())
        if on_start:
            on_start()
        api.is_ready = True
        yield
        api.is_ready = False
        watching.cancel()
        gatherer.close()

    routes = [
        Route("/", api.page),
        Route("/healthz", api.healthz),
        Route("/readyz", api.readyz),
        Route("/metrics", api.metrics),
        Route("/openapi.json", api.openapi),
        Route("/v1/model", api.model),
        Route("/v1/score", api.only_post),
    ]
    pages = Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_allowed}, lifespan=lifespan)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Past the router and its layers, which take longer than a row.
        is_score = scope["type"] == "http" and scope["path"] == "/v1/score" and scope["method"] == "POST"
        await (api.score if is_score else pages)(scope, receive, send)

    return Doorkeeper(
        app=app,
        metrics=metrics,
        token=token,
        limit=limit,
        is_late=lambda: gatherer.is_late,
    )


class _Api(Generic[Model, RequestBody, Work]):
    """The endpoints."""

    def __init__(
        self,
        service: Service[Model, RequestBody, Work],
        current: CurrentModel[Model],
        metrics: Metrics,
        gatherer: Gatherer[Work, object],
        limits: Limits,
        limit: Limit,
    ) -> None:
        self._service, self._current, self._metrics = service, current, metrics
        self._gatherer, self._limits, self._limit = gatherer, limits, limit
        self.is_ready = False

    async def score(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Scores the rows of the body."""
        try:
            answer = await self._answer(scope, receive)
        except RefusedError as error:
            await send_refusal(send, error)
        except Exception as error:  # noqa: BLE001  whatever it is, the client learns nothing of it
            await send_fault(send, error)
        else:
            await send_json(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> object:
        body = await read_json(scope, receive, self._service.request, max_bytes=self._limits.max_body)
        start = time.perf_counter()  # not before: a slow client makes nobody else late
        work = self._service.prepare(self._current.model, body)
        rows = self._service.num_rows(work)
        if rows > self._limits.max_batch:
            raise RefusedError(422, f"a request has at most {self._limits.max_batch} rows, got {rows}")
        answer = await self._gatherer.answer(work)
        self._limit.learn(time.perf_counter() - start)
        self._metrics.num_rows += rows
        return answer

    async def only_post(self, request: Request) -> Response:
        """The answer to other methods than POST."""
        return await _not_allowed(request, HTTPException(405))

    async def model(self, _: Request) -> Response:
        """What is known of the model."""
        return json_response(self._service.describe(self._current.model))

    async def openapi(self, _: Request) -> Response:
        """The interface for programs."""
        return json_response(self._service.openapi(self._current.model))

    async def page(self, _: Request) -> Response:
        """The interface for people."""
        return HTMLResponse(self._service.page(self._current.model), headers=_PAGE_HEADERS)

    async def metrics(self, _: Request) -> Response:
        """For Prometheus."""
        return PlainTextResponse(self._metrics.text(), media_type=CONTENT_TYPE)

    async def healthz(self, _: Request) -> Response:
        """Whether the process answers at all."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _: Request) -> Response:
        """Whether requests should be sent here."""
        return PlainTextResponse("ready\n" if self.is_ready else "not ready\n", 200 if self.is_ready else 503)


async def _not_found(_: Request, _error: Exception) -> Response:
    return json_response({"error": "there is no such page; / lists what there is"}, 404)


async def _not_allowed(_: Request, _error: Exception) -> Response:
    return json_response({"error": "this method is not for this page; / lists what there is"}, 405)
