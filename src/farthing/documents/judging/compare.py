"""The table of bit widths: one data set, one float training per seed, and from it every width, measured as packed."""

from __future__ import annotations

import csv
import io
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from farthing.base.errors import ConfigError
from farthing.base.files import read_json, write_bytes, write_json
from farthing.documents.config import FLOAT_BITS, DocumentsConfig, Precision, Width
from farthing.documents.judging.comparereport import write_compare_report
from farthing.documents.judging.evaluation import Evaluation, evaluate_on, load_pages
from farthing.documents.net.predict import PageDetector
from farthing.documents.training.cache import LabelledPage
from farthing.documents.training.data import read_pages, split_pages
from farthing.documents.training.runs import FLOAT_FOLDER, MODEL_FOLDER, NewProgress, RunResult, train_on
from farthing.train.devices import Device

Row = dict[str, Any]  # Any: JSON scalars

TABLE_FILE, CSV_FILE = "compare.json", "compare.csv"
TIMED_PAGES, TIMED_ROUNDS = 32, 5
MEGABYTE = 1e6
TEST_SHARE, TEST_SEED = 0.2, 0
RATES = ("page_ap", "ap50", "precision_at_95", "kept_at_95")

PRECISION_OF_BITS: Mapping[Width, Precision] = {
    32: Precision(weight=FLOAT_BITS, edge=FLOAT_BITS, activation=FLOAT_BITS),
    8: Precision(),
    4: Precision(weight=4),
    2: Precision(weight=2),
}


def compare_bits(
    data: Sequence[Path],
    out: Path,
    *,
    bits: Sequence[int],
    seeds: int,
    config: DocumentsConfig,
    test: Path | None = None,
    device: Device = "auto",
    progress: NewProgress | None = None,
) -> list[Row]:
    """The rows of the table, which is also written to `out` as compare.json, compare.csv and report.html.

    Args:
        data: labelled pages.
        out: the folder; what is finished in it is not done again.
        bits: 32, 8, 4 or 2 each.
        seeds: trainings of every width, >= 1.
        config: of the trainings, apart from their bits.
        test: labelled pages to measure on; None keeps a fifth of `data` apart, the same for every training.
        device: to train on.
        progress: makes the display of one part of a training from its title.

    Raises:
        ConfigError: other bits, or `out` holds a comparison of other data or settings.
        DataError: the data cannot be read, or nothing in it is looked for.
    """
    pages = read_pages(data, config.classes)
    if test is not None:
        train, tested = pages, read_pages([test], config.classes)
    else:
        kept, apart = split_pages(len(pages), share=TEST_SHARE, at_most=len(pages), seed=TEST_SEED)
        train, tested = [pages[index] for index in kept], [pages[index] for index in apart]
    facts = {"Data": ", ".join(map(str, data)), "Test data": "a fifth of it, set apart" if test is None else str(test)}
    comparison = Comparison(
        pages=train, test=tested, out=out, config=config, seeds=seeds, device=device, progress=progress, facts=facts
    )
    return comparison.run(bits)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A comparison in a folder: `runs/NAME/seed-S`, and the table made from them.

    What is finished in the folder is not done again, so that an interrupted comparison goes on where it stopped.

    Attributes:
        pages: labelled, to train on.
        test: labelled, to measure on; nothing is chosen by them.
        out: the folder.
        config: of the trainings, apart from their bits.
        seeds: how many times every width is trained, >= 1.
        device: to train on; measured is on the CPU.
        progress: makes the display of one training from its title.
        facts: label and text of what the report says of the data.
    """

    pages: Sequence[LabelledPage]
    test: Sequence[LabelledPage]
    out: Path
    config: DocumentsConfig
    seeds: int = 3
    device: Device = "auto"
    progress: NewProgress | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def run(self, bits: Sequence[int]) -> list[Row]:
        """Trains and measures every width; writes compare.json, compare.csv and report.html.

        Args:
            bits: 32, 8, 4 or 2 each, in the order of the table.

        Raises:
            ConfigError: other bits.
            DataError: the data cannot be read, or nothing in it is looked for.
        """
        widths = [_width(value) for value in bits]
        for seed in range(self.seeds):
            for width in widths:
                self._train(width, seed)
        timings = self._time(widths)
        rows = [self._row(width) | timings[width] for width in widths]
        write_json(self.out / TABLE_FILE, rows)
        write_bytes(self.out / CSV_FILE, csv_table(rows))
        write_compare_report(self.out, rows, self._facts())
        return rows

    def _facts(self) -> dict[str, str]:
        """What the report says of the trainings, after what it knows from the rows."""
        train, model = self.config.train, self.config.model
        return {
            "Trained on": f"{len(self.pages):,} pages",
            **self.facts,
            "Preset": self.config.preset,
            "Architecture": f"{model.architecture}, pages of {model.long_side} pixels",
            "Budget": f"{train.num_images:,} pages in float, then {train.num_quantized_images:,} with the final bits",
        }

    def _train(self, width: Width, seed: int) -> None:
        """One training; the float part, which all widths of a seed share, is taken from where it was done first."""
        folder = self._folder(width, seed)
        if width != FLOAT_BITS and not (folder / FLOAT_FOLDER).exists():
            self._train(FLOAT_BITS, seed)
            copy = folder / f"{FLOAT_FOLDER}.part"
            shutil.copytree(self._folder(FLOAT_BITS, seed) / FLOAT_FOLDER, copy, dirs_exist_ok=True)
            copy.rename(folder / FLOAT_FOLDER)
        config = replace(self.config, precision=PRECISION_OF_BITS[width])
        progress = self._titled(width, seed)
        train_on(self.pages, config, folder, seed=seed, device=self.device, resume=True, progress=progress)

    def _titled(self, width: Width, seed: int) -> NewProgress | None:
        if self.progress is None:
            return None
        progress = self.progress
        return lambda part: progress(f"{_name(width)}, seed {seed + 1} of {self.seeds}, {part}")

    def _row(self, width: Width) -> Row:
        """Means over seeds, each with its standard deviation, of the means over classes."""
        measured = [self._measure(width, seed) for seed in range(self.seeds)]
        results = [read_json(self._folder(width, seed) / "result.json", RunResult) for seed in range(self.seeds)]
        row: Row = {"name": _name(width), "bits": width, "seeds": self.seeds, "pages": measured[0].num_pages}
        for rate in RATES:
            row |= _spread(rate, [_mean(one, rate) for one in measured])
        for name in measured[0].classes:
            for rate in ("page_ap", "ap50"):
                row |= _spread(f"{rate}/{name}", [one.classes[name][rate] for one in measured])
        size = sum(path.stat().st_size for path in (self._folder(width, 0) / MODEL_FOLDER).iterdir())
        return row | {
            "size_mb": size / MEGABYTE,
            "train_seconds": float(np.mean([result.train_seconds for result in results])),
        }

    def _measure(self, width: Width, seed: int) -> Evaluation:
        return evaluate_on(PageDetector.load(self._folder(width, seed)), self.test)

    def _time(self, widths: Sequence[Width]) -> dict[Width, Row]:
        """Milliseconds that one thread takes for a page that is decoded already; the widths take turns.

        Each is the median of some rounds, with their standard deviation.
        """
        detectors = {width: PageDetector.load(self._folder(width, 0)) for width in widths}
        pages = load_pages(self.test, self.config.model.long_side, at_most=TIMED_PAGES)
        seconds: dict[Width, list[float]] = {width: [] for width in widths}
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for _ in range(TIMED_ROUNDS):
                for width, detector in detectors.items():
                    start = time.perf_counter()
                    detector.detect(pages)
                    seconds[width].append(time.perf_counter() - start)
        finally:
            torch.set_num_threads(threads)
        ms = {width: 1000 * np.array(values) / len(pages) for width, values in seconds.items()}
        return {
            width: {"ms_per_page": float(np.median(values)), "ms_per_page_std": float(np.std(values, ddof=1))}
            for width, values in ms.items()
        }

    def _folder(self, width: Width, seed: int) -> Path:
        return self.out / "runs" / _name(width) / f"seed-{seed}"


def _width(bits: int) -> Width:
    for width in PRECISION_OF_BITS:
        if width == bits:
            return width
    raise ConfigError(f"--bits must be of {', '.join(map(str, PRECISION_OF_BITS))}, got {bits}")


def _name(width: Width) -> str:
    return "fp32" if width == FLOAT_BITS else f"int{width}"


def _mean(evaluation: Evaluation, rate: str) -> float:
    return float(np.mean([figures[rate] for figures in evaluation.classes.values()]))


def _spread(name: str, values: Sequence[float]) -> Row:
    """The mean and the sample standard deviation, which is 0 for one value."""
    return {name: float(np.mean(values)), f"{name}_std": float(np.std(values, ddof=min(1, len(values) - 1)))}


def csv_table(rows: Sequence[Row]) -> bytes:
    """The rows as CSV; classes are part of the names of columns, and may be any text."""
    names = list(rows[0])
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([names, *([row.get(name, "") for name in names] for row in rows)])
    return text.getvalue().encode()
