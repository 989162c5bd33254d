"""What the discover commands show: results on standard output, as text or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Literal  # JSON scalars of a table's rows

from rich.box import SIMPLE_HEAD
from rich.status import Status
from rich.table import Table

from farthing.discover.assign import AssignResult
from farthing.discover.evaluation import Figures
from farthing.discover.export import Export
from farthing.discover.rundata import Summary
from farthing.discover.splitfolder import SplitCounts
from farthing.terminal import errors, output, print_json, say

GROUPS = ("all", "old", "new")
COMPARED = ("all", "balanced", "old", "new", "named_old")
SPREAD = ("all",)  # a deviation beside each figure does not fit on a terminal; compare.csv has them


class StageLine:
    """What is being done, as one line on the terminal. A context manager."""

    def __init__(self) -> None:
        self._status = Status("", console=errors)

    def __call__(self, stage: str) -> None:
        """Shows the stage in place of the last one."""
        self._status.update(stage)

    def __enter__(self) -> StageLine:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()


def show_fit(summary: Summary, out: Path, *, as_json: bool) -> None:
    """How many classes there are, why, and where to look on."""
    if as_json:
        print_json(summary)
        return
    between = (
        "" if summary.k_low == summary.k_high else f" (between {summary.k_low:,} and {summary.k_high:,} plausible)"
    )
    num_new = summary.k - summary.num_known
    output.print(
        f"{summary.num_images:,} images in {summary.k:,} classes, {num_new:,} of them new{between}", highlight=False
    )
    if summary.num_unsorted:
        output.print(f"{summary.num_unsorted:,} images form no class: unsorted", highlight=False)
    for warning in summary.warnings:
        say(f"warning: {warning}")
    say(f"{summary.choice.head}: {summary.choice.why}")
    if summary.ece is not None:
        say(f"probabilities are off by {100 * summary.ece:.1f} points on held-out labels")
    say(f"{summary.seconds:,.0f} s; look: {out / 'report.html'}, or farthing discover gallery {out}")


def show_assigned(result: AssignResult, out: Path, *, as_json: bool) -> None:
    """Where new images went."""
    if as_json:
        print_json(asdict(result))
        return
    output.print(
        f"{result.num_images:,} images: {result.num_known:,} in known classes, {result.num_new:,} in new ones, "
        f"{result.num_unsorted:,} unsorted",
        highlight=False,
    )
    for warning in result.warnings:
        say(f"warning: {warning}")
    if result.new_classes:
        say(f"new classes from what had gathered as unsorted: {', '.join(result.new_classes)}")
    say(f"table: {out}")


def show_export(result: Export, *, as_json: bool) -> None:
    """What was written where."""
    if as_json:
        print_json({**asdict(result), "path": str(result.path)})
        return
    output.print(f"{result.num_images:,} images of {result.num_classes:,} classes", highlight=False)
    for warning in result.warnings:
        say(f"warning: {warning}")
    say(f"written: {result.path}")


def show_evaluation(figures: Figures, *, title: str, as_json: bool) -> None:
    """The figures of the protocol, in percent."""
    if as_json:
        print_json({name: None if value is None else round(value, 4) for name, value in figures.items()})
        return
    output.print(accuracy_table(figures, title))
    interval = f"{_count(figures['k_low'])} to {_count(figures['k_high'])}"
    output.print(
        f"classes: {_count(figures['classes'])} true, {_count(figures['k'])} found (plausible: {interval})",
        highlight=False,
    )
    output.print(f"known classes by name, without matching: {_percent(figures['named_old'])} %", highlight=False)
    if (ece := figures["ece"]) is not None:
        output.print(f"probabilities are off by {100 * ece:.1f} points", highlight=False)
    if (auroc := figures["novelty_auroc"]) is not None:
        output.print(f"novelty tells new from known with an AUROC of {auroc:.3f}", highlight=False)


def accuracy_table(figures: Mapping[str, float | None], title: str) -> Table:
    """All, old and new: images, the mean over classes, and thirds of the classes by size."""
    table = Table(box=SIMPLE_HEAD, title=f"{title}, unlabelled images, percent", title_justify="left")
    for column in ("", "images", "balanced", "many", "medium", "few"):
        table.add_column(column, justify="right" if column else "left")
    for group in GROUPS:
        balanced = "balanced" if group == "all" else f"balanced_{group}"
        thirds = [_percent(figures.get(f"{group}_{third}")) for third in ("many", "medium", "few")]
        table.add_row(group, _percent(figures[group]), _percent(figures[balanced]), *thirds)
    return table


def show_comparison(rows: Sequence[Mapping[str, Any]], out: Path, *, as_json: bool) -> None:
    """The table of heads and widths."""
    if as_json:
        print_json(rows)
        return
    title = f"mean of {rows[0]['seeds']} seeds (+- std), unlabelled images, percent"
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for column in ("head", "bits", *COMPARED, "s"):
        justify: Literal["left", "right"] = "left" if column == "head" else "right"
        table.add_column(column.removesuffix("_old"), justify=justify, no_wrap=True)
    for row in rows:
        cells = [_percent(row[name]) + _spread(row, name) for name in COMPARED]
        table.add_row(row["head"], str(row["bits"]), *cells, f"{row['seconds']:,.1f}")
    output.print(table)
    say(f"report: {out / 'report.html'}; table: {out / 'compare.csv'}")


def show_split(counts: SplitCounts, out: Path, *, as_json: bool) -> None:
    """What a benchmark holds, and what to do with it."""
    if as_json:
        print_json(asdict(counts))
        return
    output.print(
        f"{counts.images:,} images, {counts.classes:,} classes of {counts.smallest:,} to {counts.largest:,}, "
        f"{counts.known:,} known, {counts.labelled:,} images labelled",
        highlight=False,
    )
    say(f"next: farthing discover fit {out / 'images'} --labels {out / 'labels.csv'} --out RUN")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _spread(row: Mapping[str, Any], name: str) -> str:
    return f" +- {_percent(row[f'{name}_std'])}" if name in SPREAD and row["seeds"] > 1 else ""


def _count(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"
