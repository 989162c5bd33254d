"""8 and 9: more requests than a server can answer, and servers that are stopped or get another model meanwhile."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from farthing.lowbit.folders import replaced_folder
from tests.serve.loops import run as run_loop
from tests.serve.process import WAIT_S, ServerProcess, serving
from tests.serve.traffic import Reply, Traffic, closed_loop, during, open_loop, percentile, post
from tests.soak.models import make_model
from tests.soak.outcome import Budget, Outcome

NUM_CANDIDATES = 100
RANKING = post(
    json.dumps({"context": {"user": 3}, "candidates": [{"item": f"item-{i}"} for i in range(NUM_CANDIDATES)]}).encode()
)
ROW = post(b'{"rows": [{"user": 3, "item": "item-1", "price": 2.5}]}')
WINDOW_S = 0.25
MAX_SLOWDOWN, MAX_SHED_S, MAX_RECOVERY_S, MAX_DRAIN_S = 3.0, 0.020, 2.0, 10.0


def overload_degrades(budget: Budget, folder: Path) -> Outcome:
    """Twice what the server answers with nobody turned away; the latency is compared with that at half of it."""
    seconds = budget.seconds / 4
    with serving(make_model(folder)) as server:
        capacity = run_loop(measure_capacity(server, seconds)).mean
        unloaded = run_loop(open_loop(server.port, RANKING, rate=capacity / 2, seconds=seconds))
        loaded = run_loop(open_loop(server.port, RANKING, rate=2 * capacity, seconds=2 * seconds))
        recovered_s = _recovery(server)
    return judge_overload(capacity, unloaded, loaded, recovered_s)


@dataclass(frozen=True)
class Capacity:
    """Requests per second that a server answered: on the average, and in the worst quarter of a second."""

    mean: float
    lowest: float


async def measure_capacity(server: ServerProcess, seconds: float) -> Capacity:
    """Of a few clients that ask again as soon as they are answered."""
    traffic, start = Traffic(), time.monotonic()
    asking = asyncio.create_task(closed_loop(traffic, server.port, RANKING, clients=8))
    await asyncio.sleep(seconds)
    traffic.is_over = True
    await asking
    return judge_capacity([reply.at - start for reply in traffic.replies if reply.status == 200], seconds)


def judge_capacity(answered: list[float], seconds: float) -> Capacity:
    """Args: answered: when each request was, in seconds from the start; seconds: for which they were counted."""
    windows = [0] * max(1, int(seconds / WINDOW_S))
    for at in answered:
        if at < len(windows) * WINDOW_S:
            windows[int(at / WINDOW_S)] += 1
    return Capacity(len(answered) / seconds, min(windows) / min(WINDOW_S, seconds))


def _recovery(server: ServerProcess) -> float:
    """Seconds until a request is answered again."""
    start = time.monotonic()
    with httpx.Client(base_url=server.url, timeout=WAIT_S) as client:
        while client.post("/v1/score", json={"rows": [{}]}).status_code != 200:
            time.sleep(0.01)
    return time.monotonic() - start


def judge_overload(capacity: float, unloaded: list[Reply], loaded: list[Reply], recovered_s: float) -> Outcome:
    """What an overload came to."""
    accepted = [reply for reply in loaded if reply.status == 200]
    shed = [reply for reply in loaded if reply.status == 503 and b"retry-after" in reply.headers]
    others = len(loaded) - len(accepted) - len(shed)
    before, after = (1000 * percentile(replies, 0.99) for replies in (unloaded, accepted))
    shed_ms = 1000 * percentile(shed, 0.99) if shed else 0.0
    figure = (
        f"{capacity:,.0f} requests/s of {NUM_CANDIDATES} candidates; at twice that, of {len(loaded):,} requests "
        f"{len(shed) / max(len(loaded), 1):.0%} were shed with 503 + Retry-After (p99 {shed_ms:.0f} ms), {others} "
        f"ended otherwise; p99 of accepted {after:.0f} ms, {before:.0f} ms at half load; recovered in "
        f"{recovered_s:.2f} s"
    )
    is_quick = after <= MAX_SLOWDOWN * before and shed_ms <= 1000 * MAX_SHED_S
    return Outcome(figure, is_quick and not others and bool(accepted) and recovered_s <= MAX_RECOVERY_S)


def drain_and_reload_lose_nothing(budget: Budget, folder: Path) -> Outcome:
    """Models take turns under load, bad ones among them; then servers are stopped under load."""
    models = [make_model(folder, seed=seed) for seed in (0, 1)]
    reloaded = _reload(models, folder / "served", budget.seconds / 2)
    drained = _drain(models[0], budget, budget.seconds / 2)
    return Outcome(f"{reloaded.figure}; {drained.figure}", reloaded.kept and drained.kept)


def _reload(models: list[Path], served: Path, seconds: float) -> Outcome:
    shutil.copytree(models[0], served)
    counts = {"loaded": 0, "refused": 0}
    traffic = Traffic()
    with serving(served) as server, httpx.Client(base_url=server.url, timeout=WAIT_S) as client:
        end = time.monotonic() + seconds

        def replace() -> None:
            while sum(counts.values()) < 5 or time.monotonic() < end:
                kind = "refused" if sum(counts.values()) % 5 == 4 else "loaded"
                _put(models[counts["loaded"] % 2], served, is_bad=kind == "refused")
                counts[kind] += 1
                server.process.send_signal(signal.SIGHUP)
                _wait_for(client, f'farthing_reloads_total{{result="{kind}"}}', counts[kind])

        run_loop(during(traffic, server.port, ROW, clients=4, act=replace))
    hashes = {msgspec.json.decode(reply.body)["model"] for reply in traffic.replies if reply.status == 200}
    errors = len(traffic.replies) - traffic.num(200)
    figure = (
        f"{counts['loaded']} reloads and {counts['refused']} refused bad models under {len(traffic.replies):,} "
        f"requests: {errors} errors, {len(hashes)} models named"
    )
    return Outcome(figure, not errors and len(hashes) == 2)


def _put(model: Path, served: Path, *, is_bad: bool) -> None:
    """Replaces the served folder in one step, as `export` does; a bad one has a damaged tensor."""
    with replaced_folder(served, marker="SHA256SUMS") as temporary:
        for path in model.iterdir():
            shutil.copyfile(path, temporary / path.name)
        if is_bad:
            tensors = temporary / "model.safetensors"
            tensors.write_bytes(tensors.read_bytes()[:-1])


def _wait_for(client: httpx.Client, name: str, least: int) -> None:
    """Waits until a counter has reached a number: the watch on the folder may have loaded it once more."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        lines = client.get("/metrics").text.splitlines()
        if any(line.startswith(name) and float(line.split()[-1]) >= least for line in lines):
            return
        time.sleep(0.005)
    raise TimeoutError(f"{name} did not reach {least}")


def _drain(model: Path, budget: Budget, seconds: float) -> Outcome:
    num_stops, slowest, traffic = 0, 0.0, Traffic()
    codes: set[int] = set()
    for _ in Budget(seconds, budget.random).rounds():
        with serving(model) as server:

            def stop(server: ServerProcess = server) -> None:
                time.sleep(budget.random.uniform(0.2, 0.6))
                server.process.terminate()

            one, start = Traffic(), time.monotonic()
            run_loop(_until_stopped(one, server, stop))
            codes.add(server.process.wait(WAIT_S))
            slowest = max(slowest, time.monotonic() - start)
        traffic.replies += one.replies
        num_stops += 1
    lost = sum(reply.status not in {200, 503} and reply.seconds > 0 for reply in traffic.replies)
    figure = (
        f"{num_stops} SIGTERMs under {len(traffic.replies):,} requests: {lost} unanswered, exit within {slowest:.1f} s"
    )
    return Outcome(figure, not lost and codes == {0} and slowest <= MAX_DRAIN_S)


async def _until_stopped(traffic: Traffic, server: ServerProcess, stop: object) -> None:
    assert callable(stop)
    await during(traffic, server.port, ROW, clients=4, act=stop)
