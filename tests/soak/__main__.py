"""Holds the project to its fifteen promises for a given time; those that were not asked keep what they reached before.

python -m tests.soak --minutes 60 --json soak.json --page docs/reliability.md
python -m tests.soak --hours 8
python -m tests.soak --minutes 0.5 --only 2 --only 6
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.soak import page
from tests.soak.outcome import Outcome, Promise
from tests.soak.sanitizer import sanitized
from tests.soak.suites import ROOT
from tests.soak.table import PROMISES

UNASKED = "--only named others"
# What a check may take beyond its part of the time: it makes models, starts servers, and ends what it has begun.
GRACE_S, GRACE_FACTOR = 1200.0, 2.0


def main(arguments: list[str]) -> int:
    """Runs the promises one after the other; 0 if all were kept."""
    options = _parser().parse_args(arguments)
    minutes = 60 * options.hours if options.hours else options.minutes
    wanted = [promise for promise in PROMISES if not options.only or promise.number in options.only]
    total = sum(promise.weight for promise in wanted)
    rows = [_before(promise, options.json, is_wanted=promise in wanted) for promise in PROMISES]
    for row, promise in zip(rows, PROMISES, strict=True):
        if promise in wanted:
            share = minutes * promise.weight / total
            outcome, said = run_alone(promise, 60 * share)
            if not outcome.kept:
                options.json.with_suffix(f".{promise.number}.log").write_text(said)
            row |= {"figure": outcome.figure, "kept": outcome.kept, "date": page.today(), "minutes": round(share, 2)}
        verdict = "kept" if row["kept"] else "NOT KEPT"
        sys.stdout.write(f"{promise.number:2} {verdict}  {promise.title}: {row['figure']}\n")
        sys.stdout.flush()
        # After each row, so that what was reached stands whatever comes.
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
        if options.page:
            page.write(options.page, rows, command=f"python -m tests.soak {shlex.join(arguments)}")
    return 0 if all(row["kept"] for row in rows) else 1


def _before(promise: Promise, path: Path, *, is_wanted: bool) -> dict[str, object]:
    """The row of a promise before it is put to the test: what an earlier soak reached, if this one was not asked."""
    if not is_wanted and path.exists():
        rows: list[dict[str, object]] = msgspec.json.decode(path.read_bytes())
        return rows[PROMISES.index(promise)]
    figure = f"not run: {'the soak was stopped before' if is_wanted else UNASKED}"
    return {"promise": promise.title, "figure": figure, "kept": False, "date": page.today(), "minutes": 0.0}


def run_alone(promise: Promise, seconds: float) -> tuple[Outcome, str]:
    """The outcome of a check in its own process, and all that was said on standard error.

    What ends that process otherwise is the outcome.
    """
    extra = sanitized() if promise.is_sanitized else {}
    if extra is None:
        return Outcome("not run: there is no sanitizer build of the extension (make sanitized)", kept=False), ""
    with tempfile.TemporaryDirectory(prefix="soak-out-") as folder:
        out = Path(folder) / "outcome.json"
        command = [sys.executable, "-m", "tests.soak.one", str(promise.number), str(seconds), str(out)]
        path = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **extra}
        pipe, limit = subprocess.PIPE, GRACE_S + GRACE_FACTOR * seconds
        try:
            ran = subprocess.run(command, cwd=ROOT, env=environment, stderr=pipe, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired as error:
            return Outcome(f"did not end within {limit:.0f} s", kept=False), _text(error.stderr)
        if out.exists():
            return msgspec.json.decode(out.read_bytes(), type=Outcome), ran.stderr
    said = ran.stderr.strip().splitlines() or [""]
    reported = [line for line in said if "Sanitizer" in line or "runtime error" in line] or said[-1:]
    return Outcome(f"ended with exit code {ran.returncode}: {reported[0][:200]}", kept=False), ran.stderr


def _text(said: str | bytes | None) -> str:
    """What a process said until it was ended: bytes, whatever was asked for."""
    return said.decode(errors="replace") if isinstance(said, bytes) else said or ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="for all promises together")
    parser.add_argument("--hours", type=float, help="the same in hours")
    parser.add_argument("--only", type=int, action="append", help="number of a promise; repeatable")
    parser.add_argument("--json", type=Path, default=Path("soak.json"), help="where the rows go")
    parser.add_argument("--page", type=Path, help="the page whose table is written anew")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
