"""What the recommend commands show: bars on standard error, results on standard output, as text or JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from farthing.base.errors import ConfigError
from farthing.recommend.bench import Measured
from farthing.recommend.benchtable import bench_tables, ratios
from farthing.recommend.manifest import Manifest
from farthing.recommend.runs import RunResult
from farthing.recommend.synthetic import SyntheticLog
from farthing.recommend.variants import FLOAT
from farthing.terminal import errors, output, print_json, say
from farthing.train.progress import ProgressBoard

Row = Mapping[str, Any]  # Any: JSON scalars


def parse_split(text: str) -> tuple[float, float, float]:
    """Three shares from "0.8,0.1,0.1".

    Raises:
        ConfigError: not three numbers.
    """
    try:
        train, valid, test = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--split takes three shares such as 0.8,0.1,0.1, got {text!r}") from error
    return train, valid, test


def parse_counts(option: str, texts: Sequence[str]) -> list[int]:
    """Whole numbers from 1 on.

    Raises:
        ConfigError: something else.
    """
    if any(not text.isdecimal() or int(text) < 1 for text in texts):
        raise ConfigError(f"{option} takes whole numbers from 1 on, such as 1,256, got {','.join(texts)!r}")
    return [int(text) for text in texts]


def training_board() -> ProgressBoard:
    """The display of trainings."""
    return ProgressBoard(errors)


@contextmanager
def counter(description: str, *, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar that counts rows; yields the function to call with the number of new ones."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    with Progress(*columns, TimeRemainingColumn(), console=errors) as bar:
        task = bar.add_task(description, total=total)
        yield lambda rows: bar.update(task, advance=rows)


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """A clock beside what is being done; yields the function to call with that."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("")
        yield lambda description: bar.update(task, description=description)


@contextmanager
def stages() -> Iterator[Callable[[str, float, int], None]]:
    """A bar for work in stages; yields the function to call with the stage, its share done and the rows read."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TextColumn("{task.fields[rows]}"))
    with Progress(*columns, TimeRemainingColumn(), console=errors) as bar:
        task = bar.add_task("prepare", total=1.0, rows="")

        def advance(stage: str, fraction: float, num_rows: int) -> None:
            bar.update(task, description=stage, completed=fraction, rows=f"{num_rows:,} rows")

        yield advance


def show_metrics(metrics: Mapping[str, float], *, title: str, as_json: bool) -> None:
    """One line per metric."""
    if as_json:
        print_json(metrics)
        return
    output.print(title, highlight=False, markup=False, soft_wrap=True)
    output.print(_metric_table({"": metrics}))


def show_result(result: RunResult, out: Path, *, as_json: bool) -> None:
    """The metrics of a finished training and what can be done next."""
    if as_json:
        print_json(result)
        return
    output.print(_metric_table({"validation": result.valid, "test": result.test}))
    say(
        f"{result.epochs} epochs in {result.train_seconds:.0f} s, {result.rows_per_second:,.0f} rows/s; "
        f"next: farthing recommend export {out} --out MODEL"
    )


def _metric_table(columns: Mapping[str, Mapping[str, float]]) -> Table:
    """One line per metric, one column per split; a gap where a split lacks it."""
    table = Table(box=None, show_header=any(columns), padding=(0, 2, 0, 0))
    table.add_column("")
    for title in columns:
        table.add_column(title, justify="right")
    for name in dict.fromkeys(name for metrics in columns.values() for name in metrics):
        table.add_row(name, *(f"{metrics[name]:.4f}" if name in metrics else "" for metrics in columns.values()))
    return table


def show_table(rows: Sequence[Row], out: Path, *, as_json: bool) -> None:
    """The comparison, one line per model, 80 columns wide."""
    if as_json:
        print_json(rows)
        return
    float_mb = next(row["size_mb"] for row in rows if row["name"] == FLOAT)
    seeds = rows[0]["seeds"]
    table = Table(
        title=f"test split, {'one seed' if seeds == 1 else f'mean +- std of {seeds} seeds'}, packed models",
        caption="us: for one row. rows per s: in batches of 2,048. One thread.",
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("model\n", no_wrap=True)
    for name in ("AUC\n+-", "accu-\nracy", "log\nloss", "size\nMB", "of\nfp32", "MFLOP\na row", "us\n", "rows\nper s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"],
            f"{row['auc']:.4f}" + (f" [dim]{row['auc_std']:.4f}".replace("]0.", "].") if seeds > 1 else ""),
            f"{row['accuracy']:.4f}",
            f"{row['log_loss']:.4f}",
            _three_digits(row["size_mb"]),
            _share(row["size_mb"] / float_mb),
            _three_digits(row["mflops"]),
            f"{row['p50_us_1']:.0f}",
            _rate(row["rows_per_second_2048"]),
        )
    output.print(table)
    say(f"report: {out / 'report.html'}")


def _share(value: float) -> str:
    """A part as per cent, a multiple as such: 4%, 100%, 12x."""
    return f"{value:.0%}" if value < 9.995 else f"{value:,.0f}x"


def _rate(value: float) -> str:
    """A large number in at most five characters: 9,876, 227k, 2.3M."""
    if value >= 999_500:
        return f"{value / 1e6:.1f}M"
    return f"{value / 1e3:.0f}k" if value >= 9_999.5 else f"{value:,.0f}"


def _three_digits(value: float) -> str:
    """At least three significant digits without an exponent: 0.0741, 0.741, 7.41, 74.1, 741, 7,410."""
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{min(digits, 4)}f}"


def show_synthetic(log: SyntheticLog, out: Path, *, as_json: bool) -> None:
    """What is known of a log that was made up."""
    if as_json:
        print_json(log)
        return
    say(
        f"{out}: {log.num_rows:,} rows, {log.num_clicks / log.num_rows:.1%} clicks; "
        f"the best reachable AUC is {log.best_auc:.4f}"
    )


def show_prepared(manifest: Manifest, out: Path, *, as_json: bool) -> None:
    """What prepare recognised and wrote."""
    if as_json:
        print_json(manifest)
        return
    for note in manifest.notes:
        say(note)
    counts = ", ".join(f"{name} {split.num_rows:,}" for name, split in manifest.splits.items())
    ids = sum(field.num_values for field in manifest.fields)
    say(f"{out}: {counts} rows; {len(manifest.dense)} numbers, {len(manifest.fields)} fields, {ids:,} ids")
    if manifest.num_rejected:
        say(f"{manifest.num_rejected:,} bad rows left out; they are in {out / 'rejects.tsv'}")


def show_bench(measured: Measured) -> None:
    """Times, and what they come to."""
    for table in bench_tables(measured):
        output.print(table)
    output.print(
        "One call: encoded rows in, logits out. Ratio: time over farthing's.\n"
        "Deviation: of the logits from those of the same weights in full precision\n"
        "(farthing's: with its rounding of inputs), in their standard deviations.\n",
        highlight=False,
    )
    for line in ratios(measured):
        output.print(line, highlight=False, soft_wrap=True)
