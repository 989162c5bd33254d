"""A detector training as a folder: first in float, then with its final bits; and the model it holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor
from torch.optim import AdamW

from farthing.base.config import from_dict, to_dict
from farthing.base.errors import ConfigError
from farthing.base.files import read_json, write_json
from farthing.documents.config import DocumentsConfig
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.candidates import Detector
from farthing.documents.net.inference import place_on
from farthing.documents.net.modelfolder import save_model
from farthing.documents.net.precision import quantized_model
from farthing.documents.training.cache import LabelledPage, PageCache
from farthing.documents.training.data import TrainBatches, fingerprint, read_pages, split_pages
from farthing.documents.training.task import DetectTask
from farthing.train.devices import Device, choose_device, has_fast_bfloat16
from farthing.train.folder import RunFolder
from farthing.train.loop import FitConfig, FitResult, fit
from farthing.train.optim import decay_groups
from farthing.train.task import NoProgress, Progress

RUN_FILE, RESULT_FILE = "run.json", "result.json"
FLOAT_FOLDER, QUANTIZED_FOLDER, MODEL_FOLDER, CACHE_FOLDER = "float", "quantized", "model", "cache"
CLIP_NORM = 10.0
MIN_QUANTIZED_EVALS = 2

NewProgress = Callable[[str], Progress]


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was made with (`run.json`).

    Attributes:
        config: `DocumentsConfig` as JSON.
        seed: of initial weights, of the held-out pages, and of the order and variations of the others.
        data: fingerprint of the pages.
        init: fingerprint of the weights that it starts from.
    """

    config: dict[str, Any]  # Any: JSON
    seed: int
    data: str
    init: str | None = None


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished run measured (`result.json`), on the held-out pages.

    Attributes:
        metrics: of the final weights.
        float_metrics: of the float weights that they come from.
        num_pages: trained on.
        num_images: pages seen, repeats counted.
        train_seconds: wall time of training, evaluations included.
        device: "cpu" or "cuda".
        history: one entry per evaluation of both parts, as `train.loop.FitResult.history`.
    """

    metrics: dict[str, float]
    float_metrics: dict[str, float]
    num_pages: int
    num_images: int
    train_seconds: float
    device: str
    history: list[dict[str, float]]


def train_detector(
    data: Sequence[Path],
    config: DocumentsConfig,
    folder: Path,
    *,
    seed: int = 0,
    device: Device = "auto",
    init: Path | None = None,
    resume: bool = False,
    progress: NewProgress | None = None,
) -> RunResult:
    """Trains a detector on labelled pages into `folder`: a run, and in `folder/model` what `filter` loads.

    Args:
        data: folders or files with annotations.
        config: the settings.
        folder: of the run.
        seed: of initial weights, of the held-out pages, and of the order and variations of the others.
        device: to train on. On a CPU, torch's own number of threads is used.
        init: a finished run whose float weights are the start; heads follow the names of the classes.
        resume: go on where an interrupted run stopped; a finished one returns its result.
        progress: makes the display of one part of the training from its title.

    Raises:
        ConfigError: `folder` holds a run and `resume` is False, or one with other settings or data; or there is no GPU.
        DataError: the data cannot be read, has fewer than two pages or none of the classes.
    """
    pages = read_pages(data, config.classes)
    return train_on(pages, config, folder, seed=seed, device=device, init=init, resume=resume, progress=progress)


def train_on(
    pages: Sequence[LabelledPage],
    config: DocumentsConfig,
    folder: Path,
    *,
    seed: int = 0,
    device: Device = "auto",
    init: Path | None = None,
    resume: bool = False,
    progress: NewProgress | None = None,
) -> RunResult:
    """`train_detector` on pages that have been read."""
    chosen = choose_device(device)
    start = None if init is None else _float_weights(init)
    info = RunInfo(config=to_dict(config), seed=seed, data=fingerprint(pages), init=None if init is None else str(init))
    _check_folder(folder, info, resume=resume)
    if (folder / RESULT_FILE).exists():
        return read_json(folder / RESULT_FILE, RunResult)
    write_json(folder / RUN_FILE, info)
    cache = PageCache.build(pages, folder / CACHE_FOLDER, long_side=config.train.cache_side)
    training = _Training(cache, config, folder, seed, chosen, resume, progress or (lambda _: NoProgress()))
    result = training.run(start)
    write_json(folder / RESULT_FILE, result)
    shutil.rmtree(folder / CACHE_FOLDER)
    return result


class _Training:
    """The two parts of a training, which share pages and settings."""

    def __init__(
        self,
        cache: PageCache,
        config: DocumentsConfig,
        folder: Path,
        seed: int,
        device: torch.device,
        resume: bool,
        progress: NewProgress,
    ) -> None:
        self._cache, self._config, self._folder, self._seed = cache, config, folder, seed
        self._device, self._resume, self._progress = device, resume, progress
        train = config.train
        self._trained_on, self._held_out = split_pages(
            len(cache), share=train.holdout, at_most=train.max_holdout, seed=seed
        )

    def run(self, start: tuple[DocumentsConfig, dict[str, Tensor]] | None) -> RunResult:
        """Trains what is not finished yet, and writes the model folder."""
        config, train = self._config, self._config.train
        model = build_detector(config, seed=self._seed)
        if start is not None:
            _take_over(model, config.classes, *start)
        steps = -(-train.num_images // train.batch_size)
        in_bfloat16 = train.bfloat16 and has_fast_bfloat16(self._device)
        parts = [self._fit(model, FLOAT_FOLDER, steps, train.num_evals, train.lr, train.warmup_steps, in_bfloat16)]
        if not config.precision.is_float:
            model = quantized_model(config, {name: value.cpu() for name, value in model.state_dict().items()})
            steps = -(-train.num_quantized_images // train.batch_size)
            evals = max(MIN_QUANTIZED_EVALS, train.num_evals // 4)
            parts.append(self._fit(model, QUANTIZED_FOLDER, steps, evals, train.quantized_lr, 0, in_bfloat16=False))
        save_model(self._folder / MODEL_FOLDER, model.cpu().eval(), config, metrics=parts[-1].best_metrics)
        return RunResult(
            metrics=parts[-1].best_metrics,
            float_metrics=parts[0].best_metrics,
            num_pages=len(self._trained_on),
            num_images=sum(part.rows for part in parts),
            train_seconds=sum(part.seconds for part in parts),
            device=self._device.type,
            history=[line for part in parts for line in part.history],
        )

    def _fit(
        self,
        model: Detector,
        name: str,
        steps: int,
        evals: int,
        lr: float,
        warmup_steps: int,
        in_bfloat16: bool,
    ) -> FitResult:
        config, evals = self._config, min(evals, steps)
        model = place_on(model, self._device)
        task = DetectTask(
            model,
            cache=self._cache,
            held_out=self._held_out,
            classes=config.classes,
            long_side=config.model.long_side,
            augment=config.augment,
            optimizer=AdamW(decay_groups(model, weight_decay=config.train.weight_decay), lr=lr),
            in_bfloat16=in_bfloat16,
        )
        batches = TrainBatches(
            cache=self._cache,
            indices=self._trained_on,
            classes=config.classes,
            batch_size=config.train.batch_size,
            num_batches=-(-steps // evals),
            long_side=config.model.long_side,
            seed=self._seed,
        )
        return fit(
            task,
            batches,
            _fit_config(evals, warmup_steps),
            folder=self._folder / name,
            seed=self._seed,
            resume=self._resume,
            progress=self._progress(name),
        )


def _fit_config(evals: int, warmup_steps: int) -> FitConfig:
    return FitConfig(max_epochs=evals, monitor="score", clip_norm=CLIP_NORM, warmup_steps=warmup_steps)


def _check_folder(folder: Path, info: RunInfo, *, resume: bool) -> None:
    """Raises unless `folder` holds no run, or one that was made with the same settings and is to be resumed."""
    path = folder / RUN_FILE
    if not path.exists():
        return
    if not resume:
        raise ConfigError(f"{folder}: holds a run already; resume it (--resume) or choose another folder")
    there = read_json(path, RunInfo)
    for name in RunInfo.__struct_fields__:
        if msgspec.json.encode(getattr(there, name)) != msgspec.json.encode(getattr(info, name)):
            raise ConfigError(f"{folder}: was made with other {name}; take the same, or another folder")


def _float_weights(run: Path) -> tuple[DocumentsConfig, dict[str, Tensor]]:
    """The settings and the float weights of a finished run."""
    config = from_dict(DocumentsConfig, read_json(run / RUN_FILE, RunInfo).config)
    return config, RunFolder(run / FLOAT_FOLDER, {}).best_weights()


def _take_over(model: Detector, classes: tuple[str, ...], config: DocumentsConfig, weights: dict[str, Tensor]) -> None:
    """Gives `model` the weights of another detector; a class that the other does not know keeps its own head."""
    own = model.state_dict()
    for name, value in weights.items():
        if name.startswith(("class_head.", "page_head.")):
            for place, class_name in enumerate(classes):
                if class_name in config.classes:
                    own[name][place] = value[config.classes.index(class_name)]
        elif name in own and own[name].shape == value.shape:
            own[name].copy_(value)
        else:
            raise ConfigError(f"--init: the other run has another architecture (its {name} does not fit)")


def load_run(folder: Path) -> tuple[Detector, DocumentsConfig]:
    """The trained (quantizing) detector of a finished run, in evaluation mode, and its settings.

    Raises:
        FormatError: the folder holds no finished run, or a damaged one.
    """
    config = from_dict(DocumentsConfig, read_json(folder / RUN_FILE, RunInfo).config)
    if config.precision.is_float:
        model = build_detector(config)
        model.load_state_dict(RunFolder(folder / FLOAT_FOLDER, {}).best_weights())
    else:
        model = quantized_model(config, RunFolder(folder / FLOAT_FOLDER, {}).best_weights())
        model.load_state_dict(RunFolder(folder / QUANTIZED_FOLDER, {}).best_weights())
    model.eval()
    return model, config
