from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import ConfigError, DataError
from farthing.recommend.dataset import Dataset
from farthing.recommend.detect import Choices
from farthing.recommend.manifest import read_manifest
from farthing.recommend.prepare import PrepareConfig, prepare
from farthing.recommend.schema import SPLITS
from farthing.recommend.vocabulary import read_vocabulary
from tests.recommend.logs import criteo_lines, decoded, log_rows, write_csv
from tests.reference import prepare as reference


@given(log_rows(), st.sampled_from([300, 600, 5000]), st.sampled_from([1, 3, 1000]))
def test_equals_the_reference_whatever_the_blocks_and_ranges(
    rows: list[reference.LogRow], block_bytes: int, range_entries: int
) -> None:
    expected = reference.prepare(rows)
    with tempfile.TemporaryDirectory() as folder:
        log, out = Path(folder) / "log.csv", Path(folder) / "data"
        config = PrepareConfig(block_bytes=block_bytes, range_entries=range_entries)
        manifest = prepare([log], out, choices=write_csv(log, rows), config=config)
        dataset = Dataset.open(out)
        for split in SPLITS:
            for row, wanted in zip(decoded(dataset, split), expected.rows[split], strict=True):
                assert (row[0], row[2]) == (wanted[0], wanted[2])
                assert row[1] == pytest.approx(wanted[1], rel=1e-4, abs=1e-4)
        for field, values in zip(manifest.fields, expected.vocabularies, strict=True):
            assert read_vocabulary(dataset.path(field.vocabulary)).rows() == values


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "y,x,u,tags,split\n" + "".join(f"{i % 2},{i}.5,u{i % 3},a|b{i},{SPLITS[i // 4]}\n" for i in range(12))
    )
    table = pl.read_csv(log).with_columns(pl.col("tags").str.split("|"))
    table.write_parquet(tmp_path / "log.parquet")
    for name in ("csv", "parquet"):
        prepare([tmp_path / f"log.{name}"], tmp_path / name)
    from_text, from_parquet = (Dataset.open(tmp_path / name) for name in ("csv", "parquet"))
    assert all(decoded(from_text, split) == decoded(from_parquet, split) for split in SPLITS)


def test_parquet_nan_is_missing_and_infinity_is_bad(tmp_path: Path) -> None:
    numbers = [1.0, float("nan"), float("inf"), None] * 20
    table = pl.DataFrame({"y": [i // 4 % 2 for i in range(80)], "x": numbers, "u": ["a"] * 80})
    table.write_parquet(tmp_path / "log.parquet")
    manifest = prepare([tmp_path / "log.parquet"], tmp_path / "out", config=PrepareConfig(max_bad=0.5))
    assert manifest.num_rejected == 20
    assert {row[1][0] for row in decoded(Dataset.open(tmp_path / "out"), "test")} == {0.0}
    assert "log.parquet\t3\tcolumn x: `inf` is not a finite number" in (tmp_path / "out/rejects.tsv").read_text()


def test_several_logs_follow_each_other_and_may_be_compressed(tmp_path: Path) -> None:
    lines = criteo_lines(60)
    (tmp_path / "whole.tsv").write_text("\n".join(lines))
    (tmp_path / "first.tsv").write_text("\r\n".join(lines[:25]) + "\r\n")
    (tmp_path / "second.gz").write_bytes(gzip.compress(("\n".join(lines[25:]) + "\n").encode()))
    whole = prepare([tmp_path / "whole.tsv"], tmp_path / "whole")
    parts = prepare([tmp_path / "first.tsv", tmp_path / "second.gz"], tmp_path / "parts")
    assert whole.num_rows == parts.num_rows == {"train": 48, "valid": 6, "test": 6}
    datasets = [Dataset.open(tmp_path / name) for name in ("whole", "parts")]
    assert all(decoded(datasets[0], split) == decoded(datasets[1], split) for split in SPLITS)
    assert [(file.name, file.size_bytes) for file in parts.inputs] == [
        (name, (tmp_path / name).stat().st_size) for name in ("first.tsv", "second.gz")
    ]


def test_random_order_depends_on_the_seed_and_not_on_blocks(tmp_path: Path) -> None:
    log = tmp_path / "log.tsv"
    log.write_text("\n".join(criteo_lines(120)))
    results = []
    for name, seed, block_bytes in (("a", 1, 9_000), ("b", 1, 100_000), ("c", 2, 9_000)):
        config = PrepareConfig(order="random", seed=seed, block_bytes=block_bytes)
        prepare([log], tmp_path / name, config=config)
        results.append([decoded(Dataset.open(tmp_path / name), split) for split in SPLITS])
    assert results[0] == results[1] != results[2]


def test_the_group_column_numbers_the_groups_of_all_rows(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("y,u,split\n" + "".join(f"{i % 2},u{i // 2},{SPLITS[i // 4]}\n" for i in range(12)))
    prepare([log], tmp_path / "data", choices=Choices(group="u"))
    dataset = Dataset.open(tmp_path / "data")
    groups = dataset.groups("test")
    assert groups is not None
    assert groups[0] == groups[1] != groups[2] == groups[3]
    assert [row[2] for row in decoded(dataset, "test")] == [[[0]]] * 4  # as a feature, users of test are unknown


def test_an_earlier_data_set_is_replaced(tmp_path: Path) -> None:
    log, out = tmp_path / "log.tsv", tmp_path / "data"
    for num_rows in (60, 100):
        log.write_text("\n".join(criteo_lines(num_rows)))
        prepare([log], out)
        assert sorted(path.name for path in out.iterdir()) == sorted([read_manifest(out).folder, "manifest.json"])
    assert sum(read_manifest(out).num_rows.values()) == 100


def test_a_failure_leaves_the_earlier_data_set_and_nothing_half(tmp_path: Path) -> None:
    log, out = tmp_path / "log.tsv", tmp_path / "data"
    log.write_text("\n".join(criteo_lines(60)))
    before = prepare([log], out)
    log.write_text("\n".join([*criteo_lines(60), "1\tshort"]))
    with pytest.raises(DataError, match=r"log.tsv:61: 2 fields where the format has 40"):
        prepare([log], out)
    assert read_manifest(out) == before
    assert sorted(path.name for path in out.iterdir()) == sorted([before.folder, "manifest.json", "rejects.tsv"])
    assert len(decoded(Dataset.open(out), "train")) == 48


def test_bad_rows_are_listed_and_left_out(tmp_path: Path) -> None:
    lines = criteo_lines(60)
    bad = {
        3: ("2" + lines[3][1:], "the label (column label) is `2`; it must be 0 or 1"),
        10: (lines[10].replace("\t", "\tx", 1), "column I1: `x"),
        20: (lines[20] + "\tmore", "41 fields where the format has 40"),
        59: ("", None),
    }
    for number, (line, _) in bad.items():
        lines[number] = line
    log, out = tmp_path / "log.tsv", tmp_path / "data"
    log.write_text("\n".join(lines))
    manifest = prepare([log], out, config=PrepareConfig(max_bad=0.06))
    assert manifest.num_rejected == 3
    assert sum(manifest.num_rows.values()) == 56
    header, *rejected = (out / "rejects.tsv").read_text().splitlines()
    assert header == "file\tline\treason\ttext"
    for text, (number, (_, reason)) in zip(rejected, list(bad.items())[:3], strict=True):
        assert text.startswith(f"{log}\t{number + 1}\t{reason}")
        assert text.endswith(lines[number])


def test_too_many_bad_rows_name_the_first_and_the_way_out(tmp_path: Path) -> None:
    lines = criteo_lines(60)
    lines[6] = "1\t2"
    (tmp_path / "log.tsv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"log.tsv:7: 2 fields .*1 of 60 rows .*rejects.tsv.*--max-bad"):
        prepare([tmp_path / "log.tsv"], tmp_path / "data")
    assert (tmp_path / "data" / "rejects.tsv").read_text().count("\n") == 2


@pytest.mark.parametrize(("label", "message"), [("0", "rows without a click only"), ("1", "clicks only")])
def test_one_class_is_an_error(tmp_path: Path, label: str, message: str) -> None:
    (tmp_path / "log.tsv").write_text("\n".join(label + line[1:] for line in criteo_lines(60)))
    with pytest.raises(DataError, match=f"the train split has 48 {message}"):
        prepare([tmp_path / "log.tsv"], tmp_path / "data")


def test_a_split_without_rows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("y,u,split\n" + "0,a,train\n1,b,train\n0,c,test\n1,c,test\n")
    with pytest.raises(DataError, match="the valid split has no rows"):
        prepare([tmp_path / "log.csv"], tmp_path / "data")


def test_a_log_of_a_header_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("y,u\n")
    with pytest.raises(DataError, match="the log has no rows"):
        prepare([tmp_path / "log.csv"], tmp_path / "data")


def test_no_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least one"):
        prepare([], tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text("\n".join(criteo_lines(60)))
    (tmp_path / "data").mkdir(mode=0o500)
    with pytest.raises(DataError, match="cannot be written"):
        prepare([tmp_path / "log.tsv"], tmp_path / "data")


def test_an_output_below_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text("\n".join(criteo_lines(60)))
    with pytest.raises(DataError, match="cannot be written"):
        prepare([tmp_path / "log.tsv"], tmp_path / "log.tsv" / "data")


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: writing fails in the same place and way."""
    (tmp_path / "log.tsv").write_text("\n".join(criteo_lines(600)))
    code = (
        "import resource, sys; from pathlib import Path; from farthing.recommend.prepare import prepare;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000));"
        "prepare([Path(sys.argv[1])], Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "log.tsv"), str(tmp_path / "data")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "DataError" in result.stderr
    assert "cannot be written (File too large" in result.stderr
    assert list((tmp_path / "data").iterdir()) == []


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text("\n".join(criteo_lines(60)))
    (tmp_path / "data" / "data-killed" / "spool").mkdir(parents=True)
    manifest = prepare([tmp_path / "log.tsv"], tmp_path / "data")
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [manifest.folder, "manifest.json"]


def test_two_runs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text("\n".join(criteo_lines(60)))

    def second(*_: object) -> None:
        with pytest.raises(DataError, match="another process is preparing data there"):
            prepare([tmp_path / "log.tsv"], tmp_path / "data")

    prepare([tmp_path / "log.tsv"], tmp_path / "data", progress=second)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": (0.9, 0.2, 0.1)}, "sum to 1"),
        ({"split": (1.0, 0.0, 0.0)}, "three positive fractions"),
        ({"order": "time"}, "'file' or 'random'"),
        ({"max_bad": 1.5}, "from 0 to 1"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PrepareConfig(**settings)  # type: ignore[arg-type]


def test_progress_goes_through_all_stages(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text("\n".join(criteo_lines(100)))
    seen: list[tuple[str, float, int]] = []
    config = PrepareConfig(block_bytes=9000)
    prepare([tmp_path / "log.tsv"], tmp_path / "data", config=config, progress=lambda *step: seen.append(step))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == ["read", "rank", "encode"]
    for stage in ("read", "rank", "encode"):
        fractions = [fraction for name, fraction, _ in seen if name == stage]
        assert fractions == sorted(fractions)
        assert fractions[-1] == pytest.approx(1.0)
    assert seen[-1][2] == 100
