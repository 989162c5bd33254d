"""What the documents commands show: results on standard output, as text or JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from farthing.documents.filter import FilterResult
from farthing.terminal import output, print_json, say


def show_filtered(result: FilterResult, out: Path, *, as_json: bool) -> None:
    """What a filter kept, and where to look on."""
    if as_json:
        print_json(asdict(result))
        return
    wanted = ", ".join(result.contains)
    output.print(f"{result.kept:,} of {result.pages:,} pages kept for {wanted}", highlight=False)
    if result.failed:
        say(f"{result.failed:,} pages could not be read; {out / 'failed.csv'} says why")
    say(f"no recall is promised yet: farthing documents calibrate {out} --sample 200 --out todo.csv")
    say(f"look: {out / 'report.html'}, or farthing documents review {out}")
