"""A process that stays warm (torch imported) and forks one training per line of its standard input.

`python -m tests.train.kill_target MODULE:FUNCTION`, a training that is called with its folder.

In:  {"folder": PATH, "kill": null | {"function": NAME, "when": "before" | "after", "call": N}, "full": null | BYTES,
     "is_mortal": false | true}: no file may grow beyond BYTES, which stands in for a full disk; a mortal has none of
     root's powers, to whom no folder is read-only.
Out: its own process id when it is warm; then, per line, the child's process id and, when that is gone, how it ended:
     0, 2 for an error of ours, 130 for an interruption, or minus the number of the signal that killed it.

The toy training here appends "step digest" to FOLDER/trace.txt after every step: a test compares all of them.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from farthing.base import files
from farthing.base.errors import FarthingError
from farthing.train import checkpoint
from farthing.train.loop import FitConfig, fit
from tests.reference.toy_task import ToyBatches, ToyTask

OUR_ERROR, INTERRUPTED, FAULT = 2, 130, 1  # the first two as the command line has them
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


def drop_capabilities() -> None:
    """Makes this process, if it is root's, subject to the permissions of files (capset(2), version 3)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, effective_permitted_inheritable) == 0


def ended(run: Callable[[Path], None], request: dict[str, Any]) -> int:  # Any: JSON
    """The exit code of one training under the circumstances that were asked for."""
    if request["kill"]:
        kill_at(**request["kill"])
    if request["full"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["full"], resource.RLIM_INFINITY))
    if request["is_mortal"]:
        drop_capabilities()
    try:
        run(Path(request["folder"]))
    except FarthingError:
        return OUR_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except BaseException:  # noqa: BLE001  it is what the tests look for
        traceback.print_exc()
        return FAULT
    return 0


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
            os._exit(ended(run, request))
        answer(child)
        answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    serve(sys.argv[1])
