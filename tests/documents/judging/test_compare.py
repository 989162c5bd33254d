from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from farthing.base.errors import ConfigError
from farthing.base.files import read_json
from farthing.documents.judging.compare import RATES, Row, compare_bits, csv_table
from farthing.train.task import NoProgress
from tests.documents.plainpages import small_config, write_pages

pytestmark = pytest.mark.slow


def test_the_table_has_every_width_and_is_not_made_twice(tmp_path: Path) -> None:
    data = write_pages(tmp_path / "data", 40)
    titles: list[str] = []

    def progress(title: str) -> NoProgress:
        titles.append(title)
        return NoProgress()

    rows = compare_bits(
        [data], tmp_path / "out", bits=[8, 32, 4], seeds=2, config=small_config(), device="cpu", progress=progress
    )
    assert [row["name"] for row in rows] == ["int8", "fp32", "int4"]
    assert titles.count("fp32, seed 1 of 2, float") == 1
    assert titles.count("int4, seed 2 of 2, quantized") == 1
    for row in rows:
        assert row["pages"] == 8
        assert all(0 <= row[rate] <= 1 and row[f"{rate}_std"] >= 0 for rate in RATES)
        assert row["ms_per_page"] > 0
        assert row["ms_per_page_std"] >= 0
    sizes = {row["name"]: row["size_mb"] for row in rows}
    assert sizes["int4"] < sizes["int8"] < sizes["fp32"]
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(text in report for text in ("fp32", "int4", "32 pages", "8 pages", str(data), "Page AP of each class"))
    with (tmp_path / "out" / "compare.csv").open(newline="") as stream:
        assert [line["name"] for line in csv.DictReader(stream)] == ["int8", "fp32", "int4"]
    assert read_json(tmp_path / "out" / "compare.json", list[dict[str, object]])[0]["name"] == "int8"

    titles.clear()
    again = compare_bits(
        [data], tmp_path / "out", bits=[8, 32, 4], seeds=2, config=small_config(), device="cpu", progress=progress
    )
    assert titles == []
    assert [row["page_ap"] for row in again] == [row["page_ap"] for row in rows]


def test_other_bits_are_refused(tmp_path: Path) -> None:
    data = write_pages(tmp_path / "data", 10)
    with pytest.raises(ConfigError, match="--bits must be of 32, 8, 4, 2, got 1"):
        compare_bits([data], tmp_path / "out", bits=[1], seeds=1, config=small_config(), device="cpu")


def test_a_class_may_have_a_name_that_csv_must_quote() -> None:
    rows: list[Row] = [{"name": "fp32", 'page_ap/a,"b"': 0.5}, {"name": "int8"}]
    lines = list(csv.reader(io.StringIO(csv_table(rows).decode())))
    assert lines == [["name", 'page_ap/a,"b"'], ["fp32", "0.5"], ["int8", ""]]
