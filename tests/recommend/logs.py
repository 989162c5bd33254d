"""Small click logs for the tests of `recommend`: written as text, drawn by hypothesis."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from farthing.recommend.dataset import Dataset
from farthing.recommend.detect import Choices
from farthing.recommend.schema import SPLITS
from tests.reference.prepare import LogRow

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="|\x85\u2028\u2029"), max_size=14)
_VALUES = st.one_of(st.sampled_from(["a", "b", "c", "10", "2", ""]), _TEXT)
_NUMBERS = st.one_of(st.none(), st.integers(-5, 10**6), st.decimals(-99, 99, places=2).map(float))


@st.composite
def log_rows(draw: st.DrawFn) -> list[LogRow]:
    """Rows with up to 2 numbers, 1 to 3 fields of which the last has several values, and both classes in each split."""
    num_dense, num_fields = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    extra = draw(st.lists(st.tuples(st.sampled_from(SPLITS), st.integers(0, 1)), max_size=40))
    kinds = draw(st.permutations([*((split, label) for split in SPLITS for label in (0, 1)), *extra]))
    rows = []
    for split, label in kinds:
        dense = [draw(_NUMBERS) for _ in range(num_dense)]
        fields = [[value] if (value := draw(_VALUES)) else [] for _ in range(num_fields - 1)]
        fields.append([value for value in draw(st.lists(_VALUES, max_size=4)) if value])
        rows.append(LogRow(split, label, dense, fields))
    return rows


def write_csv(path: Path, rows: Sequence[LogRow]) -> Choices:
    """Writes rows as a CSV with a header, quoted where needed; returns what recognition must be told."""
    dense = [f"number{i}" for i in range(len(rows[0].dense))]
    fields = [f"field{i}" for i in range(len(rows[0].fields))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["click", *dense, *fields, "split"])
    for row in rows:
        numbers = ["" if number is None else repr(number) for number in row.dense]
        writer.writerow([row.label, *numbers, *("|".join(values) for values in row.fields), row.split])
    path.write_text(text.getvalue())
    return Choices(dense=dense, categorical=fields)


def criteo_lines(num_rows: int, *, seed: int = 0) -> list[str]:
    """Good lines of a log in Criteo's format, both classes everywhere, with few different values."""
    generator = np.random.default_rng(seed)
    lines = []
    for row in range(num_rows):
        numbers = ["" if value < 0 else str(value) for value in generator.integers(-1, 50, 13)]
        values = ["" if value == 0 else f"{value:08x}" for value in generator.integers(0, 9, 26)]
        lines.append("\t".join([str(row % 2), *numbers, *values]))
    return lines


def decoded(dataset: Dataset, split: str) -> list[tuple[int, list[float], list[list[int]]]]:
    """The rows of a split with the ids that each field has by itself."""
    table_rows = dataset.table_rows(1)
    starts = np.cumsum([0, *table_rows])
    rows = []
    for batch in dataset.batches(split, table_rows=table_rows, batch_size=7, shuffle_seed=None):
        bags = np.split(batch.indices.numpy(), batch.offsets.numpy()[1:-1])
        for row in range(batch.num_rows):
            own = bags[row * len(table_rows) : (row + 1) * len(table_rows)]
            ids = [(bag - start).tolist() for bag, start in zip(own, starts, strict=False)]
            rows.append((int(batch.label[row]), batch.dense[row].tolist(), ids))
    return rows
