"""`farthing recommend serve`: a model folder behind HTTP until it is stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from farthing.recommend.service import ScoreService, ServedModel
from farthing.serve.app import Limits, create_app
from farthing.serve.metrics import Metrics
from farthing.serve.models import CurrentModel
from farthing.serve.server import listen, on_hangup, read_token, serve

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeConfig:
    """How a model is served.

    Attributes:
        host: where to listen.
        port: TCP port; 0 takes a free one.
        threads: of one call of the model.
        max_batch: rows of one request, and of one call.
        max_body: bytes of a request.
        token_file: holds the token that requests must carry.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 1
    max_batch: int = 4096
    max_body: int = 1_000_000
    token_file: Path | None = None


def serve_model(folder: Path, config: ServeConfig, *, announce: Callable[[str], None]) -> None:
    """Serves until Ctrl-C or SIGTERM.

    Args:
        folder: of the model.
        config: how.
        announce: told the address, once requests are taken.

    Raises:
        FormatError: the folder is damaged, or holds something else.
        ConfigError: the address is taken or needs a token.
    """
    token = read_token(config.token_file, config.host)
    torch.set_num_threads(config.threads)
    metrics = Metrics()
    current = CurrentModel(folder, ServedModel.load, metrics)
    limits = Limits(max_batch=config.max_batch, max_body=config.max_body)
    listener = listen(config.host, config.port)
    host = f"[{config.host}]" if ":" in config.host else config.host
    url = f"http://{host}:{listener.getsockname()[1]}/"

    def start() -> None:
        on_hangup(current.reload)
        announce(url)

    app = create_app(ScoreService(), current, metrics, limits=limits, token=token, on_start=start)
    serve(app, listener)
