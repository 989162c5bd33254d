"""Log output of the command line.

The library only ever calls `logging.getLogger(__name__)`; `configure` is called once, by `farthing.cli`.
"""

from __future__ import annotations

import logging
import sys

_LEVELS = {-1: logging.WARNING, 0: logging.INFO, 1: logging.DEBUG}
_PLAIN = "%(message)s"
_DETAILED = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(verbosity: int) -> None:
    """Sends the messages of `farthing` loggers, and Python warnings, to standard error.

    A second call replaces the first.

    Args:
        verbosity: -1 shows warnings and errors only, 0 also what happens, 1 also the details with time and logger
            name. Values outside are clamped.
    """
    verbosity = max(min(verbosity, 1), -1)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_DETAILED if verbosity > 0 else _PLAIN))
    logging.captureWarnings(capture=True)
    for name in ("farthing", "py.warnings"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(_LEVELS[verbosity])
        logger.propagate = False
