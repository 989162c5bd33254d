"""Requests turned away before they are parsed, while there is more to do than can be done.

Parsing a request and making a task for it takes as long as scoring some rows. A server that gives that to each of twice
as many requests as it can answer has no time left to answer any.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from farthing.serve.requests import TOO_BUSY_BODY, TOO_BUSY_HEADERS

_SCORE = b"POST /v1/score HTTP/1.1\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r\n", re.IGNORECASE)
_TOO_BUSY = b"HTTP/1.1 503 Service Unavailable\r\n%s\r\n\r\n%s" % (
    b"\r\n".join(b"%s: %s" % line for line in TOO_BUSY_HEADERS),
    TOO_BUSY_BODY,
)


class SheddingProtocol(HttpToolsProtocol):
    """A connection, as uvicorn makes them, that can answer 503 without a look at the request.

    Only a whole request to score that came in one piece between two requests is answered so; everything else goes the
    usual way, where it may be turned away too. So nothing is left that could be taken for the start of another request.

    Args:
        arguments: of uvicorn's protocol.
        turns_away: whether the next request is; counts it.
        keywords: of uvicorn's protocol.
    """

    def __init__(self, *arguments: Any, turns_away: Callable[[], bool], **keywords: Any) -> None:  # Any: uvicorn's own
        super().__init__(*arguments, **keywords)
        self._turns_away = turns_away

    def data_received(self, data: bytes) -> None:
        """Answers what is turned away, and hands on everything else."""
        last: RequestResponseCycle | None = self.cycle
        is_between = last is None or (last.response_complete and not last.more_body)
        if not (is_between and is_whole_score(data) and self._turns_away()):
            super().data_received(data)
            return
        self._unset_keepalive_if_required()
        self.transport.write(_TOO_BUSY)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)


def is_whole_score(data: bytes) -> bool:
    """Whether these bytes are one request to score and nothing else."""
    end = data.find(b"\r\n\r\n")
    if end < 0 or not data.startswith(_SCORE):
        return False
    length = _LENGTH.search(data, 0, end + 2)
    return length is not None and len(data) == end + 4 + int(length[1])
