"""The model in use, and how another takes its place: loaded and checked before the old one is let go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from farthing.base.errors import FarthingError
from farthing.serve.metrics import Metrics

WATCH_S = 1.0
"""How often the folder is looked at."""

_log = logging.getLogger(__name__)


class Servable(Protocol):
    """A loaded model."""

    @property
    def hash(self) -> str:
        """Tells models apart, in answers, metrics and the log."""


Model = TypeVar("Model", bound=Servable)


class CurrentModel(Generic[Model]):
    """A model folder that may be replaced while it is served."""

    def __init__(self, folder: Path, load: Callable[[Path], Model], metrics: Metrics) -> None:
        """Loads the first model.

        Args:
            folder: is replaced as a whole, as `export` does it.
            load: checks the folder and gives its model.
            metrics: counts what is loaded.

        Raises:
            FormatError: from `load`.
        """
        self._folder, self._load, self._metrics = folder, load, metrics
        self._seen = _stamp(folder)
        self.model = load(folder)
        metrics.model_hash = self.model.hash
        self._lock = asyncio.Lock()

    async def watch(self) -> None:
        """Loads the folder again whenever it was replaced; runs until it is cancelled."""
        while True:
            await asyncio.sleep(WATCH_S)
            if _stamp(self._folder) != self._seen:
                await self.reload()

    async def reload(self) -> None:
        """Takes the folder's model as it is now; a bad one is refused, and the log and the metrics say so."""
        async with self._lock:
            self._seen = _stamp(self._folder)
            try:
                model = await asyncio.get_running_loop().run_in_executor(None, self._load, self._folder)
            except (FarthingError, OSError) as error:
                self._metrics.reloads["refused"] += 1
                _log.error("%s: not loaded, model %s goes on: %s", self._folder, self.model.hash, error)
                return
            self._metrics.reloads["loaded"] += 1
            self._metrics.model_hash = model.hash
            _log.info("%s: model %s takes the place of %s", self._folder, model.hash, self.model.hash)
            self.model = model


def _stamp(folder: Path) -> tuple[int, int] | None:
    """What changes when a folder is replaced: its file of checksums is another one."""
    try:
        status = (folder / "SHA256SUMS").stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
