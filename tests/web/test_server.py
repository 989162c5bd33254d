"""Where a page is served, to whom, and how it is stopped."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest

from farthing.base.errors import ConfigError
from farthing.web.server import Address, listen, url_of

WAIT_S = 60.0
PROGRAM = """
from farthing.web.server import Address, serve
from tests.web.pages import create_app
serve(create_app, address=Address(port=0), announce=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "192.168.1.7", "archive.example")),
    ],
)
def test_only_the_loopback_interface_needs_no_token(host: str, is_loopback: bool) -> None:
    assert Address(host=host).is_loopback == is_loopback


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_have_a_range(port: int) -> None:
    with pytest.raises(ConfigError, match="port must be from 0 to 65535"):
        Address(port=port)


def test_by_default_nothing_else_can_reach_it() -> None:
    with listen(Address(port=0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert url_of(listener, Address(port=0), None) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_the_address_carries_the_token_and_brackets() -> None:
    with listen(Address(port=0)) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener, Address(host="::1"), "a-b") == f"http://[::1]:{port}/?token=a-b"


def test_a_taken_port_is_an_error_that_says_what_to_do() -> None:
    with listen(Address(port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: cannot be listened on .* choose another --port"):
            listen(Address(port=port))


def test_a_host_that_is_elsewhere_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"256\.1\.1\.1"):
        listen(Address(host="256.1.1.1"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_stopped_and_then_the_program_goes_on(number: int) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(url, trust_env=False).status_code == 200
        process.send_signal(number)
        assert process.communicate(timeout=WAIT_S)[0] == "stopped\n"
