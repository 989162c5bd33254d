"""One SQLite file that holds what people decided about the classes of a collection of images.

It holds everything that its decisions are about: the class that each image was given when a round of decisions began,
and every change since. So they stay readable after the files beside it have been written anew. Every method that
changes something returns after its transaction is on the disk (write-ahead log, `synchronous=FULL`). A store may be
used from several threads, and one process may read while another writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from farthing.results.database import Database, Tables, now

CLASS_STORE_FILE = "decisions.sqlite"
_SCHEMA = """
CREATE TABLE rounds (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, begun_at TEXT NOT NULL) STRICT;
CREATE TABLE images (id INTEGER PRIMARY KEY, image TEXT NOT NULL UNIQUE, class TEXT, is_new INTEGER NOT NULL) STRICT;
CREATE TABLE labels (image TEXT PRIMARY KEY, class TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, round_id INTEGER NOT NULL REFERENCES rounds, change TEXT NOT NULL,
  made_at TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0
) STRICT;
"""
_LAST_ROUND = "(SELECT MAX(id) FROM rounds)"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassedImage:
    """An image and the class that it was given.

    Attributes:
        image: its name.
        label: of its class; None where it has none.
        is_new: whether the class was found rather than known.
    """

    image: str
    label: str | None
    is_new: bool


class ClassStore(Database):
    """The decisions about one collection.

    Decisions are made in rounds. A round starts from one sorting of the images; what the earlier rounds came to is kept
    as labels.
    """

    tables = Tables(kind=1718776953, version=1, schema=_SCHEMA)

    @classmethod
    def open(cls, path: Path) -> ClassStore:
        """The store in a file, which is made where there is none.

        Raises:
            FormatError: damaged, not a store of decisions, or of another version.
            DataError: the file cannot be opened or written.
        """
        if not path.exists():
            cls.make(path)
        return cls(path)

    @property
    def source(self) -> str | None:
        """What names the sorting that the current round started from; None before the first round."""
        return next(
            (str(source) for (source,) in self._rows("SELECT source FROM rounds ORDER BY id DESC LIMIT 1")), None
        )

    def begin_round(self, source: str, images: Sequence[ClassedImage], labels: Mapping[str, str]) -> None:
        """Starts from another sorting of the images; earlier changes stay in the history and count no more.

        Args:
            source: names the sorting, such as the checksum of its file.
            images: all of them, in an order that stays.
            labels: what the rounds before came to, by image.

        Raises:
            DataError: an image comes twice, or the file cannot be written.
        """
        with self._transaction() as connection:
            connection.execute("INSERT INTO rounds (source, begun_at) VALUES (?, ?)", (source, now()))
            connection.execute("DELETE FROM images")
            connection.execute("DELETE FROM labels")
            rows = [(number, row.image, row.label, int(row.is_new)) for number, row in enumerate(images)]
            connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", rows)
            connection.executemany("INSERT INTO labels VALUES (?, ?)", list(labels.items()))

    def images(self) -> list[ClassedImage]:
        """The sorting that the current round started from."""
        rows = self._rows("SELECT image, class, is_new FROM images ORDER BY id")
        return [ClassedImage(image=image, label=label, is_new=bool(is_new)) for image, label, is_new in rows]

    def labels(self) -> dict[str, str]:
        """What the rounds before this one came to: the class of each image that a person decided about."""
        return dict(self._rows("SELECT image, class FROM labels ORDER BY image"))

    def add_change(self, change: str) -> None:
        """Records a change of the current round.

        Raises:
            DataError: no round has begun, or the file cannot be written.
        """
        with self._transaction() as connection:
            connection.execute(
                f"INSERT INTO changes (round_id, change, made_at) VALUES ({_LAST_ROUND}, ?, ?)",  # noqa: S608 - ours
                (change, now()),
            )

    def undo(self) -> bool:
        """Takes back the last change of the current round; False where there is none."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE changes SET undone = 1 WHERE id ="  # noqa: S608 - ours
                f" (SELECT MAX(id) FROM changes WHERE undone = 0 AND round_id = {_LAST_ROUND})"
            )
            return cursor.rowcount == 1

    def changes(self) -> list[str]:
        """The changes of the current round that are not undone, oldest first."""
        query = f"SELECT change FROM changes WHERE undone = 0 AND round_id = {_LAST_ROUND} ORDER BY id"  # noqa: S608
        return [str(change) for (change,) in self._rows(query)]

    def history(self) -> list[tuple[str, bool]]:
        """Every change ever made and whether it is undone, oldest first."""
        return [(str(change), bool(undone)) for change, undone in self._rows("SELECT change, undone FROM changes")]
