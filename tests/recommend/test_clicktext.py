"""The native parser of click logs: what it states, and that rows and rejects are those of the careful way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.base.errors import DataError, KernelError
from farthing.lowbit import native
from farthing.recommend import encoder
from farthing.recommend.clicks import EncodedRows
from farthing.recommend.clicktext import Columns, LineParser, can_parse
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import EncoderDescription, RowEncoder
from farthing.recommend.layout import Layout
from farthing.recommend.logfiles import TextBlock
from farthing.recommend.manifest import DenseStatistics
from farthing.recommend.prepare import prepare
from farthing.recommend.rows import read_block
from farthing.recommend.schema import Field
from tests.recommend.clicktexts import CSV, LINES, NAMES, NUMBERS, ODD_LINES, SCHEMA, TSV, Collected, block_of
from tests.recommend.logs import criteo_lines
from tests.reference.click_hash import hashed_id

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED: dict[str, Any] = json.loads((GOLDEN / "clicks.json").read_text())

DENSE = (DenseStatistics(name="n", mean=0.5, std=2.0), DenseStatistics(name="m", mean=-1.0, std=0.25))
VALUES = [pl.Series(values, dtype=pl.String) for values in EXPECTED["values"]]
LOOKED_UP = Columns(SCHEMA, DENSE, tuple(len(values) + 2 for values in VALUES))
HASHED = Columns(SCHEMA, DENSE, (1000, 50))
ENCODER = RowEncoder(EncoderDescription(schema=SCHEMA, dense=DENSE, table_rows=LOOKED_UP.table_rows), VALUES)

Encoded = tuple[list[list[float]], list[list[int]], list[tuple[int, str, str]], int]


def encoded(text: bytes, layout: Layout, *, parser: LineParser | None, max_rows: int = 3) -> Encoded:
    """Dense values, table rows and rejects of some lines, with the native parser or without."""
    block, rejects = block_of(text), Collected()
    parts = parser.parts(block, max_rows=max_rows) if parser else [block]
    dense: list[list[float]] = []
    ids: list[list[int]] = []
    for part in parts:
        if isinstance(part, EncodedRows):
            rejects.count(part.num_rows)
            batch = part.batch()
        else:
            batch = ENCODER.encode(read_block(part, layout, SCHEMA, rejects=rejects, with_label=False))
        dense += batch.dense.tolist()
        ids += batch.indices.reshape(-1, 2).tolist()
    return dense, ids, rejects.rows, rejects.num_rows


@pytest.mark.parametrize("tier", TIERS)
def test_the_golden_log(tier: str) -> None:
    text = (GOLDEN / "clicks.tsv").read_bytes()
    with native.use_tier(tier):
        looked_up, end = LineParser(TSV, LOOKED_UP, VALUES).parse(text, 0, max_rows=9)
        hashed, _ = LineParser(TSV, HASHED, None).parse(text, 0, max_rows=9)
    assert end == len(text)
    assert looked_up.indices.reshape(-1, 2).tolist() == EXPECTED["looked_up"]
    assert hashed.indices.reshape(-1, 2).tolist() == EXPECTED["hashed"]
    for rows in (looked_up, hashed):
        np.testing.assert_allclose(rows.dense, EXPECTED["dense"], atol=1e-5)
        assert rows.label.tolist() == [0.0] * 5


@given(
    lines=st.lists(st.one_of(LINES, LINES, LINES, ODD_LINES), min_size=1, max_size=12),
    layout=st.sampled_from([TSV, CSV]),
    tier=st.sampled_from(TIERS or ["none"]),
)
def test_rows_and_rejects_are_those_of_the_careful_way(lines: list[tuple[str, ...]], layout: Layout, tier: str) -> None:
    assert layout.separator is not None
    text = "".join(layout.separator.join(line) + "\n" for line in lines).encode()
    with native.use_tier(tier):
        parsed = encoded(text, layout, parser=LineParser(layout, LOOKED_UP, VALUES))
    assert parsed == encoded(text, layout, parser=None)


@given(number=NUMBERS)
def test_a_number_is_the_nearest_float(number: str) -> None:
    text = f"0\t{number}\t\tx\tx\n".encode()
    rows, end = LineParser(TSV, HASHED, None).parse(text, 0, max_rows=1)
    if end == 0:
        assert not 1e-37 < abs(float(number)) < 3.4028236e38
        return
    value = np.float32(float(number or 0.0))
    log = np.float64(np.copysign(np.log1p(abs(value)), value)) if number else 0.5
    np.testing.assert_allclose(rows.dense[0, 0], (log - 0.5) / 2.0, rtol=1e-6, atol=1e-7)


@settings(max_examples=40)
@given(
    values=st.lists(st.text(max_size=30).filter(lambda text: not set(text) & set("\t\n\r")), min_size=1, max_size=20),
    tier=st.sampled_from(TIERS or ["none"]),
)
def test_hashes_are_those_of_the_reference(values: list[str], tier: str) -> None:
    text = "".join(f"0\t\t\t{value}\t{value}\n" for value in values).encode()
    with native.use_tier(tier):
        rows, _ = LineParser(TSV, HASHED, None).parse(text, 0, max_rows=len(values))
    expected = [[hashed_id(value.encode(), 0, 1000), 1000 + hashed_id(value.encode(), 1, 50)] for value in values]
    assert rows.indices.reshape(-1, 2).tolist() == expected


def test_hashed_ids_spread_evenly() -> None:
    text = b"".join(b"0\t\t\t%08x\t%d\n" % (i, i) for i in range(50_000))
    rows, _ = LineParser(TSV, Columns(SCHEMA, DENSE, (102, 102)), None).parse(text, 0, max_rows=50_000)
    for field in range(2):
        counts = np.bincount(rows.indices.reshape(-1, 2)[:, field] - 102 * field - 2, minlength=100)
        assert ((counts - 500.0) ** 2 / 500.0).sum() < 160.0  # chi-square with 99 degrees of freedom: p < 1e-4 above


@settings(max_examples=40)
@given(values=st.lists(st.binary(min_size=1, max_size=40).map(bytes.hex), min_size=1, max_size=400, unique=True))
def test_every_value_is_found(values: list[str]) -> None:
    known = [pl.Series(values), pl.Series(dtype=pl.String)]
    text = "".join(f"0\t\t\t{value}\t{value}\n" for value in values).encode()
    parser = LineParser(TSV, Columns(SCHEMA, DENSE, (len(values) + 2, 2)), known)
    rows, end = parser.parse(text, 0, max_rows=len(values))
    expected = [[i + 2, len(values) + 2] for i in range(len(values))]
    assert end == len(text)
    assert rows.indices.reshape(-1, 2).tolist() == expected


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    "text", [b"", b"\n", b"0", b"\t", b"\t\n", b"0\t1\t2\tx\ty", b"\t\t\t\t", b"\t" * 9000, b"\xff\n"]
)
def test_text_that_ends_too_early_gives_no_row(tier: str, text: bytes) -> None:
    with native.use_tier(tier):
        rows, end = LineParser(TSV, LOOKED_UP, VALUES).parse(text, 0, max_rows=4)
    assert (rows.num_rows, end) == (0, 0)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("size", [7, 8, 9, 63, 64, 65, 4000, 8100, 8200, 20_000])
def test_fields_of_any_length(tier: str, size: int) -> None:
    text = b"0\t1\t2\t" + b"v" * size + b"\tx\n" + b"1\t1\t2\tx\tx\n"
    with native.use_tier(tier):
        assert encoded(text, TSV, parser=LineParser(TSV, LOOKED_UP, VALUES))[1] == [[0, 9], [3, 9]]


@pytest.mark.parametrize("num_rows", [1, 2, 200, 1000])
def test_text_in_pieces_of_any_size(num_rows: int) -> None:
    text = b"".join(b"0\t%d\t\t%x\tx\n" % (i, i * 7919) for i in range(1000))
    parser = LineParser(TSV, HASHED, None)
    whole, _ = parser.parse(text, 0, max_rows=1000)
    pieces = list(parser.parts(block_of(text), max_rows=num_rows))
    assert all(isinstance(piece, EncodedRows) for piece in pieces)
    together = [piece for piece in pieces if isinstance(piece, EncodedRows)]
    assert np.array_equal(np.concatenate([piece.indices for piece in together]), whole.indices)
    assert np.array_equal(np.concatenate([piece.dense for piece in together]), whole.dense)


@pytest.mark.parametrize("text", [b"0\t1\t2\t\xff\ty\n", b"\xef\xbb\xbf0\t1\t2\tx\ty\n"])
def test_text_of_a_doubtful_encoding_is_left_alone(text: bytes) -> None:
    (part,) = LineParser(TSV, LOOKED_UP, VALUES).parts(block_of(text), max_rows=4)
    assert isinstance(part, TextBlock)


def test_which_logs_are_parsed() -> None:
    assert can_parse(TSV, SCHEMA)
    assert not can_parse(Layout("parquet", NAMES, None), SCHEMA)
    other: list[dict[str, Any]] = [
        {"id": "b"},
        {"dense": ("a",)},
        {"fields": (Field(name="a", column="a", separator="|"),)},
        {"fields": (Field(name="a", column="a", part="hour"),)},
    ]
    for change in other:
        assert not can_parse(TSV, msgspec.structs.replace(SCHEMA, **change))


def test_without_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "extension", lambda: None)
    assert not can_parse(TSV, SCHEMA)
    with pytest.raises(KernelError, match="make install"):
        LineParser(TSV, LOOKED_UP, VALUES)


def _arguments() -> dict[str, Any]:
    return {
        "separator": "\t",
        "num_columns": 3,
        "dense_columns": np.array([0], dtype=np.uint32),
        "field_columns": np.array([1], dtype=np.uint32),
        "means": np.zeros(1),
        "deviations": np.ones(1),
        "table_rows": np.array([3], dtype=np.uint64),
        "text": b"x",
        "sizes": np.array([1], dtype=np.uint32),
        "is_hashed": False,
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("separator", "\n", "newlines end it"),
        ("num_columns", 0, "a line has columns"),
        ("dense_columns", np.array([3], dtype=np.uint32), "not one of the line's"),
        ("field_columns", np.array([4], dtype=np.uint32), "not one of the line's"),
        ("means", np.zeros(2), "as many as the dense columns"),
        ("means", np.array([np.nan]), "means must be finite"),
        ("deviations", np.zeros(1), "deviations above 0"),
        ("deviations", np.array([-1.0]), "deviations above 0"),
        ("table_rows", np.array([1], dtype=np.uint64), "a row for each reserved id"),
        ("table_rows", np.array([2**32], dtype=np.uint64), "below 2\\^32"),
        ("table_rows", np.array([3, 3], dtype=np.uint64), "as many as the field columns"),
        ("text", b"xy", "as long as its values"),
        ("sizes", np.array([2**32 - 1], dtype=np.uint32), "as long as its values"),
        ("sizes", np.array([], dtype=np.uint32), "as many as the values"),
    ],
)
def test_a_parser_checks_its_arguments(name: str, value: object, message: str) -> None:
    assert EXTENSION is not None
    EXTENSION.ClickParser(**_arguments())
    with pytest.raises(ValueError, match=message):
        EXTENSION.ClickParser(**(_arguments() | {name: value}))


@pytest.mark.parametrize(
    ("start", "dense", "ids", "error"),
    [
        (9, np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int64), ValueError),
        (-1, np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int64), TypeError),
        (0, np.zeros((1, 2), np.float32), np.zeros((1, 1), np.int64), ValueError),
        (0, np.zeros((1, 1), np.float32), np.zeros((1, 2), np.int64), ValueError),
        (0, np.zeros((2, 1), np.float32), np.zeros((1, 1), np.int64), ValueError),
        (0, np.zeros((1, 1), np.float64), np.zeros((1, 1), np.int64), TypeError),
        (0, np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int32), TypeError),
        (0, np.zeros((4, 1), np.float32)[::2], np.zeros((2, 1), np.int64), TypeError),
    ],
)
def test_parse_checks_its_arguments(start: int, dense: object, ids: object, error: type[Exception]) -> None:
    assert EXTENSION is not None
    parser = EXTENSION.ClickParser(**_arguments())
    with pytest.raises(error):
        parser.parse(b"1\tx\t\n", start, dense, ids)


def _read(model: RowEncoder, log: Path) -> tuple[list[Any], torch.Tensor, torch.Tensor]:
    batches = list(model.read([log], batch_rows=100))
    names = [name for series, _ in batches for name in series.to_list()]
    return names, torch.cat([batch.dense for _, batch in batches]), torch.cat([batch.indices for _, batch in batches])


def _prepared(log: Path, folder: Path) -> RowEncoder:
    prepare([log], folder)
    dataset = Dataset.open(folder)
    return RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(2))


def _assert_read_alike(model: RowEncoder, log: Path) -> None:
    names, dense, indices = _read(model, log)
    with patch.object(encoder, "can_parse", return_value=False):
        careful = _read(model, log)
    assert names == careful[0] == list(range(len(names)))
    assert torch.equal(dense, careful[1])
    assert torch.equal(indices, careful[2])


def test_a_log_is_read_alike_with_windows_line_ends_and_odd_lines(tmp_path: Path) -> None:
    lines = criteo_lines(400)
    log = tmp_path / "log.tsv"
    log.write_text("\n".join(lines))
    model = _prepared(log, tmp_path / "data")
    lines[5] = lines[5].replace("\t", "\t ", 1)
    lines.insert(250, "")
    log.write_bytes("\r\n".join(lines).encode())
    _assert_read_alike(model, log)


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    lines = criteo_lines(400)
    log = tmp_path / "log.tsv"
    log.write_text("\n".join(lines))
    model = _prepared(log, tmp_path / "data")
    log.write_text("\n".join([*lines[:300], "1\t2", *lines[300:]]))
    with pytest.raises(DataError, match=r"log.tsv:301: 2 fields where the format has 40"):
        list(model.read([log]))


@pytest.mark.skipif("FARTHING_TEST_DATA" not in os.environ, reason="FARTHING_TEST_DATA is not set")
@pytest.mark.parametrize("name", ["criteo_kaggle_10k.tsv.gz", "criteo_terabyte_day0_10k.tsv.gz"])
def test_real_logs_are_read_alike(tmp_path: Path, name: str) -> None:
    log = Path(os.environ["FARTHING_TEST_DATA"]) / "clicks" / name
    _assert_read_alike(_prepared(log, tmp_path), log)
