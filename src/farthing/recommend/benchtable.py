"""What `farthing recommend bench` measured, as tables for a terminal: one per number of threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from farthing.recommend.bench import FARTHING, BenchRow, Measured, best_peer


def bench_tables(measured: Measured) -> Iterator[Table]:
    """A table per number of threads: every engine at every number of rows, 80 columns wide."""
    for threads in dict.fromkeys(row.threads for row in measured.rows):
        table = Table(
            title="one thread" if threads == 1 else f"{threads} threads",
            title_justify="left",
            box=SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_edge=False,
        )
        table.add_column("batch\n", justify="right", no_wrap=True)
        for name in ("engine\n", "runs as\n"):
            table.add_column(name, no_wrap=True)
        for name in ("median\nus", "10th to 90th\nus", "1000\nrows/s", "ratio\n", "devi-\nation"):
            table.add_column(name, justify="right", no_wrap=True)
        rows = [row for row in measured.rows if row.threads == threads]
        for batch in dict.fromkeys(row.batch for row in rows):
            _add_batch(table, measured, [row for row in rows if row.batch == batch])
        yield table


def _add_batch(table: Table, measured: Measured, rows: Sequence[BenchRow]) -> None:
    own = next(row for row in rows if row.engine == FARTHING)
    best = best_peer(rows, own)
    for row in rows:
        table.add_row(
            f"{row.batch:,}" if row is own else "",
            row.engine,
            measured.variants[row.engine, row.batch, row.threads],
            microseconds(row.median_us),
            f"{microseconds(row.p10_us)} to {microseconds(row.p90_us)}",
            f"{row.rows_per_second / 1e3:,.1f}",
            "" if row is own else f"{row.median_us / own.median_us:.2f}",
            f"{measured.deviations[row.engine]:.0e}",
            style="bold" if row in (own, best) else None,
            end_section=row is rows[-1],
        )


def ratios(measured: Measured) -> list[str]:
    """Per number of threads and of rows, how many times as fast as its fastest peer farthing is."""
    lines = []
    for row in measured.rows:
        best = best_peer(measured.rows, row)
        if row.engine == FARTHING and best is not None:
            times = best.median_us / row.median_us
            lines.append(f"batch {row.batch:,}, threads {row.threads}: {times:.2f} times as fast as {best.engine}")
    return lines


def microseconds(value: float) -> str:
    """Three significant digits: 4.56, 45.6, 456, 4,560."""
    return f"{value:.3g}" if value < 1000 else f"{float(f'{value:.3g}'):,.0f}"
