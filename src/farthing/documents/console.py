"""What the documents commands show: results on standard output, as text or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any  # JSON scalars of a table's rows

from rich.box import SIMPLE_HEAD
from rich.table import Table

from farthing.documents.adaptation.adapt import Adaptation
from farthing.documents.filtering.filter import FilterResult
from farthing.documents.filtering.promise import percent, read_promise
from farthing.documents.judging.evaluation import Evaluation
from farthing.documents.recall.calibrate import SampleState
from farthing.documents.recall.recall import Calibration
from farthing.documents.synthetic.write import Synthesis
from farthing.documents.training.runs import RunResult
from farthing.terminal import errors, output, print_json, say
from farthing.train.loop import FitResult
from farthing.train.progress import ProgressBoard


def show_filtered(result: FilterResult, out: Path, *, as_json: bool) -> None:
    """What a filter kept, and where to look on."""
    if as_json:
        print_json(asdict(result))
        return
    wanted = ", ".join(result.contains)
    output.print(f"{result.kept:,} of {result.pages:,} pages kept for {wanted}", highlight=False)
    if result.failed:
        say(f"{result.failed:,} pages could not be read; {out / 'failed.csv'} says why")
    promise = read_promise(out, num_pages=result.pages - result.failed)
    if promise.kind == "open":
        say(f"{promise.title}; promise one: farthing documents calibrate {out} --sample 200 --out todo.csv")
    else:
        say(promise.title)
    say(f"look: {out / 'report.html'}, or farthing documents review {out}")


def show_sample(state: SampleState, folder: Path, todo: Path | None, *, as_json: bool) -> None:
    """How many pages to look at, and how to answer."""
    if as_json:
        print_json(asdict(state))
        return
    open_pages = state.total - state.answered
    output.print(f"{open_pages:,} pages to look at, of {state.num_pages:,} ({state.answered:,} answered before)")
    if todo is not None:
        say(f"fill in 1 or 0 in {todo}, then: farthing documents calibrate {folder} --labels {todo}")
    say(f"or answer in the browser: farthing documents review {folder}; then: farthing documents calibrate {folder}")


def show_calibration(result: Calibration, folder: Path, *, as_json: bool) -> None:
    """The promise, or what could be promised instead."""
    if as_json:
        print_json(asdict(result))
        return
    sure = f"with {result.confidence:.0%} confidence"
    if result.is_reached:
        promise = f"at least {percent(result.recall_lower_bound)} of the wanted ones, {sure}"
        output.print(f"{result.kept:,} of {result.num_pages:,} pages kept: {promise}", highlight=False)
    else:
        output.print(
            f"every page kept: {result.labels_used:,} answers do not suffice for a recall of {result.recall:.0%}",
            highlight=False,
        )
        say(
            f"they promise {percent(result.recall_lower_bound)} {sure} ({result.best_kept:,} pages; --recall "
            f"{result.recall_lower_bound:.2f}); about {result.more_labels_wanted:,} more answers reach "
            f"{result.recall:.0%}: farthing documents calibrate {folder} --more --out todo.csv"
        )


def show_trained(result: RunResult, out: Path, *, as_json: bool) -> None:
    """How good a detector is on the held-out pages."""
    if as_json:
        print_json(result)
        return
    table = Table(box=SIMPLE_HEAD, title="held-out pages, final bits", title_justify="left")
    for name in ("class", "page AP", "box AP50"):
        table.add_column(name, justify="left" if name == "class" else "right")
    classes = [name.removeprefix("page_ap/") for name in result.metrics if name.startswith("page_ap/")]
    for name in classes:
        table.add_row(name, f"{result.metrics[f'page_ap/{name}']:.3f}", f"{result.metrics[f'ap50/{name}']:.3f}")
    table.add_row("mean", f"{result.metrics['page_ap']:.3f}", f"{result.metrics['ap50']:.3f}")
    output.print(table)
    say(
        f"{result.num_images:,} pages seen in {result.train_seconds:,.0f} s; try: farthing documents filter {out} PAGES"
    )


def show_pretrained(result: FitResult, out: Path, *, as_json: bool) -> None:
    """How much of hidden squares is told right."""
    if as_json:
        print_json(asdict(result))
        return
    output.print(f"{result.best_metrics['told']:.1%} of the contrast of hidden squares told right", highlight=False)
    say(f"{result.rows:,} pages seen in {result.seconds:,.0f} s; try: farthing documents train DATA --init {out}")


def show_adapted(result: Adaptation, out: Path, *, as_json: bool) -> None:
    """Which model is kept, and every check."""
    if as_json:
        print_json(result)
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("check", "before", "after", "gain at least", "holds"):
        table.add_column(name, justify="left" if name == "check" else "right")
    for check in result.checks:
        holds = "yes" if check.holds else "no"
        table.add_row(check.name, f"{check.before:.3f}", f"{check.after:.3f}", f"{check.low:+.3f}", holds)
    output.print(table)
    output.print(result.reason, highlight=False)
    say(f"{result.num_pages:,} pages without labels were read; try: farthing documents filter {out} PAGES")


def training_board() -> ProgressBoard:
    """The display of trainings, in pages."""
    return ProgressBoard(errors)


def show_synthesis(made: Synthesis, out: Path, *, as_json: bool) -> None:
    """What synthetic pages show, and what to do with them."""
    if as_json:
        print_json(made)
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in made.num_boxes.items())
    output.print(f"{made.num_pages:,} pages, {made.num_bare:,} of them without an object", highlight=False)
    say(f"objects: {counts}")
    if made.like:
        say(f"looks like: {made.like}")
    say(f"next: farthing documents train {out} --out RUN")


def show_evaluation(result: Evaluation, *, title: str, as_json: bool) -> None:
    """How good a detector is, per class."""
    if as_json:
        print_json(result)
        return
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    names = {
        "page_ap": "page AP",
        "precision_at_95": "precision at 95 %",
        "kept_at_95": "kept at 95 %",
        "ap50": "box AP50",
    }
    for column in ("class", "pages with it", *names.values()):
        table.add_column(column, justify="left" if column == "class" else "right")
    for name, figures in result.classes.items():
        table.add_row(name, f"{figures['positive']:,.0f}", *(f"{figures[rate]:.3f}" for rate in names))
    output.print(table)
    if result.unreadable:
        say(f"{len(result.unreadable):,} of {result.num_pages:,} pages could not be read; they count as not found")


def show_comparison(rows: Sequence[Mapping[str, Any]], out: Path, *, as_json: bool) -> None:
    """The table of bit widths."""
    if as_json:
        print_json(rows)
        return
    table = Table(
        box=SIMPLE_HEAD, title=f"mean +- std of {rows[0]['seeds']} seeds, packed models", title_justify="left"
    )
    for column in ("model", "page AP", "box AP50", "MB", "ms per page"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in rows:
        rates = (f"{row[rate]:.3f} +- {row[f'{rate}_std']:.3f}" for rate in ("page_ap", "ap50"))
        table.add_row(row["name"], *rates, f"{row['size_mb']:.2f}", f"{row['ms_per_page']:.1f}")
    output.print(table)
    say(f"report: {out / 'report.html'}; table: {out / 'compare.csv'}")
