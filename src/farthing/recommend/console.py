"""What the recommend commands show: bars on standard error, results on standard output, as text or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from farthing.base.errors import ConfigError
from farthing.recommend.manifest import Manifest
from farthing.recommend.runs import RunResult
from farthing.recommend.synthetic import SyntheticLog
from farthing.recommend.variants import FLOAT
from farthing.train.progress import ProgressBoard

_errors = Console(stderr=True)
_output = Console()

Row = Mapping[str, Any]  # Any: JSON scalars


def say(message: str) -> None:
    """A line of information on standard error."""
    _errors.print(message, highlight=False, markup=False, soft_wrap=True)


def _print_json(value: object) -> None:
    _output.out(msgspec.json.encode(value).decode(), highlight=False)


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


def parse_bits(text: str) -> int:
    """A bit width from text.

    Raises:
        ConfigError: not a whole number.
    """
    try:
        return int(text)
    except ValueError as error:
        raise ConfigError(f"--bits takes whole numbers such as 32,8,4, got {text!r}") from error


def training_board() -> ProgressBoard:
    """The display of trainings."""
    return ProgressBoard(_errors)


@contextmanager
def counter(description: str, *, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar that counts rows; yields the function to call with the number of new ones."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    with Progress(*columns, TimeRemainingColumn(), console=_errors) as bar:
        task = bar.add_task(description, total=total)
        yield lambda rows: bar.update(task, advance=rows)


@contextmanager
def stages() -> Iterator[Callable[[str, float, int], None]]:
    """A bar for work in stages; yields the function to call with the stage, its share done and the rows read."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TextColumn("{task.fields[rows]}"))
    with Progress(*columns, TimeRemainingColumn(), console=_errors) as bar:
        task = bar.add_task("prepare", total=1.0, rows="")

        def advance(stage: str, fraction: float, num_rows: int) -> None:
            bar.update(task, description=stage, completed=fraction, rows=f"{num_rows:,} rows")

        yield advance


def show_metrics(metrics: Mapping[str, float], *, title: str, as_json: bool) -> None:
    """One line per metric."""
    if as_json:
        _print_json(metrics)
        return
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for name, value in metrics.items():
        table.add_row(name, f"{value:.4f}")
    _output.print(table)


def show_result(result: RunResult, out: Path, *, as_json: bool) -> None:
    """The metrics of a finished training and what can be done next."""
    if as_json:
        _print_json(result)
        return
    show_metrics(result.valid, title="validation (chose the weights)", as_json=False)
    show_metrics(result.test, title="test", as_json=False)
    say(
        f"{result.epochs} epochs in {result.train_seconds:.0f} s, {result.rows_per_second:,.0f} rows/s; "
        f"next: farthing recommend export {out} --out MODEL"
    )


def show_table(rows: Sequence[Row], out: Path, *, as_json: bool) -> None:
    """The comparison, one line per model."""
    if as_json:
        _print_json(rows)
        return
    reference = next((row for row in rows if row["name"] == FLOAT), None)
    table = Table(title="test split, packed models, one thread", title_justify="left")
    table.add_column("model")
    for name in ("AUC", "accuracy", "log loss", "MB", "of fp32", "MFLOPs", "us, 1 row", "rows/s, 2048"):
        table.add_column(name, justify="right")
    for row in rows:
        share = f"{row['size_mb'] / reference['size_mb']:.3f}" if reference else ""
        table.add_row(
            row["name"],
            f"{row['auc']:.4f} +- {row['auc_std']:.4f}",
            f"{row['accuracy']:.4f}",
            f"{row['log_loss']:.4f}",
            f"{row['size_mb']:.3f}",
            share,
            f"{row['mflops']:.3f}",
            f"{row['p50_us_1']:.0f}",
            f"{row['rows_per_second_2048']:,.0f}",
        )
    _output.print(table)
    say(f"report: {out / 'report.html'}")


def show_synthetic(log: SyntheticLog, out: Path, *, as_json: bool) -> None:
    """What is known of a log that was made up."""
    if as_json:
        _print_json(log)
        return
    say(
        f"{out}: {log.num_rows:,} rows, {log.num_clicks / log.num_rows:.1%} clicks; "
        f"the best reachable AUC is {log.best_auc:.4f}"
    )


def show_prepared(manifest: Manifest, out: Path, *, as_json: bool) -> None:
    """What prepare recognised and wrote."""
    if as_json:
        _print_json(manifest)
        return
    for note in manifest.notes:
        say(note)
    counts = ", ".join(f"{name} {split.num_rows:,}" for name, split in manifest.splits.items())
    ids = sum(field.num_values for field in manifest.fields)
    say(f"{out}: {counts} rows; {len(manifest.dense)} numbers, {len(manifest.fields)} fields, {ids:,} ids")
    if manifest.num_rejected:
        say(f"{manifest.num_rejected:,} bad rows left out; they are in {out / 'rejects.tsv'}")
