"""The one training loop: steps, evaluation, clipping, early stopping, checkpoints, progress and logging."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Generic  # Any: checkpoint trees

import msgspec
import torch

from farthing.base.errors import ConfigError, DataError, FarthingError
from farthing.base.files import write_bytes
from farthing.train import checkpoint
from farthing.train.optim import Schedule, clip_grad_norm, scale_learning_rates, schedule_factor
from farthing.train.task import Batches, BatchT, NoProgress, Progress, Task

_log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"
METRICS = "metrics.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class FitConfig:
    """How long and how to train.

    Attributes:
        max_epochs: passes over the training data at most, >= 1.
        patience: stop after this many evaluations in a row without a new best, >= 1; None trains to the end.
        monitor: name of the metric that chooses the best weights.
        maximize: whether larger `monitor` values are better.
        evals_per_epoch: evaluations per epoch, evenly spaced and one at its end, >= 1.
        clip_norm: largest joint L2 norm of all gradients, > 0; None does not clip.
        checkpoint_seconds: least time between two checkpoints, >= 0 (0 saves after every step).
        schedule: learning rate after the warm-up: "cosine" to 0 over `max_epochs`, or "constant".
        warmup_steps: steps of linear warm-up, >= 0.
    """

    max_epochs: int = 10
    patience: int | None = None
    monitor: str = "auc"
    maximize: bool = True
    evals_per_epoch: int = 1
    clip_norm: float | None = None
    checkpoint_seconds: float = 60.0
    schedule: Schedule = "cosine"
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        rules = {
            "max_epochs": (self.max_epochs >= 1, ">= 1"),
            "patience": (self.patience is None or self.patience >= 1, ">= 1 or None"),
            "evals_per_epoch": (self.evals_per_epoch >= 1, ">= 1"),
            "clip_norm": (self.clip_norm is None or self.clip_norm > 0, "> 0 or None"),
            "checkpoint_seconds": (self.checkpoint_seconds >= 0, ">= 0"),
            "schedule": (self.schedule in ("constant", "cosine"), '"constant" or "cosine"'),
            "warmup_steps": (self.warmup_steps >= 0, ">= 0"),
        }
        for name, (holds, rule) in rules.items():
            if not holds:
                raise ConfigError(f"{name} must be {rule}, got {getattr(self, name)!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FitResult:
    """What a finished training gave.

    Attributes:
        best_metrics: the evaluation of the best weights, which the model now holds.
        best_step: the step that made them, counted from 1.
        steps: optimizer steps in all.
        rows: training rows seen, repeats counted.
        seconds: time in `fit`, evaluations included, summed over resumed runs.
        history: one entry per evaluation, as in `metrics.jsonl`: step, epoch, rows, seconds, lr, train_loss, metrics.
    """

    best_metrics: dict[str, float]
    best_step: int
    steps: int
    rows: int
    seconds: float
    history: list[dict[str, float]]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came; the state is saved and the message says how to go on."""


@dataclass(kw_only=True, slots=True)
class _State:
    """Where training stands; all of it is in the checkpoint."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    rows: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    loss_steps: int = 0
    best_step: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    evals_since_best: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    finished: bool = False


def fit(
    task: Task[BatchT],
    batches: Batches[BatchT],
    config: FitConfig,
    *,
    folder: Path,
    seed: int,
    resume: bool = False,
    progress: Progress | None = None,
    settings: Mapping[str, object] | None = None,
) -> FitResult:
    """Trains `task` on `batches` and leaves the best weights in its model and in `folder/best.safetensors`.

    A step is: loss, backward, clip, learning rates, optimizers, `task.after_step`. Global generators are seeded with
    `seed` at the start. On a CPU a run that was stopped at any moment, by Ctrl-C or by `kill -9`, and resumed ends with
    the same bits as one that never stopped.

    Args:
        folder: run folder for `checkpoint.safetensors`, `best.safetensors` and `metrics.jsonl`.
        seed: of the global torch, numpy and Python generators.
        resume: go on from the folder's checkpoint; a run that was finished returns its result at once.
        progress: display to report to.
        settings: further JSON settings (model, data) that must be the same when a run is resumed.

    Raises:
        ConfigError: the folder holds a run and `resume` is False; or a resumed run's settings differ from the saved
            ones; or `monitor` is not among the metrics.
        DataError: the folder cannot be written or the disk is full; the earlier checkpoint stays.
        FormatError: the checkpoint is damaged.
        FarthingError: a loss or the monitored metric is not finite.
        Interrupted: Ctrl-C; the running step was finished and the state saved.
    """
    run = _Run(task, batches, config, folder, _fingerprint(task, batches, config, seed, settings or {}))
    checkpoint.seed_all(seed)
    if resume and (folder / CHECKPOINT).exists():
        run.load()
    elif (folder / CHECKPOINT).exists():
        raise ConfigError(f"{folder}: holds a run already; resume it (--resume) or choose another folder")
    else:
        run.save()
    return run.train(progress or NoProgress())


class _Run(Generic[BatchT]):
    """One training in one folder: the loop and its saved state."""

    def __init__(
        self, task: Task[BatchT], batches: Batches[BatchT], config: FitConfig, folder: Path, settings: dict[str, Any]
    ) -> None:
        self.task, self.batches, self.config, self.folder, self.settings = task, batches, config, folder, settings
        self.total_steps = config.max_epochs * batches.num_batches
        self.state = _State()
        self._clock = self._saved_at = time.monotonic()

    def train(self, progress: Progress) -> FitResult:
        """Goes on to the end from wherever the state stands."""
        state = self.state
        self._write_metrics()
        progress.start(total_steps=self.total_steps, step=state.step)
        try:
            with _catch_sigint() as interrupt:
                self._clock = self._saved_at = time.monotonic()
                self.task.model.train()
                while not state.finished:
                    self._train_epoch(progress, interrupt)
        finally:
            progress.stop()
        self._load_best()
        return FitResult(
            best_metrics=state.best_metrics,
            best_step=state.best_step,
            steps=state.step,
            rows=state.rows,
            seconds=state.seconds,
            history=state.history,
        )

    def _train_epoch(self, progress: Progress, interrupt: threading.Event) -> None:
        state, config = self.state, self.config
        for batch in self.batches.epoch(state.epoch, state.batch):
            loss = self._step(batch)
            progress.advance(rows=batch.num_rows, loss=loss)
            if _evaluation_due(state.batch, self.batches.num_batches, config.evals_per_epoch):
                progress.evaluated(self._evaluate())
            if state.batch == self.batches.num_batches:
                state.epoch, state.batch = state.epoch + 1, 0
            stopped = config.patience is not None and state.evals_since_best >= config.patience
            if stopped or state.epoch == config.max_epochs:
                self._finish()
                return
            if interrupt.is_set():
                self.save()
                raise Interrupted(f"stopped after step {state.step}; saved in {self.folder}; go on with --resume")
            if time.monotonic() - self._saved_at >= config.checkpoint_seconds:
                self.save()

    def _step(self, batch: BatchT) -> float:
        """One optimizer step; returns the loss before it."""
        state, config, optimizers = self.state, self.config, self.task.optimizers
        loss = self.task.loss(batch)
        value = loss.item()
        if not math.isfinite(value):
            raise FarthingError(
                f"the loss of step {state.step + 1} is {value}; lower the learning rate or set clip_norm, "
                f"and look at the batch {state.batch} of epoch {state.epoch}"
            )
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if config.clip_norm is not None:
            clip_grad_norm(self.task.model.parameters(), config.clip_norm)
        factor = schedule_factor(
            config.schedule, step=state.step, total_steps=self.total_steps, warmup_steps=config.warmup_steps
        )
        scale_learning_rates(optimizers, factor)
        for optimizer in optimizers:
            optimizer.step()
        state.step += 1
        state.batch += 1
        state.rows += batch.num_rows
        state.loss_sum += value
        state.loss_steps += 1
        self.task.after_step(state.step)
        return value

    def _evaluate(self) -> dict[str, float]:
        """Measures the model, keeps its weights if they are the best so far, and logs one line."""
        state, config = self.state, self.config
        self.task.model.eval()
        with torch.no_grad():
            metrics = self.task.evaluate()
        self.task.model.train()
        value = metrics.get(config.monitor)
        if value is None:
            raise ConfigError(f"monitor must be one of {sorted(metrics)}, got {config.monitor!r}")
        if not math.isfinite(value):
            raise FarthingError(f"{config.monitor} is {value} at step {state.step}; it must be finite to choose by it")
        best = state.best_metrics.get(config.monitor)
        if best is None or (value > best if config.maximize else value < best):
            state.best_step, state.best_metrics, state.evals_since_best = state.step, metrics, 0
            checkpoint.save_state(self._best_path(), {"model": self.task.model.state_dict()})
        else:
            state.evals_since_best += 1
        self._tick()
        line = {
            "step": state.step,
            "epoch": state.epoch,
            "rows": state.rows,
            "seconds": round(state.seconds, 3),
            "lr": self.task.optimizers[0].param_groups[0]["lr"],
            "train_loss": state.loss_sum / state.loss_steps,
            **metrics,
        }
        state.history.append(line)
        state.loss_sum, state.loss_steps = 0.0, 0
        with (self.folder / METRICS).open("ab") as stream:
            stream.write(msgspec.json.encode(line) + b"\n")
        return metrics

    def save(self) -> None:
        """Writes the checkpoint, then drops best weights that it no longer names."""
        self._tick()
        state: dict[str, Any] = {"settings": self.settings, "progress": asdict(self.state)}
        if not self.state.finished:
            state |= {
                "model": self.task.model.state_dict(),
                "optimizers": [checkpoint.optimizer_state(optimizer) for optimizer in self.task.optimizers],
                "task": self.task.state_dict(),
                "rng": checkpoint.rng_state(),
            }
        checkpoint.save_state(self.folder / CHECKPOINT, state)
        self._saved_at = time.monotonic()
        for path in self.folder.glob("best-*.safetensors"):
            if self.state.finished or path != self._best_path():
                path.unlink()

    def load(self) -> None:
        """Takes model, optimizers, task, generators and position from the checkpoint."""
        path = self.folder / CHECKPOINT
        saved = checkpoint.load_state(path)
        for name, value in self.settings.items():
            if saved["settings"].get(name) != value:
                raise ConfigError(
                    f"{path}: was made with {name}={saved['settings'].get(name)!r}, now it is {value!r}; "
                    "resume with the same settings or choose another folder"
                )
        self.state = _State(**saved["progress"])
        if self.state.finished:
            return
        self.task.model.load_state_dict(saved["model"])
        for optimizer, state in zip(self.task.optimizers, saved["optimizers"], strict=True):
            checkpoint.load_optimizer_state(optimizer, state)
        self.task.load_state_dict(saved["task"])
        checkpoint.load_rng_state(saved["rng"])

    def _finish(self) -> None:
        """Gives the best weights their final name and marks the run as finished."""
        best = checkpoint.load_state(self._best_path())
        checkpoint.save_state(self.folder / BEST, best)
        self.state.finished = True
        self.save()

    def _load_best(self) -> None:
        self.task.model.load_state_dict(checkpoint.load_state(self.folder / BEST)["model"])

    def _best_path(self) -> Path:
        return self.folder / f"best-{self.state.best_step:09d}.safetensors"

    def _write_metrics(self) -> None:
        """Makes the log agree with the state: a killed run may have logged steps that are about to be repeated."""
        write_bytes(self.folder / METRICS, b"".join(msgspec.json.encode(line) + b"\n" for line in self.state.history))

    def _tick(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self._clock
        self._clock = now


def _evaluation_due(batch: int, num_batches: int, evals_per_epoch: int) -> bool:
    """Whether one of `evals_per_epoch` evenly spaced evaluations comes after `batch` batches of an epoch."""
    return batch * evals_per_epoch // num_batches > (batch - 1) * evals_per_epoch // num_batches


def _fingerprint(
    task: Task[BatchT], batches: Batches[BatchT], config: FitConfig, seed: int, settings: Mapping[str, object]
) -> dict[str, Any]:
    """All that decides the result of a run, as JSON: a resumed run must have the same."""
    config_values = {name: value for name, value in asdict(config).items() if name != "checkpoint_seconds"}
    parameters = {name: [str(value.dtype), *value.shape] for name, value in task.model.named_parameters()}
    optimizers = [
        [type(optimizer).__name__, [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]]
        for optimizer in task.optimizers
    ]
    values = {
        **config_values,
        "seed": seed,
        "num_batches": batches.num_batches,
        "parameters": parameters,
        "optimizers": optimizers,
        **settings,
    }
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(values))
    return decoded


@contextmanager
def _catch_sigint() -> Iterator[threading.Event]:
    """Turns the first Ctrl-C into an event; a second one interrupts at once. Only the main thread may do so."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    previous = signal.getsignal(signal.SIGINT)

    def handle(signum: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, handle)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
