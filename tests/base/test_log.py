from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import pytest

from farthing.base import log


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("farthing", "py.warnings")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    logging.captureWarnings(capture=False)
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [(-7, ["warning"]), (-1, ["warning"]), (0, ["info", "warning"]), (1, ["debug", "info", "warning"])],
)
def test_verbosity_chooses_what_reaches_standard_error(
    verbosity: int, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(verbosity)
    logger = logging.getLogger("farthing.somewhere")
    logger.debug("debug")
    logger.info("info")
    logger.warning("warning")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split()[-1] for line in captured.err.splitlines()] == shown


def test_a_second_call_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(0)
    log.configure(0)
    logging.getLogger("farthing").info("once")
    assert capsys.readouterr().err == "once\n"


def test_python_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.configure(0)
        warnings.warn("old name", FutureWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "FutureWarning: old name" in capsys.readouterr().err
