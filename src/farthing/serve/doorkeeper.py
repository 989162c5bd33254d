"""Who may make a request, and how many at a time: an ASGI application around another.

A server on the loopback interface can be reached by every web site that its user visits: requests that another site's
page caused, or that reached it under a foreign name (DNS rebinding), are refused. Beyond the loopback interface each
request must carry a token. More requests than `max_requests` at a time are turned away at once, before their bodies are
read: a queue would make everybody late.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from farthing.serve.limit import Limit
from farthing.serve.metrics import Metrics
from farthing.serve.requests import RefusedError, send_refusal, send_too_busy

LOOPBACK_NAMES = frozenset({b"127.0.0.1", b"localhost", b"[::1]"})
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""What a load balancer asks for: without a token, and however busy the server is."""
_FOREIGN = frozenset({b"cross-site", b"same-site"})


@dataclass(kw_only=True, slots=True)
class Doorkeeper:
    """See the module.

    Attributes:
        app: what is behind the door.
        metrics: counts requests and turned-away ones.
        token: what each request must carry as `Authorization: Bearer TOKEN`; None admits this computer only.
        limit: how many are answered at the same time.
        is_late: whether so much waits to be scored that no more should come.
    """

    app: ASGIApp
    metrics: Metrics
    token: str | None = None
    limit: Limit = field(default_factory=lambda: Limit(128))
    is_late: Callable[[], bool] = lambda: False
    _num_inside: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers what is turned away, and hands on everything else."""
        if scope["type"] != "http":
            await (self.app if scope["type"] == "lifespan" else _close)(scope, receive, send)
            return
        if scope["path"] not in OPEN_PATHS and self.turns_away():
            await send_too_busy(send)  # before anything else is looked at: this must cost next to nothing
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            self.metrics.count_request(refusal.status)
            await send_refusal(send, refusal)
            return
        self._num_inside += 1
        try:
            await self.app(scope, receive, self.metrics.watched(send))
        finally:
            self._num_inside -= 1

    def turns_away(self) -> bool:
        """Whether a request that comes now is turned away; if so it is counted."""
        is_full = not self.limit.admits(self._num_inside) or self.is_late()
        if is_full:
            self.metrics.count_request(503)
        return is_full

    def _refusal(self, scope: Scope) -> RefusedError | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self.token is None and _name(headers.get(b"host", b"")) not in LOOPBACK_NAMES:
            return RefusedError(403, "this server answers only to localhost and 127.0.0.1")
        if headers.get(b"sec-fetch-site") in _FOREIGN:
            return RefusedError(403, "a request that another site caused")
        if scope["path"] in OPEN_PATHS:
            return None
        if self.token is not None and not _equal(headers.get(b"authorization", b""), self.token):
            return RefusedError(401, "send the token as Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
        return None


def _name(host: bytes) -> bytes:
    """A `Host` header without its port."""
    name, colon, port = host.rpartition(b":")
    return (name if colon and port.isdigit() else host).lower()


def _equal(offered: bytes, token: str) -> bool:
    """Compares in a time that does not tell how much is right."""
    return hmac.compare_digest(offered, f"Bearer {token}".encode())


async def _close(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close"})
