"""The loop against a hand-written one, its stopping rules, its resumption and its errors."""

from __future__ import annotations

import json
import math
import os
import random
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from farthing.base.errors import ConfigError, DataError, FarthingError, FormatError
from farthing.train.checkpoint import load_state
from farthing.train.interrupt import Interrupted
from farthing.train.loop import FitConfig, FitResult, fit
from farthing.train.optim import clip_grad_norm
from tests.reference.toy_task import ToyBatch, ToyBatches, ToyTask

CONFIG = FitConfig(max_epochs=3, evals_per_epoch=2, clip_norm=0.5, warmup_steps=4)


def without_times(result: FitResult) -> list[dict[str, float]]:
    return [{name: value for name, value in line.items() if name != "seconds"} for line in result.history]


def test_equals_a_hand_written_loop_bit_for_bit(tmp_path: Path) -> None:
    task, batches = ToyTask(), ToyBatches(num_batches=6)
    result = fit(task, batches, CONFIG, folder=tmp_path, seed=7)

    plain, step, evaluations, weights = ToyTask(), 0, [], []
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    for epoch in range(3):
        for batch in batches.epoch(epoch, 0):
            for optimizer in plain.optimizers:
                optimizer.zero_grad()
            plain.loss(batch).backward()
            clip_grad_norm(plain.model.parameters(), 0.5)
            for optimizer in plain.optimizers:
                factor = (step + 1) / 4 if step < 4 else (1 + math.cos(math.pi * (step - 4) / 14)) / 2
                optimizer.param_groups[0]["lr"] = 0.01 * factor
                optimizer.step()
            step += 1
            plain.after_step(step)
            if step % 3 == 0:
                plain.model.eval()
                evaluations.append(plain.evaluate()["auc"])
                weights.append({name: value.clone() for name, value in plain.model.state_dict().items()})
                plain.model.train()

    assert [line["auc"] for line in result.history] == evaluations
    best = max(range(len(evaluations)), key=evaluations.__getitem__)
    assert result.best_step == 3 * (best + 1)
    assert (result.steps, result.rows, len(result.history)) == (18, 18 * 16, 6)
    for name, value in task.model.state_dict().items():
        assert torch.equal(value, weights[best][name]), name
    task.model.load_state_dict(weights[-1])
    assert task.digest() == plain.digest()


def test_writes_best_weights_and_one_json_line_per_evaluation(tmp_path: Path) -> None:
    task = ToyTask()
    result = fit(task, ToyBatches(), CONFIG, folder=tmp_path, seed=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.safetensors",
        "checkpoint.safetensors",
        "metrics.jsonl",
    ]
    best = load_state(tmp_path / "best.safetensors")["model"]
    assert all(torch.equal(best[name], value) for name, value in task.model.state_dict().items())
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == result.history
    assert list(lines[0]) == ["step", "epoch", "rows", "seconds", "lr", "train_loss", "auc", "log_loss"]


class Scripted(ToyTask):
    """A toy task whose metric is given in advance."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = iter(values)

    def evaluate(self) -> dict[str, float]:
        return {"auc": next(self.values)}


@pytest.mark.parametrize(
    ("maximize", "values", "best_step", "steps"),
    [
        (True, [0.5, 0.6, 0.6, 0.55, 0.9], 12, 24),
        (True, [0.5, 0.6, 0.5, 0.7, 0.6], 24, 30),
        (False, [0.5, 0.6, 0.7], 6, 18),
    ],
)
def test_stops_after_patience_evaluations_without_a_new_best(
    tmp_path: Path, maximize: bool, values: list[float], best_step: int, steps: int
) -> None:
    config = FitConfig(max_epochs=5, patience=2, maximize=maximize)
    result = fit(Scripted(values), ToyBatches(), config, folder=tmp_path, seed=0)
    assert (result.best_step, result.steps) == (best_step, steps)


class StopsAt(ToyTask):
    """A toy task that raises a signal, or an error, after one step."""

    def __init__(self, step: int, error: BaseException | None = None) -> None:
        super().__init__()
        self.stop, self.error = step, error

    def after_step(self, step: int) -> None:
        super().after_step(step)
        if step == self.stop:
            if self.error is not None:
                raise self.error
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("step", [1, 3, 6, 7, 12, 17])
def test_goes_on_after_ctrl_c_with_the_same_bits(tmp_path: Path, step: int) -> None:
    whole = ToyTask()
    expected = fit(whole, ToyBatches(), CONFIG, folder=tmp_path / "whole", seed=0)
    with pytest.raises(Interrupted, match=f"stopped after step {step}, saved in .*--resume"):
        fit(StopsAt(step), ToyBatches(), CONFIG, folder=tmp_path / "run", seed=0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    torch.rand(5)  # whatever else the new process did
    np.random.rand(3)  # noqa: NPY002
    task = ToyTask()
    result = fit(task, ToyBatches(), CONFIG, folder=tmp_path / "run", seed=0, resume=True)
    assert task.digest() == whole.digest()
    assert without_times(result) == without_times(expected)
    assert (result.best_step, result.best_metrics, result.rows) == (
        expected.best_step,
        expected.best_metrics,
        expected.rows,
    )
    best = [load_state(tmp_path / name / "best.safetensors")["model"] for name in ("whole", "run")]
    assert all(torch.equal(best[0][name], best[1][name]) for name in best[0])


def test_an_error_leaves_a_run_that_can_be_resumed_from_its_last_checkpoint(tmp_path: Path) -> None:
    whole = ToyTask()
    fit(whole, ToyBatches(), CONFIG, folder=tmp_path / "whole", seed=0)
    config = FitConfig(max_epochs=3, evals_per_epoch=2, clip_norm=0.5, warmup_steps=4, checkpoint_seconds=0)
    with pytest.raises(ZeroDivisionError):
        fit(StopsAt(8, ZeroDivisionError()), ToyBatches(), config, folder=tmp_path / "run", seed=0)
    assert load_state(tmp_path / "run/checkpoint.safetensors")["progress"]["steps"] == 7
    task = ToyTask()
    fit(task, ToyBatches(), CONFIG, folder=tmp_path / "run", seed=0, resume=True)
    assert task.digest() == whole.digest()


def test_ctrl_c_in_the_last_step_still_stops_the_caller(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        fit(StopsAt(18), ToyBatches(), CONFIG, folder=tmp_path, seed=0)
    assert fit(ToyTask(), ToyBatches(), CONFIG, folder=tmp_path, seed=0, resume=True).steps == 18


def test_a_finished_run_returns_its_result_at_once(tmp_path: Path) -> None:
    task = ToyTask()
    result = fit(task, ToyBatches(), CONFIG, folder=tmp_path, seed=0)
    again = ToyTask()
    assert fit(again, ToyBatches(), CONFIG, folder=tmp_path, seed=0, resume=True) == result
    assert all(torch.equal(a, b) for a, b in zip(task.model.parameters(), again.model.parameters(), strict=True))


class Recorder:
    """A progress display that remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.rows = 0

    def start(self, *, total_steps: int, step: int) -> None:
        self.calls.append(f"start {step}/{total_steps}")

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        self.rows += rows
        assert math.isfinite(loss)

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        self.calls.append(f"evaluated {','.join(metrics)}")

    def stop(self) -> None:
        self.calls.append("stop")


def test_reports_progress_and_always_stops_the_display(tmp_path: Path) -> None:
    whole, half, rest = Recorder(), Recorder(), Recorder()
    fit(ToyTask(), ToyBatches(), CONFIG, folder=tmp_path / "whole", seed=0, progress=whole)
    assert whole.calls == ["start 0/18", *["evaluated auc,log_loss"] * 6, "stop"]
    assert whole.rows == 18 * 16
    with pytest.raises(Interrupted):
        fit(StopsAt(9), ToyBatches(), CONFIG, folder=tmp_path / "run", seed=0, progress=half)
    assert half.calls[-1] == "stop"
    fit(ToyTask(), ToyBatches(), CONFIG, folder=tmp_path / "run", seed=0, resume=True, progress=rest)
    assert rest.calls[0] == "start 9/18"
    assert half.rows + rest.rows == whole.rows


def test_refuses_to_overwrite_a_run(tmp_path: Path) -> None:
    fit(ToyTask(), ToyBatches(), CONFIG, folder=tmp_path, seed=0)
    with pytest.raises(ConfigError, match=r"holds a run already; resume it \(--resume\)"):
        fit(ToyTask(), ToyBatches(), CONFIG, folder=tmp_path, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "made with seed=0, now it is 1"),
        ({"config": FitConfig(max_epochs=4)}, "made with max_epochs=3, now it is 4"),
        ({"batches": ToyBatches(num_batches=5)}, "made with num_batches=6, now it is 5"),
        ({"settings": {"data": "b"}}, "made with data='a', now it is 'b'"),
        ({"settings": {}}, "made with data='a', now it is None"),
        ({"task": ToyTask(lr=0.02)}, "made with optimizer 0="),
    ],
)
def test_refuses_to_resume_with_other_settings(tmp_path: Path, change: dict[str, object], message: str) -> None:
    values: dict[str, object] = {"task": ToyTask(), "batches": ToyBatches(), "config": FitConfig(max_epochs=3)}
    values |= {"seed": 0, "settings": {"data": "a"}, "folder": tmp_path}
    fit(**values)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message):
        fit(**(values | change), resume=True)  # type: ignore[arg-type]


class NotFinite(ToyTask):
    def loss(self, batch: ToyBatch) -> Tensor:
        return super().loss(batch) * math.inf


def test_a_loss_that_is_not_finite_is_an_error_that_names_step_and_batch(tmp_path: Path) -> None:
    with pytest.raises(FarthingError, match=r"loss of step 1 \(batch 0 of epoch 0\) is inf; lower the learning rate"):
        fit(NotFinite(), ToyBatches(), CONFIG, folder=tmp_path, seed=0)


def test_a_monitored_metric_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FarthingError, match="auc is nan after step 6"):
        fit(Scripted([math.nan]), ToyBatches(), FitConfig(max_epochs=1), folder=tmp_path, seed=0)


def test_an_unknown_monitor_is_an_error_that_lists_the_metrics(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"monitor must be one of \['auc', 'log_loss'\], got 'gauc'"):
        fit(ToyTask(), ToyBatches(), FitConfig(max_epochs=1, monitor="gauc"), folder=tmp_path, seed=0)


def test_an_epoch_with_fewer_batches_than_promised_is_an_error(tmp_path: Path) -> None:
    class Short(ToyBatches):
        def epoch(self, epoch: int, start_batch: int) -> Iterator[ToyBatch]:
            return iter(list(super().epoch(epoch, start_batch))[:-1])

    with pytest.raises(DataError, match="epoch 0 ended after 5 batches; num_batches promises 6"):
        fit(ToyTask(), Short(), CONFIG, folder=tmp_path, seed=0)


def test_a_damaged_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        fit(StopsAt(5), ToyBatches(), CONFIG, folder=tmp_path, seed=0)
    path = tmp_path / "checkpoint.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)
    with pytest.raises(FormatError, match="SHA-256 does not fit"):
        fit(ToyTask(), ToyBatches(), CONFIG, folder=tmp_path, seed=0, resume=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_epochs", 0),
        ("patience", 0),
        ("evals_per_epoch", 0),
        ("clip_norm", 0.0),
        ("checkpoint_seconds", -1.0),
        ("schedule", "linear"),
        ("warmup_steps", -1),
    ],
)
def test_rejects_settings_out_of_range(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be .*, got {value!r}"):
        FitConfig(**{name: value})  # type: ignore[arg-type]
