"""The honest table: one log, every bit width, several seeds, measured on the test split with the packed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from farthing.base.files import atomic_path, read_json, write_json
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.cost import embedding_bytes, multiply_adds, operations
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.jobs import NewProgress, TrainingJob, run_jobs
from farthing.recommend.metrics import calibration_bins, evaluate, roc_points
from farthing.recommend.modelfolder import ClickModel, export_run, load_model, packed_bytes, save_model
from farthing.recommend.precision import build_model, build_plan
from farthing.recommend.ptq import round_model
from farthing.recommend.runs import RESULT_FILE, RunResult, load_run
from farthing.recommend.task import probabilities
from farthing.recommend.timing import BATCH_SIZES, fill_up, time_models
from farthing.recommend.variants import Variant

Row = dict[str, Any]  # Any: JSON scalars

TABLE_FILE, CSV_FILE, CURVES_FILE = "compare.json", "compare.csv", "curves.json"
CALIBRATION_BATCHES = 8
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison in a folder: `runs/NAME/seed-S`, `models/NAME/seed-S`, and the table made from them.

    What is finished in the folder is not done again, so that an interrupted comparison goes on where it stopped.

    Attributes:
        seeds: how many times every variant is trained, >= 1.
        workers: trainings at a time.
        progress: makes the display of one training from its title.
    """

    dataset: Dataset
    out: Path
    seeds: int
    workers: int
    progress: NewProgress | None = None

    def run(self, variants: Sequence[Variant], *, notes: Mapping[str, object]) -> list[Row]:
        """Makes and measures every variant; writes compare.json, compare.csv and curves.json.

        Args:
            variants: in the order of the table; a row that is rounded comes after the one that it rounds.
            notes: facts about the comparison for the report.
        """
        self._train(variants)
        for variant in variants:
            for seed in range(self.seeds):
                self._pack(variant, seed)
        label = self.dataset.labels("test")
        rows, curves, timed = [], {}, {}
        for variant in variants:
            models = [load_model(self._model_folder(variant.name, seed)) for seed in range(self.seeds)]
            scores = [self._probabilities(model) for model in models]
            rows.append(self._row(variant, label, scores))
            curves[variant.name] = {
                "roc": roc_points(label, scores[0]),
                "calibration": calibration_bins(label, scores[0]),
                "training": _training_curve(self._result(variant.rounds or variant.name, 0)),
            }
            timed[variant.name] = (models[0], self._timing_batches(models[0]))
        timings = time_models(timed)
        rows = [row | timings[row["name"]] for row in rows]
        write_json(self.out / CURVES_FILE, curves | {"data": self._summary() | dict(notes)})
        with atomic_path(self.out / CSV_FILE) as temporary:
            pl.DataFrame(rows, infer_schema_length=None).write_csv(temporary)
        write_json(self.out / TABLE_FILE, rows)
        return rows

    def _train(self, variants: Sequence[Variant]) -> None:
        """Trains what is not rounded, teachers first, and otherwise all rows of one seed before the next."""
        for has_teacher in (False, True):
            self._train_group([variant for variant in variants if (variant.teacher is not None) == has_teacher])

    def _train_group(self, variants: Sequence[Variant]) -> None:
        jobs = [
            TrainingJob(
                title=f"{variant.name}, seed {seed + 1} of {self.seeds}",
                data=self.dataset.folder,
                folder=self._run_folder(variant.name, seed),
                config=variant.config,
                seed=seed,
                teacher=None if variant.teacher is None else self._run_folder(variant.teacher, seed),
            )
            for seed in range(self.seeds)
            for variant in variants
            if variant.rounds is None
        ]
        run_jobs(jobs, workers=self.workers, progress=self.progress)

    def _pack(self, variant: Variant, seed: int) -> None:
        """Makes the model folder of one training or rounding, unless that is done."""
        folder = self._model_folder(variant.name, seed)
        if folder.exists():
            return
        if variant.rounds is None:
            export_run(self._run_folder(variant.name, seed), folder)
        else:
            self._round(variant, seed, folder)

    def _round(self, variant: Variant, seed: int, folder: Path) -> None:
        source = self._run_folder(str(variant.rounds), seed)
        model = load_run(source)
        batch_size = variant.config.train.batch_size
        batches = self.dataset.batches("train", table_rows=model.table_rows, batch_size=batch_size, shuffle_seed=seed)
        calibration = (batch for batch, _ in zip(batches, range(CALIBRATION_BATCHES), strict=False))
        round_model(model, build_plan(variant.config.precision, model), calibration)
        save_model(folder, model, variant.config, RowEncoder.load(source), metrics={})

    def _row(self, variant: Variant, label: np.ndarray, scores: Sequence[np.ndarray]) -> Row:
        group = self.dataset.groups("test")
        measured = [evaluate(label, score, group) for score in scores]
        seconds = [self._result(variant.rounds or variant.name, seed).train_seconds for seed in range(self.seeds)]
        config = variant.config
        model = build_model(
            num_dense=len(self.dataset.manifest.dense),
            table_rows=tuple(self.dataset.table_rows(config.min_count)),
            model=config.model,
            precision=config.precision,
        )
        row: Row = {"name": variant.name, "bits": config.precision.embedding, "seeds": self.seeds}
        for name in measured[0]:
            values = [metrics[name] for metrics in measured]
            row |= {name: float(np.mean(values)), f"{name}_std": float(np.std(values, ddof=min(1, self.seeds - 1)))}
        row["size_mb"] = packed_bytes(self._model_folder(variant.name, 0)) / MEGABYTE
        row["embedding_mb"] = embedding_bytes(model, config.precision.embedding) / MEGABYTE
        row |= {f"mflops_{width}": 0.0 for width in ("w32a32", "w8a8", "w4a8", "w1a1")}
        return row | operations(multiply_adds(model)) | {"train_seconds": float(np.mean(seconds))}

    def _probabilities(self, model: ClickModel) -> np.ndarray:
        return probabilities(model.network, self.dataset, "test", table_rows=model.network.table_rows)

    def _timing_batches(self, model: ClickModel) -> dict[int, ClickBatch]:
        """The first rows of the test split in each timed batch size."""
        rows, size = model.network.table_rows, max(BATCH_SIZES)
        first = next(self.dataset.batches("test", table_rows=rows, batch_size=size, shuffle_seed=None))
        return {size: fill_up(first, size) for size in BATCH_SIZES}

    def _summary(self) -> dict[str, object]:
        manifest = self.dataset.manifest
        return {
            "rows": {name: split.num_rows for name, split in manifest.splits.items()},
            "num_dense": len(manifest.dense),
            "num_fields": len(manifest.fields),
            "num_ids": sum(field.num_values for field in manifest.fields),
        }

    def _result(self, name: str, seed: int) -> RunResult:
        return read_json(self._run_folder(name, seed) / RESULT_FILE, RunResult)

    def _run_folder(self, name: str, seed: int) -> Path:
        return self.out / "runs" / name / f"seed-{seed}"

    def _model_folder(self, name: str, seed: int) -> Path:
        return self.out / "models" / name / f"seed-{seed}"


def _training_curve(result: RunResult) -> list[list[float]]:
    """[rows seen, validation AUC, validation log loss, training loss] of every evaluation."""
    return [[line["rows"], line["auc"], line["log_loss"], line["train_loss"]] for line in result.history]
