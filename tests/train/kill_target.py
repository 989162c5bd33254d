"""A process that stays warm (torch imported) and forks one training per line of its standard input.

`python -m tests.train.kill_target MODULE:FUNCTION`, a training that is called with its folder.

In:  {"folder": PATH, "kill": null | {"function": NAME, "when": "before" | "after", "call": N}}
Out: its own process id when it is warm; then, per line, the child's process id and, when that is gone, how it ended:
     0, or minus the number of the signal that killed it.

The toy training here appends "step digest" to FOLDER/trace.txt after every step: a test compares all of them.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from farthing.base import files
from farthing.train import checkpoint
from farthing.train.loop import FitConfig, fit
from tests.reference.toy_task import ToyBatches, ToyTask

CONFIG = FitConfig(max_epochs=8, evals_per_epoch=2, clip_norm=0.5, checkpoint_seconds=0)
# Every operation of a save, in its order: temporary name, content, fsync of file and folder, rename, clean-up.
SAVE_PATH: dict[str, tuple[Any, str]] = {
    "mkstemp": (tempfile, "mkstemp"),
    "save_file": (checkpoint, "save_file"),
    "fsync": (files, "fsync_path"),
    "rename": (Path, "replace"),
    "unlink": (Path, "unlink"),
}


class TracedTask(ToyTask):
    def __init__(self, trace: Path) -> None:
        super().__init__()
        self.trace = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def after_step(self, step: int) -> None:
        super().after_step(step)
        os.write(self.trace, f"{step} {self.digest()}\n".encode())


def train(folder: Path) -> None:
    fit(TracedTask(folder / "trace.txt"), ToyBatches(), CONFIG, folder=folder / "run", seed=3, resume=True)


def kill_at(function: str, when: str, call: int) -> None:
    """Makes this process kill itself before or after one call of a function of the save path."""
    owner, name = SAVE_PATH[function]
    original: Callable[..., object] = getattr(owner, name)
    calls = 0

    def wrapper(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapper)


def answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def serve(training: str) -> None:
    module, _, name = training.partition(":")
    run: Callable[[Path], None] = getattr(importlib.import_module(module), name)
    torch.set_num_threads(1)
    ToyTask()  # torch imports a second's worth of modules when it makes its first optimizer
    answer(os.getpid())
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            if request["kill"]:
                kill_at(**request["kill"])
            run(Path(request["folder"]))
            os._exit(0)
        answer(child)
        answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    serve(sys.argv[1])
