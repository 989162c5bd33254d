"""Self-supervised pretraining on pages without labels, as a run that `train --init` starts from."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from farthing.base.config import to_dict
from farthing.base.errors import ConfigError
from farthing.base.files import write_json
from farthing.documents.adaptation.masked import MaskedNet, MaskedTask
from farthing.documents.adaptation.unlabelled import names_digest, read_collection
from farthing.documents.config import DocumentsConfig
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.detector import PageNet
from farthing.documents.net.inference import place_on
from farthing.documents.training.cache import PageCache
from farthing.documents.training.data import PageBatch, TrainBatches, split_pages
from farthing.documents.training.runs import CLIP_NORM, FLOAT_FOLDER, RUN_FILE, NewProgress, RunInfo
from farthing.train.devices import Device, choose_device
from farthing.train.folder import RunFolder
from farthing.train.loop import FitConfig, FitResult, fit
from farthing.train.task import NoProgress

MASKED_FOLDER, PAGES_FOLDER = "masked", "pages"
MAX_HELD_OUT = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainConfig:
    """How long and how to pretrain.

    Attributes:
        num_images: the budget: pages seen, repeats counted, >= 1.
        max_pages: pages of the collection to read, at most, >= 2.
        share: of the page that is hidden, in (0, 1).
        batch_size: pages per step, >= 2.
        lr: of AdamW, > 0; falls to 0 along a cosine.
        weight_decay: of AdamW, >= 0.
        warmup_steps: >= 0.
        num_evals: evaluations, >= 1.
    """

    num_images: int = 30_000
    max_pages: int = 5_000
    share: float = 0.5
    batch_size: int = 16
    lr: float = 2e-3
    weight_decay: float = 0.05
    warmup_steps: int = 200
    num_evals: int = 4

    def __post_init__(self) -> None:
        least = {"num_images": 1, "max_pages": 2, "batch_size": 2, "warmup_steps": 0, "num_evals": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ConfigError(f"{name} must be >= {lowest}, got {getattr(self, name)}")
        if not 0 < self.share < 1:
            raise ConfigError(f"share must be in (0, 1), got {self.share}")


def pretrain_backbone(
    location: Path | str,
    detector: DocumentsConfig,
    folder: Path,
    *,
    config: PretrainConfig | None = None,
    seed: int = 0,
    device: Device = "auto",
    resume: bool = False,
    progress: NewProgress | None = None,
) -> FitResult:
    """Trains the backbone of a detector on unlabelled pages, into a run that `train_detector(init=folder)` takes.

    Args:
        location: the pages, as `open_collection` takes them.
        detector: whose backbone; the later training must have the same `model`.
        folder: of the run.
        config: how long and how.
        seed: of initial weights, the draw of pages, their order, variations and hidden squares.
        device: to train on.
        resume: go on where an interrupted run stopped.
        progress: makes the display.

    Raises:
        ConfigError: `folder` holds a run and `resume` is False, a detector of another architecture than "tiny", or
            there is no GPU.
        DataError: the pages cannot be read.
    """
    config, chosen = config or PretrainConfig(), choose_device(device)
    net = build_detector(detector, seed=seed)
    if not isinstance(net, PageNet):
        raise ConfigError(f"pretrain: needs architecture 'tiny', got {detector.model.architecture!r}")
    pages = read_collection(
        location,
        folder / PAGES_FOLDER,
        long_side=detector.train.cache_side,
        max_pages=config.max_pages,
        seed=seed,
    )
    model = MaskedNet(net.backbone, detector.model.widths)
    batches, held_out = _batches(pages, config, detector, seed)
    task = MaskedTask(
        place_on(model, chosen),
        held_out=held_out,
        augment=detector.augment,
        share=config.share,
        lr=config.lr,
        weight_decay=config.weight_decay,
    )
    info = RunInfo(config=to_dict(detector), seed=seed, data=names_digest(pages))
    result = fit(
        task,
        batches,
        FitConfig(max_epochs=config.num_evals, monitor="told", clip_norm=CLIP_NORM, warmup_steps=config.warmup_steps),
        folder=folder / MASKED_FOLDER,
        seed=seed,
        resume=resume,
        progress=progress("pretrain") if progress else NoProgress(),
        settings={"data": info.data, "pretrain": to_dict(config)},
    )
    _publish(folder, model, info)
    shutil.rmtree(folder / PAGES_FOLDER)
    return result


def _batches(
    pages: PageCache, config: PretrainConfig, detector: DocumentsConfig, seed: int
) -> tuple[TrainBatches, list[PageBatch]]:
    """What to train on, and what to measure on."""
    trained_on, held_out = split_pages(len(pages), share=0.1, at_most=MAX_HELD_OUT, seed=seed)
    steps = -(-config.num_images // (config.batch_size * config.num_evals))
    batches = TrainBatches(
        cache=pages,
        indices=trained_on,
        classes=detector.classes,
        batch_size=config.batch_size,
        num_batches=steps,
        long_side=detector.model.long_side,
        seed=seed,
    )
    size = min(config.batch_size, len(held_out))
    measured = TrainBatches(
        cache=pages,
        indices=held_out,
        classes=detector.classes,
        batch_size=size,
        num_batches=len(held_out) // size,
        long_side=detector.model.long_side,
        seed=seed,
    )
    return batches, list(measured.epoch(0, 0))


def _publish(folder: Path, model: MaskedNet, info: RunInfo) -> None:
    """Writes the backbone's weights where a finished run has those of its detector."""
    weights = {f"backbone.{name}": value.cpu() for name, value in model.backbone.state_dict().items()}
    run = RunFolder(folder / FLOAT_FOLDER, {})
    run.save_best(weights, 0)
    run.publish_best(0)
    write_json(folder / RUN_FILE, info)
