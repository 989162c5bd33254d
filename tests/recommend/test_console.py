from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from farthing import options, terminal
from farthing.base.errors import ConfigError
from farthing.base.files import read_json
from farthing.recommend import console
from farthing.recommend.runs import RunResult
from farthing.recommend.synthetic import SyntheticLog
from tests.recommend import small
from tests.reference.comparison import MODELS, make_rows


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to standard output, on a terminal of 80 columns."""
    stream = io.StringIO()
    shown = Console(file=stream, width=80)
    monkeypatch.setattr(console, "output", shown)
    monkeypatch.setattr(terminal, "output", shown)
    return stream


def lines(output: io.StringIO) -> list[str]:
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_the_table_in_80_columns(output: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    console.show_table(make_rows(), Path("out"), as_json=False)
    shown = lines(output)
    assert shown[0] == "test split, mean +- std of 3 seeds, packed models"
    assert shown[1].split() == ["model", "AUC", "accu-", "log", "size", "of", "MFLOP", "us", "rows"]
    assert shown[2].split() == ["+-", "racy", "loss", "MB", "fp32", "a", "row", "per", "s"]
    assert [line.split()[0] for line in shown[4:-1]] == [name for name, *_ in MODELS]
    assert shown[6] == "int4             0.8031 .0003  0.7881  0.4469  0.741   13%  0.950  304   227k"
    assert max(map(len, shown)) <= 80
    assert "report: out/report.html" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"size_mb": 9876.5, "rows_per_second_2048": 12.3e6}, {"size_mb": 1e-5, "auc": 1.0}])
def test_unusual_sizes_do_not_wrap(output: io.StringIO, change: dict[str, float]) -> None:
    rows = make_rows()
    rows[5] |= change
    console.show_table(rows, Path("out"), as_json=False)
    assert len(lines(output)) == 5 + len(rows)
    assert "\u2026" not in output.getvalue()


def test_one_seed_shows_no_spread(output: io.StringIO) -> None:
    console.show_table([row | {"seeds": 1} for row in make_rows()], Path("out"), as_json=False)
    assert lines(output)[0] == "test split, one seed, packed models"
    assert lines(output)[4].split()[:3] == ["fp32", "0.8033", "0.7883"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00741, "0.0074"), (0.0741, "0.0741"), (0.741, "0.741"), (7.414, "7.41"), (74.14, "74.1"), (7410.4, "7,410")],
)
def test_three_digits(value: float, text: str) -> None:
    assert console._three_digits(value) == text
    assert console._three_digits(0) == "0"


@pytest.mark.parametrize(
    ("value", "text"), [(0.043, "4%"), (1.0, "100%"), (9.994, "999%"), (9.996, "10x"), (1217.0, "1,217x")]
)
def test_share(value: float, text: str) -> None:
    assert console._share(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.0, "12"), (9999.4, "9,999"), (9999.6, "10k"), (227_499, "227k"), (999_499, "999k"), (999_600, "1.0M")],
)
def test_rate(value: float, text: str) -> None:
    assert console._rate(value) == text


@pytest.mark.parametrize("value", ["[1, 2]", {"auc": 0.123456789, "name": "a\nb " + "long " * 40}])
def test_json_is_whole_and_alone_on_standard_output(output: io.StringIO, value: Any) -> None:  # Any: JSON
    terminal.print_json(value)
    assert json.loads(output.getvalue()) == value


def test_every_result_has_a_json_form(output: io.StringIO, trained: small.Trainings) -> None:
    folder = trained("mixed")
    result = read_json(folder / "result.json", RunResult)
    console.show_result(result, folder, as_json=True)
    console.show_table(make_rows(), folder, as_json=True)
    console.show_metrics(result.test, title="x", as_json=True)
    console.show_synthetic(SyntheticLog(num_rows=3, num_clicks=1, best_auc=0.7), folder, as_json=True)
    first, *rest = (json.loads(line) for line in output.getvalue().splitlines())
    assert first == json.loads((folder / "result.json").read_text())
    assert rest == [make_rows(), result.test, {"num_rows": 3, "num_clicks": 1, "best_auc": 0.7}]


def test_a_result_says_what_comes_next(
    output: io.StringIO, trained: small.Trainings, capsys: pytest.CaptureFixture[str]
) -> None:
    result = read_json(trained("mixed") / "result.json", RunResult)
    console.show_result(result, Path("run"), as_json=False)
    shown = [line.split() for line in lines(output)]
    assert shown[0] == ["validation", "test"]
    assert ["auc", f"{result.valid['auc']:.4f}", f"{result.test['auc']:.4f}"] in shown
    assert ["gauc", f"{result.test['gauc']:.4f}"] in shown
    assert "farthing recommend export run --out MODEL" in capsys.readouterr().err


def test_metrics_below_a_title_of_any_length(output: io.StringIO) -> None:
    title = "runs/" + "long/" * 20 + " on data [test]"
    console.show_metrics({"auc": 0.51239, "log_loss": 0.7}, title=title, as_json=False)
    assert lines(output) == [title, "auc       0.5124", "log_loss  0.7000"]


@pytest.mark.parametrize("text", ["0.8,0.2", "0.8,0.1,0.1,0", "a,b,c", ""])
def test_a_split_that_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match="--split takes three shares"):
        console.parse_split(text)


def test_parsing() -> None:
    assert console.parse_split("0.7, 0.2,.1") == (0.7, 0.2, 0.1)
    assert options.parse_bits("8") == 8
    with pytest.raises(ConfigError, match=r"--bits takes whole numbers .* got 'four'"):
        options.parse_bits("four")
