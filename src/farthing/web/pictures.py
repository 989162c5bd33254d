"""Pictures that are made when a page asks for them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from farthing.base.errors import DataError

_log = logging.getLogger(__name__)


class Pictures:
    """Answers with pictures of one type, as many at a time as there are cores: more would only make each later.

    Args:
        media_type: such as `image/webp`.
    """

    def __init__(self, media_type: str) -> None:
        self._media_type = media_type
        self._decoders = asyncio.Semaphore(os.cpu_count() or 1)

    async def answer(self, request: Request, make: Callable[[], bytes]) -> Response:
        """What `make` gives, in a thread.

        404 where it raises `DataError`, 204 without calling it where nobody waits for the answer any more.
        """
        async with self._decoders:
            if await request.is_disconnected():  # it has scrolled out of sight
                return Response(status_code=204)
            try:
                picture = await run_in_threadpool(make)
            except DataError as error:
                _log.debug("%s", error)  # a moved folder would fill the terminal; the page says which ones
                raise HTTPException(404, "this image cannot be shown") from error
        # The browser asks anew after an hour: a person may have replaced the file.
        return Response(picture, media_type=self._media_type, headers={"Cache-Control": "private, max-age=3600"})
