from __future__ import annotations

import gc
from pathlib import Path

import pytest
import uvicorn

from farthing.base.errors import ConfigError, DataError
from farthing.serve.doorkeeper import Doorkeeper
from farthing.serve.metrics import Metrics
from farthing.serve.server import listen, read_token, serve
from farthing.serve.sizes import parse_bytes


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.4.5", "::1", "localhost"])
def test_this_computer_needs_no_token(host: str) -> None:
    assert read_token(None, host) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "archive.example"])
def test_others_do(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--token-file must name a file"):
        read_token(None, host)
    (tmp_path / "token").write_text("0123456789abcdef\n")
    assert read_token(tmp_path / "token", host) == "0123456789abcdef"


@pytest.mark.parametrize("text", ["", "short", "with a space in it, long", "0123456789abcdef\nmore"])
def test_a_token_that_can_be_guessed_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(ConfigError, match="a token is one word of at least 16 characters"):
        read_token(tmp_path / "token", "::")


def test_a_token_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_token(tmp_path / "none", "::")


@pytest.mark.parametrize("port", [-1, 65_536])
def test_ports_have_a_range(port: int) -> None:
    with pytest.raises(ConfigError, match="--port must be from 0 to 65535"):
        listen("127.0.0.1", port)


def test_a_taken_port_is_an_error() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(ConfigError, match="choose another --port"):
        listen("127.0.0.1", first.getsockname()[1])


def test_what_is_loaded_is_not_looked_through_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    num_frozen: list[int] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda _, sockets: num_frozen.append(gc.get_freeze_count()))
    metrics = Metrics()
    with listen("127.0.0.1", 0) as listener:
        serve(Doorkeeper(app=lambda *_: None, metrics=metrics), listener)  # type: ignore[arg-type]
    assert num_frozen[0] > 10_000
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("12 B", 12), ("500kB", 500_000), ("1MB", 1_000_000), ("2MiB", 2 << 20)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MB", "0", "-1", "1.5MB", "1GB", "1e6"])
def test_other_sizes_are_errors(text: str) -> None:
    with pytest.raises(ConfigError, match="a size is a number above 0 with a unit"):
        parse_bytes(text)
