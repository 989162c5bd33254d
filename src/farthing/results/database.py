"""The SQLite file of a result store: its tables, how it is made, opened and recognised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from farthing.base.errors import DataError, FormatError
from farthing.base.files import atomic_path

_KIND = [1718776952, 1]  # application_id and user_version below; the second grows when the tables change
_BUSY_TIMEOUT_S = 10.0
_SCHEMA = """
BEGIN;
PRAGMA application_id = 1718776952;
PRAGMA user_version = 1;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE pages (
  id INTEGER PRIMARY KEY, page TEXT NOT NULL UNIQUE, document TEXT NOT NULL, width INTEGER NOT NULL,
  height INTEGER NOT NULL, score REAL, keep INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('ok', 'failed')),
  reason TEXT
) STRICT;
CREATE TABLE scores (
  page_id INTEGER NOT NULL REFERENCES pages, class TEXT NOT NULL, score REAL NOT NULL, PRIMARY KEY (page_id, class)
) STRICT, WITHOUT ROWID;
CREATE TABLE boxes (
  id INTEGER PRIMARY KEY, page_id INTEGER NOT NULL REFERENCES pages, class TEXT NOT NULL, x0 REAL NOT NULL,
  y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, score REAL,
  source TEXT NOT NULL CHECK (source IN ('model', 'person')), removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, page_id INTEGER NOT NULL REFERENCES pages, contains INTEGER NOT NULL,
  made_at TEXT NOT NULL, made_by TEXT NOT NULL CHECK (made_by IN ('review', 'file')), undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pages_by_score ON pages (score, id);
CREATE INDEX pages_by_document ON pages (document);
CREATE INDEX boxes_by_page ON boxes (page_id);
CREATE INDEX decisions_by_page ON decisions (page_id);
COMMIT;
"""
_CONNECTION = """
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
CREATE TEMP VIEW page_rows AS SELECT
  pages.*,
  (SELECT contains FROM decisions WHERE page_id = pages.id AND undone = 0 ORDER BY id DESC LIMIT 1) AS decision,
  (SELECT json_group_object(class, score) FROM scores WHERE page_id = pages.id) AS class_scores
FROM pages;
"""


def create_database(path: Path, facts: Mapping[str, object]) -> None:
    """Writes a file with these facts in `meta` and nothing in the other tables, whole or not at all.

    Raises:
        DataError: the file exists or cannot be written.
    """
    if path.exists():
        raise DataError(f"{path}: exists and may hold decisions; choose another folder, or go on with this one")
    with atomic_path(path) as temporary, closing(_connect(temporary)) as connection, database_errors(path):
        connection.executescript(_SCHEMA)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [(key, to_json(value)) for key, value in facts.items()]
        )


def to_json(value: object) -> str:
    """The value as it stands in `meta`."""
    return msgspec.json.encode(value).decode()


def open_database(path: Path) -> sqlite3.Connection:
    """A connection that several threads may use in turns, and on which a commit waits for the disk.

    Beside the tables it has the view `page_rows`: pages with the decision that counts and all class scores as JSON.

    Raises:
        FormatError: missing, damaged, not a store, or of another version.
        DataError: cannot be opened.
    """
    if not path.is_file():
        raise FormatError(f"{path}: there is no store here; make one with: farthing documents filter")
    connection = _connect(path)
    with database_errors(path):
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if found == _KIND:
            connection.execute("PRAGMA journal_mode = WAL")
            return connection
    connection.close()
    raise FormatError(f"{path}: application and version must be {_KIND} in a store of this version, got {found}")


def _connect(path: Path) -> sqlite3.Connection:
    with database_errors(path):
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.executescript(_CONNECTION)
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
