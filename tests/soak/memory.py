"""13: a server that runs for long, and a log of any size."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from farthing.recommend.synthetic import synthesize
from tests.serve.loops import run as run_loop
from tests.serve.process import ServerProcess, serving
from tests.serve.traffic import Reply, open_loop
from tests.soak.load import RANKING, Capacity, measure_capacity
from tests.soak.models import make_model
from tests.soak.outcome import Budget, Outcome

MAX_MB_PER_HOUR, MAX_PREPARE_MB = 1.0, 1000.0
LOAD = 0.7
# The worst quarter of a second is to be this part of the mean, at least.
LEAST_STEADY = 0.7
# A slope takes minutes to tell a leak from the allocator's settling; shorter runs are judged by what they grew.
LEAST_S, MAX_GROWTH_MB = 300.0, 8.0
PREPARE = """
import sys
from pathlib import Path
from farthing.recommend.prepare import prepare
prepare([Path(sys.argv[1])], Path(sys.argv[2]))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].split()[0])  # of this program alone; ru_maxrss would count the one that started it
"""


def long_runs_stay_flat(budget: Budget, folder: Path) -> Outcome:
    """A server at 70 % of its capacity, watched; and the peak memory of preparing a log.

    That of its worst quarter of a second: a shared machine is at times half as fast as at others, and 70 % of the mean
    would then be more than it can answer.
    """
    seconds = 0.8 * budget.seconds
    with serving(make_model(folder)) as server:
        capacity = run_loop(measure_capacity(server, max(1.0, seconds / 20)))
        samples, replies = run_loop(_watched(server, LOAD * capacity.lowest, seconds))
    rows = max(20_000, int(3_000 * budget.seconds))
    outcome = judge_memory(seconds, samples, replies, rows=rows, peak_mb=prepare_peak(folder, rows))
    load, is_load = judge_load(capacity)
    return Outcome(f"{load}: {outcome.figure}", outcome.kept and is_load)


def judge_load(capacity: Capacity) -> tuple[str, bool]:
    """What a server was asked, and whether that says anything: not where the machine stood still for a while."""
    rate = LOAD * capacity.lowest
    share = rate / capacity.mean
    said = f"{rate:,.0f} requests/s, {LOAD:.0%} of the worst quarter of a second and {share:.0%} of the mean"
    is_load = capacity.lowest >= LEAST_STEADY * capacity.mean
    return said if is_load else f"{said}, which is too little to be put to the test", is_load


def judge_memory(
    seconds: float, samples: list[tuple[float, float]], replies: list[Reply], *, rows: int, peak_mb: float
) -> Outcome:
    """What the memory of a server, in (hours, megabytes), and that of preparing so many rows came to."""
    errors = sum(reply.status != 200 for reply in replies)
    hours, megabytes = (np.array(column) for column in zip(*samples[len(samples) // 3 :], strict=True))
    slope = float(np.polyfit(hours, megabytes, 1)[0]) if len(hours) > 2 else 0.0
    grown = float(megabytes[-1] - megabytes[0])
    figure = (
        f"{seconds:,.0f} s, {len(replies):,} requests, {errors} errors: {megabytes[-1]:.0f} MB, "
        f"{grown:+.1f} MB in the last two thirds, a slope of {slope:+.2f} MB/h; "
        f"preparing {rows:,} rows: {peak_mb:.0f} MB"
    )
    is_flat = slope < MAX_MB_PER_HOUR if seconds >= LEAST_S else grown <= MAX_GROWTH_MB
    return Outcome(figure, is_flat and not errors and peak_mb <= MAX_PREPARE_MB)


async def _watched(server: ServerProcess, rate: float, seconds: float) -> tuple[list[tuple[float, float]], list[Reply]]:
    """(hours, megabytes of resident memory) while requests come, and their replies."""
    process, start = psutil.Process(server.process.pid), time.monotonic()
    samples: list[tuple[float, float]] = []
    asking = asyncio.create_task(open_loop(server.port, RANKING, rate=rate, seconds=seconds))
    while not asking.done():
        samples.append(((time.monotonic() - start) / 3600, process.memory_info().rss / 1e6))
        await asyncio.sleep(min(1.0, seconds / 20))
    return samples, await asking


def prepare_peak(folder: Path, rows: int) -> float:
    """Megabytes of resident memory of `prepare` on a synthetic log, at most."""
    log = folder / "log.tsv"
    synthesize(rows, 0, log)
    command = [sys.executable, "-c", PREPARE, str(log), str(folder / "prepared")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(ran.stdout) * 1024 / 1e6
