"""Rows that break their format: counted, kept in a file, tolerated up to a fraction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from farthing.base.errors import DataError
from farthing.base.files import atomic_path

HOPELESS_FRACTION = 0.5


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: where it is, the rule that it breaks, and what it says."""

    path: Path
    line: int
    reason: str
    text: str


class RejectLog:
    """Collects bad rows in a tab-separated file (file, line, reason, text) that appears when the first one comes.

    Used as a context manager: the file is complete, under its own name, when the block ends, also by an error.
    """

    def __init__(self, path: Path | None, *, max_bad: float) -> None:
        """Opens nothing yet.

        Args:
            path: the file for the rows, where an older one is removed; None keeps no file.
            max_bad: the fraction of all rows, in [0, 1], that may be bad.

        Raises:
            DataError: `max_bad` is outside [0, 1].
        """
        if not 0.0 <= max_bad <= 1.0:
            raise DataError(f"max_bad is a fraction of the rows, from 0 to 1, and not {max_bad}")
        self._path = path
        self._max_bad = max_bad
        self._first: BadRow | None = None
        self._stream: IO[str] | None = None
        self.num_bad = 0
        self.num_rows = 0

    def __enter__(self) -> RejectLog:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, rows: Iterable[BadRow]) -> None:
        """Keeps bad rows; their file is created with the first."""
        for row in rows:
            self._first = self._first or row
            self.num_bad += 1
            if self._path is not None:
                self._stream = self._stream or _create(self._path)
                self._stream.write(f"{row.path}\t{row.line}\t{row.reason}\t{row.text}\n")

    def count(self, num_rows: int) -> None:
        """Adds `num_rows` rows, bad ones included, to the total, and gives up early where there is no hope.

        Raises:
            DataError: more than half of the rows so far are bad, and more than `max_bad`; or one is and none may be.
        """
        self.num_rows += num_rows
        hopeless = max(self._max_bad, HOPELESS_FRACTION) if self._max_bad else 0.0
        if self.num_bad > hopeless * self.num_rows:
            raise self._error()

    def finish(self) -> None:
        """Judges the whole log.

        Raises:
            DataError: more than `max_bad` of all rows are bad.
        """
        if self.num_bad > self._max_bad * self.num_rows:
            raise self._error()

    def _error(self) -> DataError:
        first = self._first
        assert first is not None
        where = f"{first.path}:{first.line}: {first.reason}"
        if self._path is None:
            return DataError(f"{where}; correct the row, or leave it out")
        return DataError(
            f"{where}; {self.num_bad:,} of {self.num_rows:,} rows are bad and --max-bad {self._max_bad:g} allows "
            f"{int(self._max_bad * self.num_rows):,}. All are listed in {self._path}: correct the log, or raise "
            "--max-bad to go on without them"
        )


def _create(path: Path) -> IO[str]:
    with atomic_path(path) as temporary:
        temporary.write_text("file\tline\treason\ttext\n")
    return path.open("a", encoding="utf-8", errors="backslashreplace")
