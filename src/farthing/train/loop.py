"""The one training loop: steps, evaluation, clipping, early stopping, checkpoints, progress and logging."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic  # Any: checkpoint trees, as in checkpoint.py

import torch

from farthing.base.errors import ConfigError, DataError, FarthingError
from farthing.train.checkpoint import load_optimizer_state, load_rng_state, optimizer_state, rng_state, seed_all
from farthing.train.folder import RunFolder
from farthing.train.interrupt import Interrupted, catch_interrupt
from farthing.train.optim import Schedule, clip_grad_norm, scale_learning_rates, schedule_factor
from farthing.train.task import Batches, BatchT, NoProgress, Progress, Task


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


@dataclass(kw_only=True, slots=True)
class _State:
    """Where training stands; all of it is in the checkpoint."""

    steps: int = 0
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

    A step is: loss, backward, clip, learning rates, optimizers, `task.after_step`. On a CPU, a run that was stopped at
    any moment, by Ctrl-C or by `kill -9`, and resumed ends with the same bits as one that never stopped.

    Args:
        task: the model with its optimizers, losses and metrics.
        batches: the training data.
        config: how long and how to train.
        folder: gets the files that `train/folder.py` lists.
        seed: of the global torch, numpy and Python generators, which are set at the start.
        resume: go on from the folder's checkpoint, or start where there is none; a finished run returns at once.
        progress: display to report to.
        settings: further JSON values (of model and data) that must be the same when a run is resumed.

    Raises:
        ConfigError: the folder holds a run and `resume` is False; or a resumed run was saved with other settings; or
            `config.monitor` is not among the metrics.
        DataError: the folder cannot be written or the disk is full (the earlier checkpoint stays); or an epoch has
            fewer batches than promised.
        FormatError: the checkpoint is damaged.
        FarthingError: a loss or the monitored metric is not finite.
        Interrupted: Ctrl-C; the running step was finished and the state saved.
    """
    scale_learning_rates(task.optimizers, 1.0)
    run_folder = RunFolder(folder, {**_settings(task, batches, config), "seed": seed, **(settings or {})})
    run_folder.remove_leftovers()
    run = _Run(task, batches, config, run_folder)
    seed_all(seed)
    if not run_folder.has_checkpoint():
        run.save()
    elif resume:
        run.load()
    else:
        raise ConfigError(f"{folder}: holds a run already; resume it (--resume) or choose another folder")
    return run.train(progress or NoProgress())


class _Run(Generic[BatchT]):
    """One training: the loop, and the state that a checkpoint holds."""

    def __init__(self, task: Task[BatchT], batches: Batches[BatchT], config: FitConfig, folder: RunFolder) -> None:
        self.task, self.batches, self.config, self.folder = task, batches, config, folder
        self.total_steps = config.max_epochs * batches.num_batches
        self.state = _State()
        self._clock = self._saved_at = time.monotonic()

    def train(self, progress: Progress) -> FitResult:
        """Goes on to the end from wherever the state stands."""
        self.folder.write_metrics(self.state.history)
        progress.start(total_steps=self.total_steps, step=self.state.steps)
        try:
            with catch_interrupt() as interrupt:
                self.task.model.train()
                while not self.state.finished:
                    self._train_epoch(progress, interrupt)
        finally:
            progress.stop()
        self.task.model.load_state_dict(self.folder.best_weights())
        return FitResult(**{name: getattr(self.state, name) for name in FitResult.__slots__})

    def _train_epoch(self, progress: Progress, interrupt: threading.Event) -> None:
        """Goes through what is left of the current epoch, unless training ends earlier."""
        state, config, num_batches = self.state, self.config, self.batches.num_batches
        epoch = state.epoch
        for batch in self.batches.epoch(epoch, state.batch):
            progress.advance(rows=batch.num_rows, loss=self._step(batch))
            if _evaluation_is_due(state.batch, num_batches, config.evals_per_epoch):
                progress.evaluated(self._evaluate())
            if state.batch == num_batches:
                state.epoch, state.batch = epoch + 1, 0
            patience_is_over = config.patience is not None and state.evals_since_best >= config.patience
            if patience_is_over or state.epoch == config.max_epochs:
                self._finish()
            elif interrupt.is_set() or time.monotonic() - self._saved_at >= config.checkpoint_seconds:
                self.save()
            if interrupt.is_set():
                raise Interrupted(f"stopped after step {state.steps}, saved in {self.folder.path}; go on with --resume")
            if state.finished or state.epoch > epoch:
                return
        raise DataError(f"epoch {epoch} ended after {state.batch} batches; num_batches promises {num_batches}")

    def _step(self, batch: BatchT) -> float:
        """One optimizer step; returns the loss before it."""
        state, config, optimizers = self.state, self.config, self.task.optimizers
        loss = self.task.loss(batch)
        value = loss.item()
        if not math.isfinite(value):
            raise FarthingError(
                f"the loss of step {state.steps + 1} (batch {state.batch} of epoch {state.epoch}) is {value}; "
                "lower the learning rate, set clip_norm, or look at that batch"
            )
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        if config.clip_norm is not None:
            clip_grad_norm(self.task.model.parameters(), config.clip_norm)
        factor = schedule_factor(
            config.schedule, step=state.steps, total_steps=self.total_steps, warmup_steps=config.warmup_steps
        )
        scale_learning_rates(optimizers, factor)
        for optimizer in optimizers:
            optimizer.step()
        state.steps += 1
        state.batch += 1
        state.rows += batch.num_rows
        state.loss_sum += value
        state.loss_steps += 1
        self.task.after_step(state.steps)
        return value

    def _evaluate(self) -> dict[str, float]:
        """Measures the model, keeps its weights if they are the best so far, and logs one line."""
        state, config = self.state, self.config
        self.task.model.eval()
        with torch.no_grad():
            metrics = self.task.evaluate()
        self.task.model.train()
        if config.monitor not in metrics:
            raise ConfigError(f"monitor must be one of {sorted(metrics)}, got {config.monitor!r}")
        value, best = metrics[config.monitor], state.best_metrics.get(config.monitor)
        if not math.isfinite(value):
            raise FarthingError(
                f"{config.monitor} is {value} after step {state.steps}; only a finite one can be chosen by"
            )
        if best is None or (value > best if config.maximize else value < best):
            state.best_step, state.best_metrics, state.evals_since_best = state.steps, metrics, 0
            self.folder.save_best(self.task.model.state_dict(), state.steps)
        else:
            state.evals_since_best += 1
        self._log(metrics)
        return metrics

    def _log(self, metrics: dict[str, float]) -> None:
        """Adds one line to the history and starts a new mean of the training loss."""
        state = self.state
        self._tick()
        line = {
            "step": state.steps,
            "epoch": state.epoch,
            "rows": state.rows,
            "seconds": round(state.seconds, 3),
            "lr": self.task.optimizers[0].param_groups[0]["lr"],
            "train_loss": state.loss_sum / state.loss_steps,
            **metrics,
        }
        state.history.append(line)
        state.loss_sum, state.loss_steps = 0.0, 0
        self.folder.write_metrics(state.history)

    def save(self) -> None:
        """Writes the checkpoint."""
        self._tick()
        state: dict[str, Any] = {"progress": asdict(self.state)}
        if not self.state.finished:
            state |= {
                "model": self.task.model.state_dict(),
                "optimizers": [optimizer_state(optimizer) for optimizer in self.task.optimizers],
                "task": self.task.state_dict(),
                "rng": rng_state(),
            }
        self.folder.save(state, best_step=None if self.state.finished else self.state.best_step)
        self._saved_at = time.monotonic()

    def load(self) -> None:
        """Takes position, model, optimizers, task and generators from the checkpoint."""
        saved = self.folder.load()
        self.state = _State(**saved["progress"])
        if self.state.finished:
            return
        self.task.model.load_state_dict(saved["model"])
        for optimizer, state in zip(self.task.optimizers, saved["optimizers"], strict=True):
            load_optimizer_state(optimizer, state)
        self.task.load_state_dict(saved["task"])
        load_rng_state(saved["rng"])

    def _finish(self) -> None:
        """Publishes the best weights and marks the run as finished."""
        self.folder.publish_best(self.state.best_step)
        self.state.finished = True
        self.save()

    def _tick(self) -> None:
        """Adds the time since the last call."""
        now = time.monotonic()
        self.state.seconds += now - self._clock
        self._clock = now


def _evaluation_is_due(batch: int, num_batches: int, evals_per_epoch: int) -> bool:
    """Whether one of `evals_per_epoch` evenly spaced evaluations comes after `batch` batches of an epoch."""
    return batch * evals_per_epoch // num_batches > (batch - 1) * evals_per_epoch // num_batches


def _settings(task: Task[BatchT], batches: Batches[BatchT], config: FitConfig) -> dict[str, object]:
    """What decides the result of a run, as far as `fit` can see it."""
    settings = {name: value for name, value in asdict(config).items() if name != "checkpoint_seconds"}
    settings["num_batches"] = batches.num_batches
    settings["parameters"] = {name: [str(value.dtype), *value.shape] for name, value in task.model.named_parameters()}
    for index, optimizer in enumerate(task.optimizers):
        groups = [{k: v for k, v in group.items() if k not in ("params", "lr")} for group in optimizer.param_groups]
        settings[f"optimizer {index}"] = [type(optimizer).__name__, *groups]
    return settings
