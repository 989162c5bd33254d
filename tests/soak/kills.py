"""3 and 4: trainings that are really killed, and a disk that forgets what was not synced."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import time
from pathlib import Path

from safetensors.torch import load_file

from farthing.train.checkpoint import load_state, save_state
from tests.soak.models import make_data
from tests.soak.outcome import Budget, Outcome
from tests.soak.suites import run_tests
from tests.train.kill_target import SAVE_PATH
from tests.train.warm import WarmTrainer

TRAININGS = ("toy", "recommend", "documents")


def resume_is_bit_identical(budget: Budget, folder: Path) -> Outcome:
    """SIGKILL at random moments and at named points of the save path of three trainings, then `--resume`."""
    kills, differing, seconds = {}, [], budget.seconds / len(TRAININGS)
    for name in TRAININGS:
        kills[name], same = _killed(name, folder / name, Budget(seconds, budget.random))
        differing += [] if same else [name]
    counted = ", ".join(f"{count} of {name}" for name, count in kills.items())
    verdict = f"{', '.join(differing)} differ" if differing else "all weights and states equal an uninterrupted run's"
    return Outcome(f"real SIGKILLs: {counted}; {verdict}", not differing and all(kills.values()))


def _killed(training: str, folder: Path, budget: Budget) -> tuple[int, bool]:
    """The kills that happened, and whether every training that went on ended with the bits of a whole one."""
    folder.mkdir(parents=True)
    if training == "recommend":
        make_data(folder)
    num_kills, same = 0, True
    with WarmTrainer(f"tests.soak.victims:{training}") as trainer:
        start = time.monotonic()
        trainer.start(folder / "whole")
        assert trainer.wait() == 0
        whole_s = time.monotonic() - start
        for number in budget.rounds():
            victim = folder / f"run{number}"
            for _ in range(3):
                num_kills += _kill_once(trainer, victim, budget, whole_s)
            trainer.start(victim)
            same = same and trainer.wait() == 0 and digest(victim) == digest(folder / "whole")
    return num_kills, same


def _kill_once(trainer: WarmTrainer, folder: Path, budget: Budget, whole_s: float) -> bool:
    """Starts or resumes a training and kills it; whether it had not ended before."""
    if budget.random.random() < 0.5:
        when = budget.random.choice(("before", "after"))
        point = {"function": budget.random.choice(list(SAVE_PATH)), "when": when, "call": budget.random.randint(1, 9)}
        trainer.start(folder, point)
    else:
        process = trainer.start(folder)
        time.sleep(budget.random.uniform(0.01, 0.6 * whole_s))
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return trainer.wait() == -signal.SIGKILL


def digest(folder: Path) -> dict[str, str]:
    """SHA-256 of the tensors of every file of weights and states, and of the states but for the time they took."""
    digests = {}
    for path in sorted((folder / "run").rglob("*.safetensors")):
        tensors = load_file(path)
        parts = [name.encode() + tensors[name].numpy(force=True).tobytes() for name in sorted(tensors)]
        if path.name == "checkpoint.safetensors":
            parts = [_timeless(path, folder)]
        digests[str(path.relative_to(folder))] = hashlib.sha256(b"".join(parts)).hexdigest()
    return digests


def _timeless(path: Path, folder: Path) -> bytes:
    """A checkpoint written again without the seconds that it took."""
    state = load_state(path)
    state["progress"]["seconds"] = 0.0
    for line in state["progress"]["history"]:
        line["seconds"] = 0.0
    copy = folder / "timeless"
    save_state(copy, state)
    return copy.read_bytes()


def checkpoints_survive_power_loss(_: Budget, __: Path) -> Outcome:
    """Every prefix of the operations of a save, a full disk and a read-only folder: the tests that play them."""
    result = run_tests("tests/train/test_folder.py", "tests/base/test_files.py", "tests/lowbit/test_folders.py")
    return Outcome(f"every prefix of a save, full disks, read-only folders: {result.summary}", result.is_green)
