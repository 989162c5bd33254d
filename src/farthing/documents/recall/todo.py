"""The list of pages to look at, and a person's answers: a CSV file with the columns page and contains."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from farthing.base.errors import DataError
from farthing.base.files import atomic_path

COLUMNS = ("page", "contains")
_ANSWERS = {"1": True, "0": False, "true": True, "false": False, "yes": True, "no": False, "y": True, "n": False}


def write_todo(path: Path, pages: Iterable[str], answers: Mapping[str, bool]) -> None:
    """Writes the pages, one a row; `contains` is empty where nobody answered yet, else 1 or 0."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for page in pages:
            answer = answers.get(page)
            writer.writerow([page, "" if answer is None else int(answer)])


def read_labels(path: Path) -> dict[str, bool]:
    """The answers in a file: every page whose `contains` is filled in, with 1 or 0 (true, false, yes, no do too).

    Commas, semicolons and tabs may separate the columns, as spreadsheets write them.

    Raises:
        DataError: the file cannot be read, lacks a column, has an answer of another kind, or two for one page.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: must be text in UTF-8 ({error}); save it as CSV UTF-8") from error
    lines = text.splitlines()
    separator = max(",;\t", key=lines[0].count) if lines else ","
    rows = csv.DictReader(lines, delimiter=separator)
    if not set(COLUMNS) <= set(rows.fieldnames or ()):
        raise DataError(
            f"{path}: needs the columns page and contains, has {', '.join(rows.fieldnames or ()) or 'none'}"
        )
    answers: dict[str, bool] = {}
    for row in rows:
        page, told = row["page"] or "", (row["contains"] or "").strip().lower()
        if not told:
            continue
        answer = _ANSWERS.get(told)
        if answer is None:
            raise DataError(f"{path}:{rows.line_num}: contains must be 1 or 0, got {row['contains']!r} for {page}")
        if answers.setdefault(page, answer) != answer:
            raise DataError(f"{path}:{rows.line_num}: {page} is answered with both 1 and 0")
    return answers
