"""Bytes from the web, with limits on everything: schemes, redirects, size, time and retries."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import IO

from farthing.base.errors import ConfigError, DataError

_SCHEMES = ("http", "https")
_WORTH_RETRYING = frozenset({408, 429, 500, 502, 503, 504})
_CHUNK_BYTES = 64 << 10
_MAX_WAIT_S = 60.0
_AGENT = "farthing (https://pypi.org/project/farthing)"


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchConfig:
    """Patience with a server.

    Attributes:
        timeout_s: for the connection, and for each wait for further bytes.
        deadline_s: for one whole answer, so that a trickle of bytes ends too.
        num_retries: further attempts after one that may pass: no connection, a timeout, an overloaded server.
        wait_s: before the first of them; it doubles each time, unless the server says how long.
    """

    timeout_s: float = 30.0
    deadline_s: float = 300.0
    num_retries: int = 3
    wait_s: float = 1.0

    def __post_init__(self) -> None:
        if min(self.timeout_s, self.deadline_s) <= 0 or min(self.num_retries, self.wait_s) < 0:
            raise ConfigError(f"timeout_s and deadline_s must be > 0, num_retries and wait_s >= 0, got {self}")


def is_url(location: str) -> bool:
    """Whether this is an address on the web and not a path."""
    return location.startswith(("http://", "https://"))


def fetch(url: str, *, max_bytes: int, config: FetchConfig | None = None) -> bytes:
    """The body that a server sends for `url`.

    Args:
        url: http or https.
        max_bytes: the longest body that is accepted.
        config: how patient to be.

    Raises:
        DataError: another scheme (also after a redirect, and from https to http), a status that is no success, a body
            that is too long or stops early, or no answer in time after all retries.
    """
    config = config or FetchConfig()
    wait_s = config.wait_s
    for attempts_left in range(config.num_retries, -1, -1):
        try:
            return _fetch_once(url, max_bytes=max_bytes, config=config)
        except _Passing as error:
            if not attempts_left:
                raise DataError(f"{url}: cannot be fetched ({error.reason}); try again later") from error
            time.sleep(min(_MAX_WAIT_S, error.wait_s if error.wait_s is not None else wait_s))
            wait_s *= 2
    raise AssertionError("the last attempt returns or raises")


class _Passing(Exception):  # noqa: N818 (never leaves this module)
    """A failure that another attempt may not meet."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl, came_from=req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _check_scheme(url: str, *, came_from: str | None = None) -> None:
    scheme = urllib.parse.urlsplit(url).scheme.lower()
    if scheme not in _SCHEMES:
        raise DataError(f"{came_from or url}: only http and https are fetched, not {scheme or 'no scheme'!r}")
    if came_from is not None and scheme == "http" and came_from.lower().startswith("https:"):
        raise DataError(f"{came_from}: redirects from https to http, which is not followed")


def _opener() -> urllib.request.OpenerDirector:
    """Opens http and https and nothing else: no files, no ftp, no data."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SafeRedirects(),
    ):
        opener.add_handler(handler)
    return opener


def _fetch_once(url: str, *, max_bytes: int, config: FetchConfig) -> bytes:
    """One attempt; raises `_Passing` where another may succeed."""
    try:
        _check_scheme(url)
        request = urllib.request.Request(url, headers={"User-Agent": _AGENT})  # noqa: S310 (the scheme is checked)
        with _opener().open(request, timeout=config.timeout_s) as response:
            return b"".join(_body(response, url, max_bytes=max_bytes, deadline_s=config.deadline_s))
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in _WORTH_RETRYING:
                raise DataError(f"{url}: cannot be fetched (HTTP {error.code})") from error
            after = error.headers.get("Retry-After", "")
            wait_s = float(after) if after.isdecimal() else None
            raise _Passing(f"HTTP {error.code}", wait_s=wait_s) from error
    except (TimeoutError, urllib.error.URLError, ConnectionError) as error:
        raise _Passing("no answer" if isinstance(error, TimeoutError) else "no connection") from error
    except http.client.IncompleteRead as error:
        raise _Passing("the answer stops early") from error
    except (http.client.HTTPException, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{url}: cannot be fetched (not a valid address or answer)") from error


def _body(response: http.client.HTTPResponse, url: str, *, max_bytes: int, deadline_s: float) -> Iterator[bytes]:
    """The chunks of a body, as they come."""
    end = time.monotonic() + deadline_s
    expected = response.headers.get("Content-Length", "")
    num_bytes = int(expected) if expected.isdecimal() else 0
    received = 0
    while num_bytes <= max_bytes and (chunk := response.read1(_CHUNK_BYTES)):
        received += len(chunk)
        num_bytes = max(num_bytes, received)
        if time.monotonic() > end:
            raise _Passing(f"still not complete after {deadline_s:g} s")
        yield chunk
    if num_bytes > max_bytes:
        raise DataError(f"{url}: the answer is longer than the {max_bytes:,} bytes that are accepted")
    if received < num_bytes:
        raise _Passing("the answer stops early")
