"""The native coder of click logs: rows, values and rejects are those of the careful way, and `prepare` is the same."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from farthing.lowbit import native
from farthing.recommend import codedtext
from farthing.recommend.codedtext import LineCoder, can_code
from farthing.recommend.codes import CodedRows, code_rows, coded_columns
from farthing.recommend.detect import Choices
from farthing.recommend.layout import Layout
from farthing.recommend.prepare import PrepareConfig, prepare
from farthing.recommend.rows import read_block
from farthing.recommend.schema import Field, LogSchema
from tests.recommend.clicktexts import CSV, LINES, NAMES, ODD_LINES, SCHEMA, TSV, Collected, block_of
from tests.recommend.logs import criteo_lines

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]

GROUPED = msgspec.structs.replace(SCHEMA, group="b")


def coded(text: bytes, layout: Layout = TSV, schema: LogSchema = SCHEMA) -> CodedRows | None:
    return LineCoder(layout, schema).code(block_of(text))


def carefully(text: bytes, layout: Layout, schema: LogSchema) -> tuple[CodedRows, int]:
    """The rows as polars reads and codes them, and how many are bad."""
    rejects = Collected()
    frame = read_block(block_of(text), layout, schema, rejects=rejects, with_label=True)
    return code_rows(frame, coded_columns(schema)), rejects.num_bad


def assert_same(one: CodedRows, other: CodedRows) -> None:
    assert one.starts == other.starts
    assert one.values.to_list() == other.values.to_list()
    assert one.values.name == other.values.name
    assert_frame_equal(one.frame, other.frame, check_exact=True)


@pytest.mark.parametrize("tier", TIERS)
def test_a_block_by_hand(tier: str) -> None:
    text = b"1\t0\t\tx\tlonger than a word\n0\t7\t-1.5\t\tlonger than a ward\n1\t\t\ta\tlonger than a word\n"
    with native.use_tier(tier):
        rows = coded(text)
    assert rows is not None
    assert rows.frame["label"].to_list() == [1, 0, 1]
    assert rows.frame["dense_0"].to_list() == [0.0, pytest.approx(np.log(8.0)), None]
    assert rows.frame["dense_1"].to_list() == [None, pytest.approx(-np.log(2.5)), None]
    assert rows.frame["field_0"].to_list() == [1, 2, 0]
    assert rows.frame["field_1"].to_list() == [1, 0, 1]
    assert rows.values.to_list() == ["a", "x", "longer than a ward", "longer than a word"]
    assert rows.starts == (0, 2, 4)


@given(
    lines=st.lists(st.one_of(LINES, LINES, LINES, LINES, ODD_LINES), max_size=12),
    layout=st.sampled_from([TSV, CSV]),
    schema=st.sampled_from([SCHEMA, GROUPED]),
    tier=st.sampled_from(TIERS or ["none"]),
)
def test_a_block_that_it_takes_is_coded_as_by_the_careful_way(
    lines: list[tuple[str, ...]], layout: Layout, schema: LogSchema, tier: str
) -> None:
    assert layout.separator is not None
    text = "".join(layout.separator.join(line) + "\n" for line in lines).encode()
    with native.use_tier(tier):
        rows = coded(text, layout, schema)
    if rows is not None:
        expected, num_bad = carefully(text, layout, schema)
        assert_same(rows, expected)
        assert num_bad == 0


@given(lines=st.lists(LINES.filter(lambda line: line[0] in ("0", "1")), min_size=1, max_size=12))
def test_clean_lines_are_taken(lines: list[tuple[str, ...]]) -> None:
    numbers = [float(number) for line in lines for number in line[1:3] if number]
    text = "".join("\t".join(line) + "\n" for line in lines).encode()
    is_taken = coded(text) is not None
    assert is_taken or not all(1e-37 < abs(number) < 3.4028235e38 or number == 0.0 for number in numbers)


@pytest.mark.parametrize(
    "line",
    [
        b"2\t1\t2\tx\ty",
        b"\t1\t2\tx\ty",
        b"01\t1\t2\tx\ty",
        b"1\tone\t2\tx\ty",
        b"1\t1\t 2\tx\ty",
        b"1\t1\t2\tx",
        b"1\t1\t2\tx\ty\tz",
        b"1\t1\t2\tx\ty\r",
        b"1\t1\t2\tx\t\xff",
        b"",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_block_with_a_line_that_is_not_clean_is_left_alone(line: bytes, place: int) -> None:
    lines = [b"0\t1\t2\tx\ty", b"1\t1\t2\tx\ty"]
    lines.insert(place, line)
    assert coded(b"".join(line + b"\n" for line in lines)) is None


def test_many_values_are_in_the_order_of_their_bytes() -> None:
    values = [f"{i * 7919 % 5003:x}" * (1 + i % 4) for i in range(5003)] + ["\u00e9", "\U0001f600", "a", "a\0", "a\0\0"]
    text = "".join(f"0\t\t\t{value}\t{value[::-1]}\n" for value in values).encode()
    rows = coded(text)
    assert rows is not None
    assert_same(rows, carefully(text, TSV, SCHEMA)[0])
    known = rows.values.to_list()[: rows.starts[1]]
    assert known == sorted(set(values), key=str.encode)
    assert [known[code] for code in rows.frame["field_0"]] == values


@pytest.mark.parametrize("num_values", [255, 256, 65_535, 65_536])
def test_codes_of_any_number_of_values(num_values: int) -> None:
    text = b"".join(b"0\t\t\t%d\t\n" % i for i in range(num_values)) + b"0\t\t\t\t\n"
    rows = coded(text)
    assert rows is not None
    assert rows.starts == (0, num_values, num_values)
    assert rows.frame["field_0"].to_list()[-1] == num_values
    assert rows.frame["field_1"].unique().to_list() == [0]


def test_which_logs_are_coded() -> None:
    assert can_code(TSV, SCHEMA)
    assert can_code(TSV, msgspec.structs.replace(SCHEMA, id="b"))
    assert not can_code(Layout("parquet", NAMES, None), SCHEMA)
    other: list[dict[str, Any]] = [
        {"split": "b"},
        {"group": "n"},
        {"group": "label"},
        {"dense": ("a",)},
        {"fields": (Field(name="a", column="a", separator="|"),)},
    ]
    for change in other:
        assert not can_code(TSV, msgspec.structs.replace(SCHEMA, **change))


def test_values_may_be_taken_over_twice_or_never() -> None:
    assert EXTENSION is not None
    sizes, values = _coder().code(b"1\t2\tx\n0\t3\ty\n", *_columns(2))
    assert sizes == [2]
    values.__arrow_c_array__()
    assert [pl.Series(values).to_list() for _ in range(2)] == [["x", "y"]] * 2
    kept = pl.Series(values)
    del values
    assert kept.to_list() == ["x", "y"]


COLUMNS = {"dense_columns": np.array([1], np.uint32), "field_columns": np.array([2], np.uint32)}


def _coder(**changes: object) -> Any:
    assert EXTENSION is not None
    arguments = {"separator": "\t", "num_columns": 3, "label_column": 0, **COLUMNS}
    return EXTENSION.LineCoder(**(arguments | changes))


def _columns(rows: int) -> tuple[Any, Any, Any]:
    return np.zeros(rows, np.uint8), np.zeros((1, rows), np.float32), np.zeros((1, rows), np.uint32)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"separator": "\n"}, ValueError),
        ({"num_columns": 0}, ValueError),
        ({"label_column": 3}, ValueError),
        ({"dense_columns": np.array([3], np.uint32)}, ValueError),
        ({"field_columns": np.array([4], np.uint32)}, ValueError),
        ({"field_columns": [2]}, TypeError),
    ],
)
def test_a_coder_checks_its_arguments(changes: dict[str, object], error: type[Exception]) -> None:
    _coder()
    with pytest.raises(error):
        _coder(**changes)


SHARED = np.zeros((1, 2), np.uint32)


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (0, np.zeros(1, np.uint8), ValueError),
        (0, np.zeros(2, np.int64), TypeError),
        (0, np.zeros(4, np.uint8)[::2], TypeError),
        (1, np.zeros((2, 2), np.float32), ValueError),
        (1, np.zeros((1, 3), np.float32), ValueError),
        (1, np.zeros((1, 2)), TypeError),
        (1, SHARED.view(np.float32), ValueError),
        (2, np.zeros((2, 2), np.uint32), ValueError),
        (2, np.zeros((1, 1), np.uint32), ValueError),
        (2, np.zeros((1, 2), np.int32), TypeError),
        (2, np.frombuffer(bytearray(9), np.uint8)[1:].view(np.uint32).reshape(1, 2), ValueError),
    ],
)
def test_code_checks_its_arguments(place: int, value: object, error: type[Exception]) -> None:
    columns: list[Any] = [*_columns(2)[:2], SHARED]
    columns[place] = value
    with pytest.raises(error):
        _coder().code(b"1\t2\tx\n0\t3\ty\n", *columns)


@pytest.mark.parametrize("text", [b"", b"1", b"1\t2\tx", b"1\t2\tx\n", b"1\t2\tx\n0\t3\ty", b"1\t2\tx\n" * 3])
def test_text_of_another_number_of_lines_is_not_clean(text: bytes) -> None:
    assert _coder().code(text, *_columns(2)) is None


def _digests(folder: Path) -> dict[str, str]:
    """By their place in the data set, the digests of all files but the manifest, which names a random folder."""
    files = sorted(path for path in folder.glob("data-*/**/*") if path.is_file())
    return {
        "/".join(path.relative_to(folder).parts[1:]): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def assert_prepared_alike(log: Path, folder: Path, choices: Choices | None = None) -> None:
    """With the coder and without it, in blocks of a fifth of the log and as a whole."""
    config = PrepareConfig(block_bytes=max(200, log.stat().st_size // 5), max_bad=0.5)
    prepare([log], folder / "native", choices=choices, config=config)
    with patch.object(codedtext, "can_code", return_value=False):
        prepare([log], folder / "careful", choices=choices, config=config)
    assert _digests(folder / "native") == _digests(folder / "careful") != {}
    native_rejects, careful_rejects = (sorted(folder.glob(f"{name}/rejects.tsv")) for name in ("native", "careful"))
    assert [path.read_text() for path in native_rejects] == [path.read_text() for path in careful_rejects]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_prepare_gives_the_same_files(tmp_path: Path, ending: str) -> None:
    lines = criteo_lines(600)
    lines[5] = lines[5].replace("\t", "\t ", 1)
    lines[300] = "2" + lines[300][1:]
    lines.insert(250, "")
    lines.insert(260, "1\t2")
    (tmp_path / "log.tsv").write_bytes(ending.join(lines).encode())
    assert_prepared_alike(tmp_path / "log.tsv", tmp_path)


def test_prepare_gives_the_same_files_with_groups(tmp_path: Path) -> None:
    rows = [f"u{i % 7},{i % 3 % 2},{'' if i % 5 == 0 else i * 0.5},v{i % 11}" for i in range(300)]
    (tmp_path / "log.csv").write_text("\n".join(["user,click,price,kind", *rows]))
    assert_prepared_alike(tmp_path / "log.csv", tmp_path, Choices(label="click", group="user"))


@pytest.mark.skipif("FARTHING_TEST_DATA" not in os.environ, reason="FARTHING_TEST_DATA is not set")
@pytest.mark.parametrize("name", ["criteo_kaggle_10k.tsv.gz", "criteo_terabyte_day0_10k.tsv.gz"])
def test_real_logs_are_prepared_alike(tmp_path: Path, name: str) -> None:
    assert_prepared_alike(Path(os.environ["FARTHING_TEST_DATA"]) / "clicks" / name, tmp_path)
