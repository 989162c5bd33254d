"""`kill -9` at random moments and at every named point of the save path: the resumed run has the same bits.

FARTHING_KILLS sets the number of random kills (10 in the normal test).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.train.checkpoint import load_state
from tests.train.kill_target import SAVE_PATH
from tests.train.warm import WarmTrainer

KILLS = int(os.environ.get("FARTHING_KILLS", "10"))
STEPS = 48


@pytest.fixture(scope="module")
def trainer() -> Iterator[WarmTrainer]:
    with WarmTrainer() as trainer:
        yield trainer
    assert trainer.process.returncode == 0


@pytest.fixture(scope="module")
def whole(trainer: WarmTrainer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The uninterrupted run and its seconds."""
    folder = tmp_path_factory.mktemp("kill") / "whole"
    begin = time.monotonic()
    trainer.start(folder)
    assert trainer.wait() == 0
    return folder, time.monotonic() - begin


def steps_of(folder: Path) -> dict[int, str]:
    """The digest after every step; a step that was repeated must have had the same one each time."""
    digests: dict[int, str] = {}
    for line in (folder / "trace.txt").read_text().splitlines():
        step, digest = line.split()
        assert digests.setdefault(int(step), digest) == digest, f"step {step} changed when it was repeated"
    return digests


def assert_same_run(folder: Path, whole: Path) -> None:
    assert len(steps_of(whole)) == STEPS
    assert steps_of(folder) == steps_of(whole)
    assert (folder / "run/best.safetensors").read_bytes() == (whole / "run/best.safetensors").read_bytes()
    states = [load_state(path / "run/checkpoint.safetensors")["progress"] for path in (folder, whole)]
    for state in states:
        state["seconds"] = 0.0
        for line in state["history"]:
            line["seconds"] = 0.0
    assert states[0] == states[1]
    assert sorted(path.name for path in (folder / "run").iterdir()) == [
        "best.safetensors",
        "checkpoint.safetensors",
        "metrics.jsonl",
    ]


@pytest.mark.slow
def test_killed_at_random_moments(trainer: WarmTrainer, whole: tuple[Path, float], tmp_path: Path) -> None:
    reference, seconds = whole
    moments = random.Random(5)
    killed = finished = 0
    while killed < KILLS:
        process = trainer.start(tmp_path / f"run{finished}")
        time.sleep(moments.uniform(0.01, 0.3 * seconds))
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        was_killed = trainer.wait() == -signal.SIGKILL
        killed, finished = killed + was_killed, finished + (not was_killed)
        assert finished <= KILLS, "most trainings ended before they could be killed"
    for folder in tmp_path.iterdir():
        trainer.start(folder)
        assert trainer.wait() == 0
        assert_same_run(folder, reference)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("function", SAVE_PATH)
def test_killed_at_a_point_of_the_save_path(
    trainer: WarmTrainer, whole: tuple[Path, float], tmp_path: Path, function: str, when: str
) -> None:
    calls = random.Random(f"{function} {when}")
    folder = tmp_path / "run"
    for _ in range(3):
        trainer.start(folder, {"function": function, "when": when, "call": calls.randint(1, 12)})
        assert trainer.wait() == -signal.SIGKILL
    trainer.start(folder)
    assert trainer.wait() == 0
    assert_same_run(folder, whole[0])
