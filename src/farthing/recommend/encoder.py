"""Raw rows to batches for prediction: all that a model folder needs to read a log by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from farthing.base.errors import FormatError
from farthing.base.files import read_json, write_bytes
from farthing.lowbit.tensorfile import JSON_ERRORS
from farthing.recommend.clicks import ClickBatch, EncodedRows, Integers, encode_rows
from farthing.recommend.clicktext import Columns, LineParser, can_parse
from farthing.recommend.dataset import Dataset
from farthing.recommend.layout import Layout, layout_of, require_columns
from farthing.recommend.manifest import DenseStatistics
from farthing.recommend.rejects import RejectLog
from farthing.recommend.rows import body_blocks, read_block, read_log
from farthing.recommend.schema import LogSchema
from farthing.recommend.shards import flatten
from farthing.recommend.standardise import dense_matrix, log_transform, standardise
from farthing.recommend.vocabulary import (
    MISSING_ID,
    NUM_RESERVED,
    UNKNOWN_ID,
    positions,
    read_vocabulary,
)

ENCODER_FILE = "encoder.json"
VOCABULARY_FILE = "vocabulary.json"
BATCH_ROWS = 8192
_VERSION = 2  # of the encoder's files; 1 had its values in Parquet
_LEAST_STD = 1e-300  # below it 1 / std is no number

# What names the rows, where their log has it, and the rows.
_NamedBatch = tuple[pl.Series | None, ClickBatch]


class EncoderDescription(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON half of an encoder: what the columns mean, how numbers are standardised, rows per table."""

    format: Literal["farthing-encoder"] = "farthing-encoder"
    version: int = _VERSION
    schema: LogSchema
    dense: tuple[DenseStatistics, ...]
    table_rows: tuple[int, ...]


class RowEncoder:
    """Encodes rows as `prepare` did, with the values that have a row of their own in a model's tables."""

    def __init__(self, description: EncoderDescription, values: Sequence[pl.Series]) -> None:
        """Use `from_dataset` or `load`.

        Args:
            description: of the columns.
            values: per field, the values of ids 2, 3, ... that have a row.
        """
        self.description = description
        self.values = tuple(values)
        self._known = [pl.Enum(kept) for kept in self.values]

    @classmethod
    def from_dataset(cls, dataset: Dataset, *, table_rows: Sequence[int]) -> RowEncoder:
        """The encoder of a model that was trained on `dataset` with tables of these sizes."""
        manifest = dataset.manifest
        description = EncoderDescription(schema=manifest.schema, dense=manifest.dense, table_rows=tuple(table_rows))
        files = [dataset.path(field.vocabulary) for field in manifest.fields]
        values = [
            read_vocabulary(path, "value")["value"].head(rows - NUM_RESERVED)
            for path, rows in zip(files, table_rows, strict=True)
        ]
        return cls(description, values)

    @classmethod
    def load(cls, folder: Path) -> RowEncoder:
        """The encoder that `save` wrote to `folder`.

        Raises:
            FormatError: its files are missing or damaged, or do not fit each other.
        """
        description = read_json(folder / ENCODER_FILE, EncoderDescription)
        if description.version != _VERSION:
            found = f"of version {description.version}, this farthing reads version {_VERSION}"
            raise FormatError(f"{folder / ENCODER_FILE}: {found}; train and export the model again")
        if [column.name for column in description.dense] != list(description.schema.dense):
            raise FormatError(f"{folder / ENCODER_FILE}: its statistics are not those of the columns of numbers")
        if not all(math.isfinite(column.mean) and _LEAST_STD < column.std < math.inf for column in description.dense):
            raise FormatError(f"{folder / ENCODER_FILE}: a mean is not finite, or a standard deviation not above 0")
        if len(description.table_rows) != len(description.schema.fields):
            raise FormatError(f"{folder / ENCODER_FILE}: its tables are not those of the fields")
        path = folder / VOCABULARY_FILE
        values = _read_values(path)
        if [len(kept) + NUM_RESERVED for kept in values] != list(description.table_rows):
            raise FormatError(f"{path}: its values do not fit the table sizes in {ENCODER_FILE}")
        try:
            return cls(description, values)
        except (TypeError, ValueError) as error:
            raise FormatError(f"{path}: a field has a value twice ({error})") from error

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the categorical fields, in the order of the tables."""
        return tuple(field.name for field in self.description.schema.fields)

    @property
    def table_rows(self) -> tuple[int, ...]:
        """Rows of each field's table."""
        return self.description.table_rows

    def to_files(self) -> dict[str, bytes]:
        """The encoder as files: name to content."""
        description = msgspec.json.format(msgspec.json.encode(self.description), indent=2) + b"\n"
        values = b",\n".join(msgspec.json.encode(kept.to_list()) for kept in self.values)
        return {ENCODER_FILE: description, VOCABULARY_FILE: b"[" + values + b"]\n"}

    def save(self, folder: Path) -> None:
        """Writes the encoder's files, each atomically."""
        for name, content in self.to_files().items():
            write_bytes(folder / name, content)

    def read(self, logs: Sequence[Path], *, batch_rows: int = BATCH_ROWS) -> Iterator[tuple[pl.Series, ClickBatch]]:
        """The rows of some logs, which need no label, encoded.

        Args:
            logs: files of the format that the model was trained on.
            batch_rows: the most rows in a batch.

        Yields:
            What names the rows (the id column, or `row`: their number from 0 on, over all logs), and the rows.

        Raises:
            DataError: a log cannot be read, or one of its rows breaks the format.
        """
        num_rows = 0
        with RejectLog(None, max_bad=0.0) as rejects:
            for names, batch in self._batches(logs, rejects, batch_rows):
                numbers = pl.Series("row", np.arange(num_rows, num_rows + batch.num_rows))
                num_rows += batch.num_rows
                yield numbers if names is None else names, batch

    def _batches(self, logs: Sequence[Path], rejects: RejectLog, batch_rows: int) -> Iterator[_NamedBatch]:
        schema = self.description.schema
        for path in logs:
            layout = layout_of(path)
            require_columns(path, layout, schema, with_label=False)
            if can_parse(layout, schema):
                yield from self._parsed(path, layout, rejects, batch_rows)
            else:
                for rows in read_log([path], schema, rejects=rejects, with_label=False):
                    yield from self._slices(rows.frame, batch_rows)

    def _parsed(self, path: Path, layout: Layout, rejects: RejectLog, batch_rows: int) -> Iterator[_NamedBatch]:
        """The batches of a log that the native parser takes, with the lines that it leaves."""
        schema = self.description.schema
        parser = LineParser(layout, Columns(schema, self.description.dense, self.table_rows), self.values)
        for block in body_blocks(path, layout):
            for part in parser.parts(block, max_rows=batch_rows):
                if isinstance(part, EncodedRows):
                    rejects.count(part.num_rows)
                    yield None, part.batch()
                else:
                    frame = read_block(part, layout, schema, rejects=rejects, with_label=False)
                    yield from self._slices(frame, batch_rows)

    def _slices(self, frame: pl.DataFrame, batch_rows: int) -> Iterator[_NamedBatch]:
        name = self.description.schema.id
        for rows in frame.iter_slices(batch_rows):
            yield rows["id"].alias(name) if name else None, self.encode(rows)

    def encode(self, frame: pl.DataFrame) -> ClickBatch:
        """Rows as `rows.read_log` gives them, as one batch; labels are 0 where the frame has none."""
        return self.encode_rows(frame).batch()

    def encode_rows(self, frame: pl.DataFrame) -> EncodedRows:
        """What `encode` makes a batch of."""
        statistics = self.description.dense
        logs = frame.select(log_transform(f"dense_{column}") for column in range(len(statistics)))
        numbers = standardise(logs, statistics)
        dense = dense_matrix(numbers) if statistics else np.zeros((frame.height, 0), dtype=np.float32)
        starts = np.cumsum([0, *self.table_rows])
        fields = [self._table_rows(frame[f"field_{i}"], i, int(starts[i])) for i in range(len(self.values))]
        label = np.zeros(frame.height, dtype=np.float32)
        if "label" in frame.columns:
            label = frame["label"].cast(pl.Float32).to_numpy()
        return encode_rows(dense, fields, label)

    def _table_rows(self, column: pl.Series, field: int, start: int) -> tuple[Integers, Integers | None]:
        values, lengths = flatten(column)
        value = pl.col("value")
        ids = positions(value, self._known[field]).cast(pl.Int64) + NUM_RESERVED
        missing = value.is_null() | (value == "")
        rows = pl.when(missing).then(MISSING_ID).otherwise(ids.fill_null(UNKNOWN_ID)) + start
        return values.to_frame("value").select(rows).to_series().to_numpy(), lengths


def _read_values(path: Path) -> list[pl.Series]:
    """Per field the values that have a row; one field after the other, so that few of them are Python's at a time."""
    fields = read_json(path, list[msgspec.Raw])
    try:
        return [pl.Series(msgspec.json.decode(field, type=list[str]), dtype=pl.String) for field in fields]
    except JSON_ERRORS as error:
        raise FormatError(f"{path}: not a vocabulary that farthing wrote ({error})") from error
