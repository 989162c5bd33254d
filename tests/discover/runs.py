"""Finished runs without a fit: the files that other commands read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from farthing.base.files import write_json
from farthing.discover.csvfiles import write_rows
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, write_assignments
from farthing.discover.rundata import GIVEN_FILE, INFO_FILE, SUMMARY_FILE, Choice, RunInfo, Summary

INFO = RunInfo(images="", labels=None, source="builtin", num_classes=None, seed=0, settings={}, collection="")
SUMMARY = Summary(
    k=3,
    k_low=2,
    k_high=5,
    ece=0.02,
    seconds=1.0,
    choice=Choice(head="kmeans", settings={}, why="it is the only one"),
    seed=0,
    features={},
    num_images=0,
    num_labelled=0,
    num_known=0,
    num_unsorted=0,
    num_unreadable=0,
)


def make_run(run: Path, rows: Sequence[SortedImage], *, given: dict[str, str] | None = None) -> Path:
    """A run over images in `run`-images, which are made too; unreadable ones (no label) are not images."""
    root = run.with_name(f"{run.name}-images")
    for number, row in enumerate(rows):
        path = root / row.image
        path.parent.mkdir(parents=True, exist_ok=True)
        if row.label:
            Image.new("L", (4, 4), number).save(path, "PNG")
        else:
            path.write_text("not an image")
    write_json(run / INFO_FILE, {**{name: getattr(INFO, name) for name in INFO.__struct_fields__}, "images": str(root)})
    write_rows(run / GIVEN_FILE, ["image", "label"], [(row.image, (given or {}).get(row.image, "")) for row in rows])
    write_json(run / SUMMARY_FILE, SUMMARY)
    write_assignments(run / ASSIGNMENTS_FILE, rows)
    return run
