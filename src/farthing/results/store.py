"""One SQLite file that holds what was found on the pages of a collection and what people decided about it.

It is the only writer of decisions. Every method that changes something returns after its transaction is on the disk
(write-ahead log, `synchronous=FULL`), so what was acknowledged survives a kill and a power cut. A store may be used
from several threads, and one process may read while another writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from farthing.base.errors import DataError, FormatError
from farthing.results.database import Database, Tables, now
from farthing.results.rows import BoxRow, Decision, DocumentRow, MadeBy, Order, PageQuery, PageRow

STORE_FILE = "store.sqlite"
_SCHEMA = """
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
"""
_VIEWS = """
CREATE TEMP VIEW page_rows AS SELECT
  pages.*,
  (SELECT contains FROM decisions WHERE page_id = pages.id AND undone = 0 ORDER BY id DESC LIMIT 1) AS decision,
  (SELECT json_group_object(class, score) FROM scores WHERE page_id = pages.id) AS class_scores
FROM pages;
"""
_SET_KEEP = """
UPDATE pages SET keep = state = 'ok' AND COALESCE(
  (SELECT decision FROM page_rows WHERE page_rows.id = pages.id),
  score >= (SELECT json_extract(value, '$') FROM meta WHERE key = 'threshold'),
  0
)"""
_PUT_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
_ADD_PAGE = """
INSERT INTO pages (page, document, width, height, score, keep, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (page) DO UPDATE SET width = excluded.width, height = excluded.height, score = excluded.score,
  keep = excluded.keep, state = excluded.state, reason = excluded.reason
WHERE pages.state = 'failed'
RETURNING id"""
_SET_DECIDED_KEEP = f"{_SET_KEEP} WHERE id = ? AND id IN (SELECT page_id FROM decisions)"  # noqa: S608 - our own words
_ORDERS = {
    ("id", False): "id",
    ("id", True): "id DESC",
    ("page", False): "page",
    ("page", True): "page DESC",
    ("score", False): "score, id",
    ("score", True): "score DESC, id",
}


class Store(Database):
    """The pages, boxes and decisions of one filtered collection."""

    tables = Tables(kind=1718776952, version=1, schema=_SCHEMA, views=_VIEWS)

    @classmethod
    def create(cls, path: Path, **facts: object) -> Store:
        """A new store without pages; the facts are those of `set_meta`.

        Raises:
            DataError: the file exists or cannot be written.
        """
        cls.make(path, [(_PUT_META, (key, _to_json(value))) for key, value in facts.items()])
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Store:
        """The store in an existing file.

        Raises:
            FormatError: missing, damaged, not a store, or of another version.
        """
        if not path.is_file():
            raise FormatError(f"{path}: there is no store here; make one with: farthing documents filter")
        return cls(path)

    # ---- pages

    def add_pages(self, rows: Iterable[tuple[PageRow, Sequence[BoxRow]]]) -> None:
        """Adds pages with their boxes, all or none of them; `decision` is not read.

        A page that failed before takes what is said of it now, in its old place; what a person decided stays.

        Raises:
            DataError: a page that the store already has, read.
        """
        with self._transaction() as connection:
            for row, boxes in rows:
                state = "ok" if row.failure is None else "failed"
                values = (row.page, row.document, row.width, row.height, row.score, int(row.keep), state, row.failure)
                added = connection.execute(_ADD_PAGE, values).fetchone()
                if added is None:
                    raise DataError(f"{self.path}: has page {row.page!r} already")
                (page_id,) = added
                connection.execute(_SET_DECIDED_KEEP, added)
                connection.executemany(
                    "INSERT INTO scores VALUES (?, ?, ?)",
                    [(page_id, label, score) for label, score in row.scores.items()],
                )
                self._insert_boxes(page_id, boxes)

    def has_page(self, page: str) -> bool:
        """Whether the page was added, read or failed."""
        return bool(self._value("SELECT EXISTS (SELECT 1 FROM pages WHERE page = ?)", page))

    def page(self, page: str) -> PageRow:
        """One page.

        Raises:
            DataError: the store has no such page.
        """
        for values in self._rows("SELECT * FROM page_rows WHERE page = ?", page):
            return _page_row(values)
        raise self._no_page(page)

    def pages(
        self,
        query: PageQuery | None = None,
        *,
        order: Order = "id",
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[PageRow]:
        """The pages that are meant, one at a time; equal scores in the order in which pages were added.

        Args:
            query: which ones; None for all.
            order: `id` is the order in which they were added, that of the collection.
            descending: largest first.
            limit: at most so many; None for all.
            offset: so many left out at the start.
        """
        where, values = (query or PageQuery()).sql()
        # Safe: both are put together from this package's own words.
        text = f"SELECT * FROM page_rows WHERE {where} ORDER BY {_ORDERS[order, descending]} LIMIT ? OFFSET ?"  # noqa: S608
        for row in self._rows(text, *values, -1 if limit is None else limit, offset):
            yield _page_row(row)

    def count(self, query: PageQuery | None = None) -> int:
        """How many pages are meant."""
        where, values = (query or PageQuery()).sql()
        return int(self._value(f"SELECT COUNT(*) FROM page_rows WHERE {where}", *values))  # noqa: S608 - as above

    def damage(self) -> list[str]:
        """What is wrong with the file; nothing, if it is whole."""
        return [str(finding) for (finding,) in self._rows("PRAGMA integrity_check") if finding != "ok"]

    def documents(self) -> Iterator[DocumentRow]:
        """Every document, in the order in which its first page was added."""
        text = """
            SELECT groups.document, num_pages, num_kept, best, page FROM (
              SELECT document, COUNT(*) AS num_pages, SUM(keep) AS num_kept, MAX(score) AS best, MIN(id) AS first,
                MIN(CASE WHEN keep THEN id END) AS first_kept
              FROM pages GROUP BY document
            ) AS groups LEFT JOIN pages ON pages.id = first_kept ORDER BY first"""
        for document, num_pages, num_kept, score, first_kept in self._rows(text):
            yield DocumentRow(
                document=document, num_pages=num_pages, num_kept=num_kept, score=score, first_kept=first_kept
            )

    def histogram(self, num_bins: int) -> tuple[list[int], list[int]]:
        """How many kept and how many rejected pages score in each of `num_bins` equal parts of [0, 1]."""
        kept, rejected = [0] * num_bins, [0] * num_bins
        text = """
            SELECT MIN(CAST(score * ? AS INTEGER), ?), keep, COUNT(*)
            FROM pages WHERE score IS NOT NULL GROUP BY 1, 2"""
        for position, keep, count in self._rows(text, num_bins, num_bins - 1):
            (kept if keep else rejected)[position] = count
        return kept, rejected

    def class_counts(self, threshold: float) -> dict[str, tuple[int, int]]:
        """Per class, how many pages score from `threshold`, and how many boxes do or were drawn."""
        pages = "SELECT class, SUM(score >= ?) FROM scores GROUP BY class"
        boxes = "SELECT class, COUNT(*) FROM boxes WHERE removed = 0 AND COALESCE(score >= ?, 1) GROUP BY class"
        num_boxes = dict(self._rows(boxes, threshold))
        return {name: (count, num_boxes.get(name, 0)) for name, count in self._rows(pages, threshold)}

    def set_threshold(self, threshold: float) -> None:
        """Keeps the pages from this score on, and those that a person wants; remembered for later decisions."""
        with self._transaction() as connection:
            self._put_meta("threshold", threshold)
            connection.execute(_SET_KEEP)

    # ---- boxes

    def boxes(self, page: str) -> list[BoxRow]:
        """The boxes of a page that nobody removed, best first, drawn ones last."""
        return [
            BoxRow(label=label, x0=x0, y0=y0, x1=x1, y1=y1, score=score, source=source)
            for label, x0, y0, x1, y1, score, source in self._rows(
                "SELECT boxes.class, x0, y0, x1, y1, boxes.score, source FROM boxes JOIN pages"
                " ON pages.id = page_id WHERE page = ? AND removed = 0 ORDER BY boxes.score DESC, boxes.id",
                page,
            )
        ]

    def replace_boxes(self, page: str, boxes: Sequence[BoxRow]) -> None:
        """Makes these the boxes of the page: others are marked as removed, new ones are recorded as a person's.

        A box counts as the same if its class and its corners are equal. One that comes back is what it was before it
        was removed: the model's, with its score, or a person's.

        Raises:
            DataError: the store has no such page.
        """
        with self._transaction() as connection:
            page_id = self._page_id(page)
            wanted = {(box.label, box.x0, box.y0, box.x1, box.y1) for box in boxes}
            known = connection.execute(
                "SELECT id, class, x0, y0, x1, y1 FROM boxes WHERE page_id = ? ORDER BY removed DESC, id", (page_id,)
            ).fetchall()
            # Of equal boxes the one that is shown, or else the newest one.
            kept = {tuple(place): box_id for box_id, *place in known if tuple(place) in wanted}
            connection.execute("UPDATE boxes SET removed = 1 WHERE page_id = ?", (page_id,))
            connection.executemany("UPDATE boxes SET removed = 0 WHERE id = ?", [(box_id,) for box_id in kept.values()])
            drawn = [
                BoxRow(label=label, x0=x0, y0=y0, x1=x1, y1=y1, source="person")
                for label, x0, y0, x1, y1 in sorted(wanted - set(kept))
            ]
            self._insert_boxes(page_id, drawn)

    # ---- decisions

    def decide(self, page: str, contains: bool, made_by: MadeBy) -> None:
        """Records what a person said about a page; the last decision counts, earlier ones stay in the history.

        Raises:
            DataError: the store has no such page.
        """
        self.decide_all({page: contains}, made_by)

    def decide_all(self, answers: Mapping[str, bool], made_by: MadeBy) -> None:
        """Records several decisions, all or none of them.

        Raises:
            DataError: the store lacks one of the pages.
        """
        made_at = now()
        with self._transaction() as connection:
            for page, contains in answers.items():
                page_id = self._page_id(page)
                connection.execute(
                    "INSERT INTO decisions (page_id, contains, made_at, made_by) VALUES (?, ?, ?, ?)",
                    (page_id, int(contains), made_at, made_by),
                )
                connection.execute(f"{_SET_KEEP} WHERE id = ?", (page_id,))

    def undo(self) -> str | None:
        """Takes back the last decision made on the review page; returns its page, or None if there is none."""
        with self._transaction() as connection:
            last = connection.execute(
                "SELECT decisions.id, pages.id, page FROM decisions JOIN pages ON pages.id = page_id"
                " WHERE undone = 0 AND made_by = 'review' ORDER BY decisions.id DESC LIMIT 1"
            ).fetchone()
            if last is None:
                return None
            decision_id, page_id, page = last
            connection.execute("UPDATE decisions SET undone = 1 WHERE id = ?", (decision_id,))
            connection.execute(f"{_SET_KEEP} WHERE id = ?", (page_id,))
            return str(page)

    def decisions(self) -> dict[str, bool]:
        """The decision that counts for each page that has one: its latest that is not undone."""
        return {
            page: bool(contains)
            for page, contains in self._rows(
                "SELECT page, contains FROM decisions JOIN pages ON pages.id = page_id WHERE undone = 0"
                " ORDER BY decisions.id"
            )
        }

    def history(self) -> Iterator[Decision]:
        """Every decision ever made, oldest first."""
        for page, contains, made_at, made_by, undone in self._rows(
            "SELECT page, contains, made_at, made_by, undone FROM decisions JOIN pages ON pages.id = page_id"
            " ORDER BY decisions.id"
        ):
            yield Decision(page=page, contains=bool(contains), made_at=made_at, made_by=made_by, is_undone=bool(undone))

    # ---- facts

    def meta(self) -> dict[str, Any]:  # Any: JSON
        """All facts about the collection as a whole, by name."""
        return {key: msgspec.json.decode(value) for key, value in self._rows("SELECT key, value FROM meta")}

    def set_meta(self, **facts: object) -> None:
        """Records facts, each anything that JSON can hold, in place of earlier ones of that name."""
        with self._transaction():
            for key, value in facts.items():
                self._put_meta(key, value)

    # ---- SQLite

    def _put_meta(self, key: str, value: object) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, msgspec.json.encode(value).decode())
        )

    def _insert_boxes(self, page_id: int | None, boxes: Iterable[BoxRow]) -> None:
        self._connection.executemany(
            "INSERT INTO boxes (page_id, class, x0, y0, x1, y1, score, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(page_id, box.label, box.x0, box.y0, box.x1, box.y1, box.score, box.source) for box in boxes],
        )

    def _page_id(self, page: str) -> int:
        found = self._connection.execute("SELECT id FROM pages WHERE page = ?", (page,)).fetchone()
        if found is None:
            raise self._no_page(page)
        return int(found[0])

    def _no_page(self, page: str) -> DataError:
        return DataError(f"{self.path}: has no page {page!r}; pages are named as in pages.csv")


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _page_row(values: tuple[Any, ...]) -> PageRow:  # Any: what SQLite holds
    _, page, document, width, height, score, keep, _, reason, decision, scores = values
    return PageRow(
        page=page,
        document=document,
        width=width,
        height=height,
        score=score,
        scores=msgspec.json.decode(scores),
        keep=bool(keep),
        failure=reason,
        decision=None if decision is None else bool(decision),
    )
