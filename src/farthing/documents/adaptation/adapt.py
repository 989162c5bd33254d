"""Adaptation of a trained detector to a collection without labels, kept only if `accept.judge` finds it better.

A student learns on synthetic pages that look like the collection, and on the collection's own pages from a teacher
(`teacher.py`). What is judged is halfway between the source and what was learned, with its final bits.

Source: the mean of old and new weights is WiSE-FT, https://arxiv.org/abs/2109.01903, equation 1.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from farthing.base.config import from_dict, to_dict
from farthing.base.errors import ConfigError
from farthing.base.files import read_json, write_json
from farthing.documents.adaptation.accept import Check, judge
from farthing.documents.adaptation.teacher import AdaptBatches, MeanTeacher, TeachConfig, TeachTask
from farthing.documents.adaptation.unlabelled import names_digest, read_collection
from farthing.documents.config import AugmentConfig, DocumentsConfig
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.candidates import Detector
from farthing.documents.net.inference import place_on
from farthing.documents.net.modelfolder import save_model
from farthing.documents.net.precision import quantized_model
from farthing.documents.net.predict import PageDetector
from farthing.documents.training.cache import PageCache
from farthing.documents.training.data import TrainBatches, fingerprint, read_pages, split_pages
from farthing.documents.training.runs import (
    CLIP_NORM,
    FLOAT_FOLDER,
    MODEL_FOLDER,
    QUANTIZED_FOLDER,
    RESULT_FILE,
    RUN_FILE,
    NewProgress,
    RunInfo,
    RunResult,
)
from farthing.documents.training.task import DetectTask
from farthing.train.devices import Device, choose_device
from farthing.train.folder import RunFolder
from farthing.train.loop import FitConfig, FitResult, fit
from farthing.train.optim import decay_groups
from farthing.train.task import Batches, BatchT, NoProgress, Task
from farthing.vision.images import Pixels

ADAPTATION_FILE = "adaptation.json"
WORK_FOLDER, TEACH_FOLDER, CANDIDATE_FOLDER = "work", "teach", "candidate"


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptConfig:
    """How a detector is adapted.

    Attributes:
        num_images: labelled pages seen, repeats counted; as many target pages, >= 1.
        num_quantized_images: labelled pages seen with the final bits, >= 1.
        max_pages: target pages to read, at most, >= 2.
        judged_share: share of the labelled pages that is only judged by, in (0, 0.5].
        max_judged: at most this many of them, and of the target pages, >= 1.
        share: of the way from the source's weights to the learned ones, in (0, 1].
        batch_size: labelled pages per step, and target pages, >= 2.
        num_evals: evaluations, >= 1.
        teach: rates and weights of the learning.
        augment: how pages are varied.
    """

    num_images: int = 6_000
    num_quantized_images: int = 1_500
    max_pages: int = 2_000
    judged_share: float = 0.25
    max_judged: int = 400
    share: float = 0.5
    batch_size: int = 8
    num_evals: int = 4
    teach: TeachConfig = field(default_factory=TeachConfig)
    augment: AugmentConfig = field(default_factory=lambda: AugmentConfig(blur=0.5, cutout=0.5))

    def __post_init__(self) -> None:
        least = {
            "num_images": 1, "num_quantized_images": 1, "max_pages": 2, "max_judged": 1, "batch_size": 2, "num_evals": 1
        }  # fmt: skip
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ConfigError(f"{name} must be >= {lowest}, got {getattr(self, name)}")
        if not 0 < self.share <= 1:
            raise ConfigError(f"share must be in (0, 1], got {self.share}")
        if not 0 < self.judged_share <= 0.5:
            raise ConfigError(f"judged_share must be in (0, 0.5], got {self.judged_share}")


class Adaptation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it (`adaptation.json`).

    Attributes:
        kept: which model the run holds.
        reason: why, in one sentence.
        checks: the figures.
        source: the run that was adapted.
        num_pages: target pages that were read.
        config: `AdaptConfig` as JSON.
        seed: of everything.
    """

    kept: Literal["source", "adapted"]
    reason: str
    checks: tuple[Check, ...]
    source: str
    num_pages: int
    config: dict[str, Any]  # Any: JSON
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A collection to adapt to.

    Attributes:
        pages: as `open_collection` takes them.
        labelled: synthetic pages that look like them, as `read_pages` takes them.
    """

    pages: Path | str
    labelled: Sequence[Path]


def adapt_detector(
    run: Path,
    target: Target,
    folder: Path,
    *,
    config: AdaptConfig | None = None,
    seed: int = 0,
    device: Device = "auto",
    resume: bool = False,
    progress: NewProgress | None = None,
) -> Adaptation:
    """Adapts the detector of a finished run; `folder` becomes a run that holds the better one of the two.

    Args:
        run: the source.
        target: the collection.
        folder: of the new run.
        config: how.
        seed: of the draw of pages, their order and variations, of planting and resampling.
        device: to train on.
        resume: go on where an interrupted adaptation stopped; a finished one returns its result.
        progress: makes the display of one part from its title.

    Raises:
        ConfigError: `folder` holds something else, or there is no GPU.
        DataError: pages cannot be read.
        FormatError: `run` holds no finished run.
    """
    config = config or AdaptConfig()
    if (folder / ADAPTATION_FILE).exists() or (folder / TEACH_FOLDER).exists():
        if not resume:
            raise ConfigError(f"{folder}: holds an adaptation already; resume it (--resume) or choose another folder")
        if (folder / ADAPTATION_FILE).exists():
            return read_json(folder / ADAPTATION_FILE, Adaptation)
    adapter = _Adapter(run, target, folder, config=config, seed=seed, device=device, progress=progress)
    result = adapter.run()
    shutil.rmtree(folder / WORK_FOLDER)
    return result


class _Adapter:
    """The parts of an adaptation, which share pages and settings."""

    def __init__(
        self,
        run: Path,
        target: Target,
        folder: Path,
        *,
        config: AdaptConfig,
        seed: int,
        device: Device,
        progress: NewProgress | None,
    ) -> None:
        self._run, self._folder, self._config, self._seed, self._name = run, folder, config, seed, device
        self._device, self._progress = choose_device(device), progress or (lambda _: NoProgress())
        self._info = read_json(run / RUN_FILE, RunInfo)
        self._settings = from_dict(DocumentsConfig, self._info.config)
        self._weights = RunFolder(run / FLOAT_FOLDER, {}).best_weights()
        side, work = self._settings.train.cache_side, folder / WORK_FOLDER
        labelled = read_pages(target.labelled, self._settings.classes)
        self._target = read_collection(
            target.pages, work / "target", long_side=side, max_pages=config.max_pages, seed=seed
        )
        self._data = {"labelled": fingerprint(labelled), "target": names_digest(self._target), "run": str(run)}
        taught, judged = split_pages(len(labelled), share=config.judged_share, at_most=config.max_judged, seed=seed)
        self._labelled = PageCache.build([labelled[i] for i in taught], work / "taught", long_side=side)
        self._judged = PageCache.build([labelled[i] for i in judged], work / "judged", long_side=side)

    def run(self) -> Adaptation:
        """Learns, judges, and writes the run that is kept."""
        learned = self._teach()
        candidate = self._folder / CANDIDATE_FOLDER
        share = self._config.share
        self._finish(candidate, {name: _between(old, learned[name], share) for name, old in self._weights.items()})
        verdict = judge(
            PageDetector.load(self._run, device=self._name),
            PageDetector.load(candidate, device=self._name),
            labelled=self._judged,
            target=self._some_pages(),
            seed=self._seed,
        )
        _publish(candidate if verdict.is_accepted else self._run, self._folder)
        result = Adaptation(
            kept="adapted" if verdict.is_accepted else "source",
            reason=verdict.reason,
            checks=verdict.checks,
            source=str(self._run),
            num_pages=len(self._target),
            config=to_dict(self._config),
            seed=self._seed,
        )
        write_json(self._folder / ADAPTATION_FILE, result)
        return result

    def _teach(self) -> dict[str, Tensor]:
        """The teacher's weights."""
        config, settings = self._config, self._settings
        detector = build_detector(settings)
        detector.load_state_dict(self._weights)
        model = place_on(MeanTeacher(detector, momentum=config.teach.momentum), self._device)
        trained_on, held_out = self._split()
        task = TeachTask(
            model,
            labelled=self._labelled,
            held_out=held_out,
            target=self._target,
            classes=settings.classes,
            long_side=settings.model.long_side,
            augment=config.augment,
            config=config.teach,
        )
        steps = -(-config.num_images // config.batch_size)
        batches = AdaptBatches(
            source=self._batches(self._labelled, trained_on, steps, config.num_evals),
            target=self._batches(self._target, range(len(self._target)), steps, config.num_evals),
        )
        self._fit(task, batches, self._folder / TEACH_FOLDER, config.num_evals)
        return {name: value.cpu() for name, value in model.teacher.state_dict().items()}

    def _finish(self, folder: Path, weights: Mapping[str, Tensor]) -> None:
        """Writes a run with these float weights, trained on with their final bits."""
        config, settings = self._config, self._settings
        floats = RunFolder(folder / FLOAT_FOLDER, {})
        floats.save_best(weights, 0)
        floats.publish_best(0)
        model = build_detector(settings)
        result: FitResult | None = None
        model.load_state_dict(weights)
        if not settings.precision.is_float:
            model = quantized_model(settings, weights)
            result = self._quantize(model, folder / QUANTIZED_FOLDER)
        metrics = result.best_metrics if result else {}
        save_model(folder / MODEL_FOLDER, model.cpu().eval(), settings, metrics=metrics)
        write_json(folder / RUN_FILE, msgspec.structs.replace(self._info, init=str(self._run), seed=self._seed))
        rows, seconds = (result.rows, result.seconds) if result else (0, 0.0)
        done = RunResult(
            metrics=metrics,
            float_metrics={},
            num_pages=len(self._labelled),
            num_images=2 * config.num_images + rows,
            train_seconds=seconds,
            device=self._device.type,
            history=result.history if result else [],
        )
        write_json(folder / RESULT_FILE, done)

    def _quantize(self, model: Detector, folder: Path) -> FitResult:
        config, settings = self._config, self._settings
        trained_on, held_out = self._split()
        model = place_on(model, self._device)
        task = DetectTask(
            model,
            cache=self._labelled,
            held_out=held_out,
            classes=settings.classes,
            long_side=settings.model.long_side,
            augment=settings.augment,
            optimizer=AdamW(
                decay_groups(model, weight_decay=settings.train.weight_decay), lr=settings.train.quantized_lr
            ),
        )
        steps = -(-config.num_quantized_images // config.batch_size)
        return self._fit(task, self._batches(self._labelled, trained_on, steps, 1), folder, 1)

    def _some_pages(self) -> list[Pixels]:
        """Target pages to judge by."""
        order = np.random.default_rng([self._seed, 11]).permutation(len(self._target))
        return [self._target.pixels(int(index)) for index in order[: self._config.max_judged]]

    def _split(self) -> tuple[list[int], list[int]]:
        train = self._settings.train
        return split_pages(len(self._labelled), share=train.holdout, at_most=train.max_holdout, seed=self._seed)

    def _batches(self, cache: PageCache, indices: Sequence[int], steps: int, epochs: int) -> TrainBatches:
        return TrainBatches(
            cache=cache,
            indices=indices,
            classes=self._settings.classes,
            batch_size=self._config.batch_size,
            num_batches=-(-steps // epochs),
            long_side=self._settings.model.long_side,
            seed=self._seed,
        )

    def _fit(self, task: Task[BatchT], batches: Batches[BatchT], folder: Path, epochs: int) -> FitResult:
        return fit(
            task,
            batches,
            FitConfig(max_epochs=epochs, monitor="score", clip_norm=CLIP_NORM, warmup_steps=20),
            folder=folder,
            seed=self._seed,
            resume=True,
            progress=self._progress(folder.name),
            settings={"adapt": to_dict(self._config), **self._data},
        )


def _between(old: Tensor, new: Tensor, share: float) -> Tensor:
    """Old + share (new - old); counts of batches stay."""
    return torch.lerp(old, new, share) if old.is_floating_point() else old


def _publish(run: Path, folder: Path) -> None:
    """Copies the files of a finished run."""
    for name in (FLOAT_FOLDER, QUANTIZED_FOLDER, MODEL_FOLDER):
        if (run / name).exists():
            shutil.copytree(run / name, folder / name, dirs_exist_ok=True)
    for name in (RESULT_FILE, RUN_FILE):
        shutil.copy2(run / name, folder / name)
