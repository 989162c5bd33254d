from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from farthing.base.errors import ConfigError
from farthing.base.files import read_json
from farthing.recommend.dataset import Dataset
from farthing.recommend.jobs import TrainingJob, run_jobs
from farthing.recommend.runs import RunResult, train_run
from farthing.train.interrupt import Interrupted
from tests.recommend import small


class Recorder:
    """A display of trainings that writes down what it is told."""

    def __init__(self) -> None:
        self.told: dict[str, list[tuple[str, dict[str, Any]]]] = {}  # Any: whatever a Progress is told

    def __call__(self, title: str) -> _Recorded:
        assert threading.current_thread() is not threading.main_thread()
        return _Recorded(self.told.setdefault(title, []))


class _Recorded:
    def __init__(self, told: list[tuple[str, dict[str, Any]]]) -> None:
        self._told = told

    def start(self, *, total_steps: int, step: int) -> None:
        self._told.append(("start", {"total_steps": total_steps, "step": step}))

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        self._told.append(("advance", {"rows": rows, "loss": loss, "steps": steps}))

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        self._told.append(("evaluated", {"metrics": metrics}))

    def stop(self) -> None:
        self._told.append(("stop", {}))


def job_of(dataset: Dataset, folder: Path, preset: str, seed: int, *settings: str) -> TrainingJob:
    return TrainingJob(
        title=f"{preset} {seed}",
        data=dataset.folder,
        folder=folder / f"{preset}-{seed}",
        config=small.small_config(preset, dataset, "train.fit.max_epochs=1", *settings),
        seed=seed,
    )


@pytest.mark.slow  # every worker process imports torch
def test_side_by_side_gives_the_bits_of_one_process(mixed: Dataset, tmp_path: Path) -> None:
    jobs = [job_of(mixed, tmp_path / "jobs", preset, seed) for preset, seed in [("fp32", 0), ("int4", 1), ("fp32", 2)]]
    recorder = Recorder()
    run_jobs(jobs, workers=2, progress=recorder)
    for job in jobs:
        here = tmp_path / "here" / job.folder.name
        result = train_run(mixed, job.config, folder=here, seed=job.seed)
        there = read_json(job.folder / "result.json", RunResult)
        assert (there.test, there.valid) == (result.test, result.valid)
        assert (job.folder / "best.safetensors").read_bytes() == (here / "best.safetensors").read_bytes()

    assert recorder.told.keys() == {job.title for job in jobs}
    for told in recorder.told.values():
        assert told[0] == ("start", {"total_steps": 25, "step": 0})
        assert told[-1][0] == "stop"
        evaluated = [arguments["metrics"] for name, arguments in told if name == "evaluated"]
        assert len(evaluated) == 1
        assert 0 < evaluated[0]["auc"] < 1

    again = Recorder()
    run_jobs(jobs, workers=1, progress=again)
    assert again.told == {}


@pytest.mark.slow  # as above
def test_the_error_of_a_worker_surfaces(mixed: Dataset, tmp_path: Path) -> None:
    good, bad = job_of(mixed, tmp_path, "fp32", 0), job_of(mixed, tmp_path, "int4", 0, "train.fit.monitor=fame")
    with pytest.raises(ConfigError, match=r"monitor must be one of .*'fame'"):
        run_jobs([bad, good], workers=1)
    assert not good.folder.exists()


@pytest.mark.slow  # as above
def test_after_an_interrupt_no_other_training_starts(mixed: Dataset, tmp_path: Path) -> None:
    """The pool hands a worker its next job early, so that cancelling what waits is not enough."""

    class Interrupts(Recorder):
        def __call__(self, title: str) -> _Recorded:
            os.kill(os.getpid(), signal.SIGINT)
            return super().__call__(title)

    jobs = [job_of(mixed, tmp_path, "fp32", seed, "train.fit.max_epochs=10") for seed in range(3)]
    with pytest.raises(Interrupted, match="run the same command again to go on"):
        run_jobs(jobs, workers=1, progress=Interrupts())
    assert [job.folder.exists() for job in jobs] == [True, False, False]


_ORPHANING = """
import sys
from pathlib import Path
from farthing.recommend.jobs import TrainingJob, run_jobs
from farthing.recommend.presets import PRESETS
from farthing.base.config import apply_overrides

if __name__ == "__main__":
    config = apply_overrides(PRESETS["fp32"](), ["train.fit.max_epochs=100000", "train.batch_size=64"])
    run_jobs([TrainingJob("endless", Path(sys.argv[1]), Path(sys.argv[2]), config, 0)], workers=1)
"""


@pytest.mark.slow  # as above
def test_a_worker_dies_with_its_killed_parent(mixed: Dataset, tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(_ORPHANING)
    parent = subprocess.Popen([sys.executable, script, mixed.folder, tmp_path / "run"])
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "checkpoint.safetensors").exists():
        assert time.monotonic() < deadline, "the worker never began to train"
        time.sleep(0.1)
    workers = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
