"""What a log is: its format, and which column is what, recognised from its content and said in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from farthing.base.errors import DataError
from farthing.recommend.layout import Layout, layout_of, require_columns
from farthing.recommend.lines import read_lines
from farthing.recommend.logfiles import TextBlock, head
from farthing.recommend.schema import CRITEO_DENSE, CRITEO_FIELDS, SPLITS, Field, LogFormat, LogSchema

LABEL_NAMES = ("label", "click", "clicked", "is_click", "isclick", "target", "y")
_SPLIT_VALUES = {*SPLITS, "val", "validation", "dev"}
_MULTI_SEPARATOR = "|"
_SAMPLE_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Detection:
    """A schema, and what was recognised or chosen on the way, one sentence each."""

    schema: LogSchema
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the caller says about a log; None leaves it to recognition.

    Attributes:
        format: how rows are written.
        label: the column with 1 for a click and 0 for none.
        split_column: the column that says train, valid or test.
        id: the column that names a row; never a feature.
        group: the column for GAUC; it stays a feature.
        dense: columns to read as numbers.
        categorical: columns to read as categories.
    """

    format: LogFormat | None = None
    label: str | None = None
    split_column: str | None = None
    id: str | None = None
    group: str | None = None
    dense: Sequence[str] | None = None
    categorical: Sequence[str] | None = None


def detect(path: Path, choices: Choices) -> Detection:
    """The schema of a log, from its first rows and what the caller says.

    Floats are dense; integers and text are categorical; text with `|` in it and Parquet lists are multi-valued.

    Raises:
        DataError: the file cannot be read, has another format than said, or lacks a column that is needed or named.
    """
    layout = layout_of(path)
    if choices.format not in (None, layout.format, "csv" if layout.separator else None):
        raise DataError(
            f"{path}: --format {choices.format} does not fit; the content looks like {layout.format!r} with "
            f"{len(layout.columns)} columns"
        )
    notes = [f"format: {layout.format} ({_source(choices.format)})"]
    if layout.format == "criteo":
        schema = LogSchema(
            format="criteo",
            separator="\t",
            label="label",
            dense=CRITEO_DENSE,
            fields=tuple(Field(name=name, column=name) for name in CRITEO_FIELDS),
        )
    else:
        schema = _from_sample(path, layout, choices, notes)
    if not schema.fields:
        raise DataError(f"{path}: no column is categorical, and embeddings need one; name some with --categorical")
    require_columns(path, layout, schema, with_label=True)
    notes.append(f"features: {len(schema.dense)} numbers, {len(schema.fields)} categorical")
    return Detection(schema, tuple(notes))


def _source(choice: object) -> str:
    return "recognised" if choice is None else "as asked"


def _from_sample(path: Path, layout: Layout, choices: Choices, notes: list[str]) -> LogSchema:
    sample = _sample(path, layout)
    named = {"label": choices.label, "split": choices.split_column, "id": choices.id, "group": choices.group}
    for name in [*(n for n in named.values() if n), *(choices.dense or ()), *(choices.categorical or ())]:
        if name not in sample.columns:
            raise DataError(f"{path}: column {name!r} is missing; the file has {', '.join(map(repr, sample.columns))}")
    label = choices.label or _find_label(path, layout)
    notes.append(f"label: column {label!r} ({_source(choices.label)})")
    split = choices.split_column or _find_split(sample)
    if split:
        notes.append(f"split: column {split!r} ({_source(choices.split_column)})")
    id_column = choices.id or ("id" if layout.format == "avazu" else None)
    if id_column:
        notes.append(f"id: column {id_column!r} ({_source(choices.id)})")
    features = [name for name in sample.columns if name not in (label, split, id_column)]
    dense = tuple(name for name in features if _is_dense(name, sample, choices))
    fields: list[Field] = []
    for name in features:
        if name not in dense:
            fields += _fields_of(name, sample, layout, notes)
    return LogSchema(
        format=layout.format,
        separator=layout.separator,
        label=label,
        dense=dense,
        fields=tuple(fields),
        id=id_column,
        group=choices.group,
        split=split,
    )


def _sample(path: Path, layout: Layout) -> pl.DataFrame:
    """The first rows, with the types that their values show."""
    if layout.separator is None:
        return pl.scan_parquet(path).head(_SAMPLE_ROWS).collect()
    body = head(path).split(b"\n", 1)[1]
    frame, _, _ = read_lines(TextBlock(path, 2, body.count(b"\n"), body, 0), layout, {})
    return frame.head(_SAMPLE_ROWS).with_columns(_shown_type(frame[name]) for name in frame.columns)


def _shown_type(text: pl.Series) -> pl.Series:
    """The column as Int64 or Float64 where all of its values are such numbers."""
    if text.null_count() == len(text):
        return text
    for shown in (pl.Int64, pl.Float64):
        numbers = text.cast(shown, strict=False)
        if numbers.null_count() == text.null_count():
            return numbers
    return text


def _find_label(path: Path, layout: Layout) -> str:
    for name in LABEL_NAMES:
        for column in layout.columns:
            if column.lower() == name:
                return column
    raise DataError(
        f"{path}: no column is called {', '.join(LABEL_NAMES)}; name the label with --label "
        f"(columns: {', '.join(map(repr, layout.columns))})"
    )


def _find_split(sample: pl.DataFrame) -> str | None:
    for name in sample.columns:
        if name.lower() == "split" and sample[name].dtype == pl.String:
            values = {str(value).lower() for value in sample[name].drop_nulls().unique()}
            if values and values <= _SPLIT_VALUES:
                return name
    return None


def _is_dense(name: str, sample: pl.DataFrame, choices: Choices) -> bool:
    if choices.dense is not None and name in choices.dense:
        return True
    if choices.categorical is not None and name in choices.categorical:
        return False
    return sample.schema[name].is_float()


def _fields_of(name: str, sample: pl.DataFrame, layout: Layout, notes: list[str]) -> list[Field]:
    if layout.format == "avazu" and name == "hour":
        notes.append("hour: read as YYMMDDHH, giving the fields 'hour_of_day' and 'weekday'")
        return [
            Field(name="hour_of_day", column=name, part="hour"),
            Field(name="weekday", column=name, part="weekday"),
        ]
    column = sample[name]
    if column.dtype == pl.String and column.str.contains(_MULTI_SEPARATOR, literal=True).any():
        notes.append(f"{name}: several values in one field, separated by '|' (recognised)")
        return [Field(name=name, column=name, separator=_MULTI_SEPARATOR)]
    return [Field(name=name, column=name)]
