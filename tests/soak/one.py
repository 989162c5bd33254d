"""One promise in a process of its own: `python -m tests.soak.one NUMBER SECONDS OUT`.

A crash, or an error that nobody expected, is then what became of this promise and of no other.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import msgspec
import torch

if "FARTHING_TEST_EXTENSION" in os.environ:
    import tests.native.extension  # noqa: F401  in place of the installed one, before anything loads that

from tests.soak.outcome import Budget
from tests.soak.table import PROMISES


def main(number: int, seconds: float, out: Path) -> None:
    """Writes the outcome as JSON."""
    torch.set_num_threads(1)
    promise = next(each for each in PROMISES if each.number == number)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        outcome = promise.check(Budget(seconds), Path(folder))
    out.write_bytes(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
