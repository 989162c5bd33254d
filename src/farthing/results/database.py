"""SQLite files of decisions: how one is made, recognised and used, whatever its tables hold.

Every transaction is on the disk before the method that made it returns (write-ahead log, `synchronous=FULL`). Several
threads may use one connection in turns, and one process may read while another writes.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from farthing.base.errors import DataError, FormatError
from farthing.base.files import atomic_path

_BUSY_TIMEOUT_S = 10.0
_FETCH = 500
_SESSION = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"

Own = TypeVar("Own", bound="Database")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tables:
    """What one kind of file holds.

    Attributes:
        kind: the number by which a file of this kind is known.
        version: of the tables; grows when they change.
        schema: statements that make the tables.
        views: statements that each connection begins with.
    """

    kind: int
    version: int
    schema: str
    views: str = ""


class Database:
    """One file; a context manager that closes it.

    Attributes:
        tables: of this kind of file.
        path: the file.
    """

    tables: ClassVar[Tables]

    def __init__(self, path: Path) -> None:
        """Opens an existing file.

        Raises:
            FormatError: damaged, not of this kind, or of another version.
            DataError: cannot be opened.
        """
        self.path = path
        self._lock = threading.RLock()
        self._connection = _opened(path, self.tables)

    @classmethod
    def make(cls, path: Path, filled_by: Sequence[tuple[str, Sequence[object]]] = ()) -> None:
        """Writes a new file, whole or not at all.

        Args:
            path: the file.
            filled_by: statements with their values that follow those that make the tables.

        Raises:
            DataError: the file exists or cannot be written.
        """
        if path.exists():
            raise DataError(f"{path}: exists and may hold decisions; choose another folder, or go on with this one")
        tables = cls.tables
        kind = f"PRAGMA application_id = {tables.kind}; PRAGMA user_version = {tables.version};"
        with atomic_path(path) as new, closing(_connect(new, tables)) as connection, database_errors(path):
            connection.executescript(f"BEGIN; {kind} {tables.schema} COMMIT;")
            for statement, values in filled_by:
                connection.execute(statement, values)

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._connection.close()

    def _value(self, text: str, *values: object) -> Any:  # Any: what SQLite holds
        with self._lock, database_errors(self.path):
            return self._connection.execute(text, values).fetchone()[0]

    def _rows(self, text: str, *values: object) -> Iterator[tuple[Any, ...]]:  # Any: what SQLite holds
        """The rows of a query, a few hundred at a time, so that no lock is held while they are used."""
        with self._lock, database_errors(self.path):
            cursor = self._connection.execute(text, values)
        while True:
            with self._lock, database_errors(self.path):
                rows = cursor.fetchmany(_FETCH)
            yield from rows
            if len(rows) < _FETCH:
                return

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, database_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()


def now() -> str:
    """The time, as it stands beside a decision."""
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")


def _opened(path: Path, tables: Tables) -> sqlite3.Connection:
    connection = _connect(path, tables)
    expected = [tables.kind, tables.version]
    with database_errors(path):
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if found == expected:
            connection.execute("PRAGMA journal_mode = WAL")
            return connection
    connection.close()
    raise FormatError(f"{path}: application and version must be {expected} in a store of this version, got {found}")


def _connect(path: Path, tables: Tables) -> sqlite3.Connection:
    with database_errors(path):
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.executescript(_SESSION + tables.views)
        return connection


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Raises SQLite's errors about this file as ours.

    Raises:
        DataError: it cannot be read or written, or an entry breaks a rule.
        FormatError: it is damaged or no store.
    """
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise DataError(f"{path}: refused ({error})") from error
    except (sqlite3.OperationalError, UnicodeEncodeError) as error:
        raise DataError(f"{path}: cannot be read or written ({error})") from error
    except sqlite3.DatabaseError as error:
        raise FormatError(f"{path}: not a store, or damaged ({error})") from error
