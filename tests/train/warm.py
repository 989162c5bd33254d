"""The other end of `kill_target`: starts trainings in its warm process, and sees how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
TOY = "tests.train.kill_target:train"


class WarmTrainer:
    """The warm process; a context, which ends it."""

    def __init__(self, training: str = TOY) -> None:
        """Starts it.

        Args:
            training: `module:function`, called with a folder.
        """
        path = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "tests.train.kill_target", training]
        environment = {**os.environ, "PYTHONPATH": path}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
        self._answer()

    def __enter__(self) -> WarmTrainer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.process as process:
            assert process.stdin is not None
            process.stdin.close()

    def start(
        self,
        folder: Path,
        kill: dict[str, object] | None = None,
        *,
        full: int | None = None,
        is_mortal: bool = False,
    ) -> int:
        """Starts or resumes the training in `folder`; returns the child's process id; the rest is told there."""
        assert self.process.stdin is not None
        folder.mkdir(exist_ok=True)
        request = {"folder": str(folder), "kill": kill, "full": full, "is_mortal": is_mortal}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def wait(self) -> int:
        """How the training ended: 0, or minus the number of the signal that killed it."""
        return self._answer()

    def _answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())
