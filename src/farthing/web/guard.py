"""Who may talk to a local server: only a page that it served itself, in a browser that asked for it by its own name.

A server on the loopback interface can be reached by every web site that its user visits. Three checks keep them out:

- `Host` must name this computer. A foreign name that was made to resolve to 127.0.0.1 (DNS rebinding) is refused.
- A request that changes something must carry the `Origin` of this very server, and a browser's request that another
  site caused is refused whatever it asks for (`Sec-Fetch-Site`), except for a plain link to the page.
- Where the server is bound to more than the loopback interface, each request must know a secret token.

Every answer forbids its page everything but its own files (Content-Security-Policy), frames and sniffing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
COOKIE = "farthing"
_READING = frozenset({"GET", "HEAD"})
_FOREIGN = frozenset({"cross-site", "same-site"})  # same-site: another port of this computer
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """An ASGI application that lets only allowed requests through to another.

    Attributes:
        app: what is guarded.
        token: the secret that each request must know, in a cookie that `/?token=...` sets; None asks for none and
            accepts only requests that name the loopback interface.
    """

    app: ASGIApp
    token: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a refused request itself and hands on any other."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        refusal = self._refuse(scope)
        await (self.app if refusal is None else refusal)(scope, receive, _with_headers(send))

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.token is None and _name(host) not in LOOPBACK_NAMES:
            return _refusal("this server answers only to localhost and 127.0.0.1")
        if _is_foreign(scope, headers):
            return _refusal("a request that another site caused")
        if scope["method"] not in _READING and headers.get("origin") != f"{scope['scheme']}://{host}":
            return _refusal("a change must come from the page itself")
        return None if self.token is None else self._ask_for_token(scope, headers)

    def _ask_for_token(self, scope: Scope, headers: Headers) -> Response | None:
        token = self.token or ""
        if _equal(_cookie(headers), token):
            return None
        offered = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] != "/" or not _equal(offered, token):
            return _refusal("open the address with its token, as it was printed when the server started")
        # The token leaves the address bar, and with it the history.
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
        return response


def _is_foreign(scope: Scope, headers: Headers) -> bool:
    """Whether another site's page caused the request; a link that a person followed to our page is not foreign."""
    is_visit = (
        scope["method"] in _READING
        and scope["path"] == "/"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    return headers.get("sec-fetch-site") in _FOREIGN and not is_visit


def _name(host: str) -> str:
    """A `Host` header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _equal(offered: str, token: str) -> bool:
    """Compares in a time that does not tell how much is right."""
    return hmac.compare_digest(offered.encode(), token.encode())


def _refusal(reason: str) -> Response:
    return JSONResponse({"error": f"refused: {reason}"}, status_code=403)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
