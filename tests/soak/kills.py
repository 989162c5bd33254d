"""3 and 4: jobs that are really killed, and disks that are full, read-only, or forget what was not synced."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.jobs import JOBS, Job
from tests.soak.outcome import Budget, Outcome
from tests.soak.suites import run_tests
from tests.train.kill_target import INTERRUPTED, OUR_ERROR, SAVE_PATH
from tests.train.warm import WarmTrainer

STOPS = ("moment", "point", "Ctrl-C")
DISKS = ("full disk", "read-only folder")
EXIT_CODES = {
    "moment": -signal.SIGKILL,
    "point": -signal.SIGKILL,
    "Ctrl-C": INTERRUPTED,
    "full disk": OUR_ERROR,
    "read-only folder": OUR_ERROR,
}
ROUNDS_OF_FAULTS = 3
# The toy writes a trace of its own, in a test's way.
ON_DISKS = ("recommend", "documents", "prepare", "filter", "fit")


@dataclass
class Stopped:
    """What became of a job: the faults that really happened, and what was not as it must be."""

    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def resume_is_bit_identical(budget: Budget, folder: Path) -> Outcome:
    """SIGKILL at random moments and at named points of the save path, and Ctrl-C; then each job goes on."""
    return _outcome(STOPS, {name: stop(name, STOPS, folder / name, budget, 1 / len(JOBS)) for name in JOBS})


def checkpoints_survive_power_loss(budget: Budget, folder: Path) -> Outcome:
    """Full disks and read-only folders; every prefix of the operations of a save by the tests that play them."""
    share = 0.8 / len(ON_DISKS)
    stopped = _outcome(DISKS, {name: stop(name, DISKS, folder / name, budget, share) for name in ON_DISKS})
    result = run_tests("tests/train/test_folder.py", "tests/base/test_files.py", "tests/lowbit/test_folders.py")
    figure = f"{stopped.figure}; every prefix of a save: {result.summary}"
    return Outcome(figure, stopped.kept and result.is_green)


def _outcome(faults: Sequence[str], jobs: dict[str, Stopped]) -> Outcome:
    """Kept if nothing is wrong after faults that happened, each kind to each job."""
    counted = "; ".join(
        f"{name} {', '.join(f'{count} x {fault}' for fault, count in sorted(stopped.faults.items()))}"
        for name, stopped in jobs.items()
    )
    wrong = [f"{name}: {text}" for name, stopped in jobs.items() for text in stopped.wrong]
    verdict = f"{len(wrong)} wrong, first {wrong[0]}" if wrong else "all results equal those of uninterrupted runs"
    happened = all(stopped.faults[fault] for stopped in jobs.values() for fault in faults)
    return Outcome(f"{counted}; {verdict}", not wrong and happened)


def stop(name: str, faults: Sequence[str], folder: Path, budget: Budget, share: float) -> Stopped:
    """Stops a job again and again in these ways for a share of the time, lets it end, and compares."""
    job, stopped = JOBS[name], Stopped()
    folder.mkdir(parents=True)
    job.make(folder)
    with WarmTrainer(f"tests.soak.victims:{name}") as trainer:
        start = time.monotonic()
        trainer.start(folder / "whole")
        assert trainer.wait() == 0, f"{name} does not work at all"
        whole_s = time.monotonic() - start
        whole = job.contents(folder / "whole")
        for number in budget.rounds(share):
            victim = folder / f"run{number}"
            for fault in budget.random.choices(faults, k=ROUNDS_OF_FAULTS) if number else faults:
                code = _strike(trainer, fault, victim, budget, whole_s)
                stopped.faults[fault] += code == EXIT_CODES[fault]
                if code not in {0, EXIT_CODES[fault]}:
                    stopped.wrong.append(f"exit code {code} after {fault}")
            trainer.start(victim)
            stopped.wrong += _differences(trainer.wait(), job, victim, whole)
            shutil.rmtree(victim)
    return stopped


def _differences(code: int, job: Job, victim: Path, whole: dict[str, str]) -> list[str]:
    """What of a job that went on to its end is not as in one that was never stopped."""
    if code:
        return [f"exit code {code} when it went on"]
    contents = job.contents(victim)
    names = sorted(name for name in {*whole, *contents} if whole.get(name) != contents.get(name))
    return [f"{names[0]} differs"] if names else []


def _strike(trainer: WarmTrainer, fault: str, victim: Path, budget: Budget, whole_s: float) -> int:
    """Starts a job, or goes on with it, and lets a fault happen; how it ended."""
    draw = budget.random
    if fault == "point":
        when, function = draw.choice(("before", "after")), draw.choice(list(SAVE_PATH))
        # The first call mostly: a job that saves little makes no others.
        trainer.start(victim, {"function": function, "when": when, "call": draw.choice((1, 1, 2, 3, 5, 8))})
    elif fault == "full disk":
        # A file that is cut at any size: from its first byte to about as large as files here are.
        trainer.start(victim, full=int(10 ** draw.uniform(0, 5)))
    elif fault == "read-only folder":
        return _read_only(trainer, victim)
    else:
        process = trainer.start(victim)
        time.sleep(draw.uniform(0.01, 0.6 * whole_s))
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGINT if fault == "Ctrl-C" else signal.SIGKILL)
    return trainer.wait()


def _read_only(trainer: WarmTrainer, victim: Path) -> int:
    """A job by somebody who may read everything and write nothing of it."""
    victim.mkdir(exist_ok=True)
    folders = [victim, *(path for path in victim.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    trainer.start(victim, is_mortal=True)
    code = trainer.wait()
    for path in folders:
        path.chmod(0o755)
    return code
