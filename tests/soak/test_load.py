"""Small forms of overload and of memory under load, which a busy machine can hold too, and how figures are judged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.serve.loops import run as run_loop
from tests.serve.process import serving
from tests.serve.traffic import Reply, Traffic, closed_loop, open_loop
from tests.soak.load import RANKING, Capacity, judge_capacity, judge_overload
from tests.soak.memory import LEAST_S, MAX_GROWTH_MB, MAX_PREPARE_MB, judge_load, judge_memory, prepare_peak
from tests.soak.models import make_model

SHED = b"http/1.1 503 service unavailable\r\nretry-after: 1"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.mark.slow
def test_more_requests_than_a_server_takes_are_answered_or_turned_away_politely(model: Path) -> None:
    with serving(model) as server:
        replies = run_loop(open_loop(server.port, RANKING, rate=4000, seconds=1.0))
        after = run_loop(open_loop(server.port, RANKING, rate=5, seconds=1.0))
    assert {reply.status for reply in replies} == {200, 503}
    assert all(b"retry-after" in reply.headers for reply in replies if reply.status == 503)
    assert [reply.status for reply in after] == [200] * len(after)


@pytest.mark.slow
def test_the_memory_of_a_server_stays_where_it_is(model: Path) -> None:
    async def ask(port: int, seconds: float) -> None:
        traffic = Traffic()
        asking = asyncio.create_task(closed_loop(traffic, port, RANKING, clients=4))
        await asyncio.sleep(seconds)
        traffic.is_over = True
        await asking
        assert traffic.num(200) == len(traffic.replies) > 0

    with serving(model) as server:
        run_loop(ask(server.port, 1.0))
        process = psutil.Process(server.process.pid)
        before = process.memory_info().rss
        run_loop(ask(server.port, 1.5))
        assert (process.memory_info().rss - before) / 1e6 <= MAX_GROWTH_MB


@pytest.mark.slow
def test_preparing_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    assert prepare_peak(tmp_path, 20_000) <= MAX_PREPARE_MB


def accepted(milliseconds: float) -> list[Reply]:
    return [Reply(200, milliseconds / 1000, 0.0)] * 100


def shed(milliseconds: float) -> list[Reply]:
    return [Reply(503, milliseconds / 1000, 0.0, headers=SHED)] * 100


@pytest.mark.parametrize(
    ("loaded", "recovered_s", "kept"),
    [
        (accepted(29) + shed(19), 1.9, True),
        (accepted(29), 0.1, True),
        (accepted(31) + shed(19), 0.1, False),
        (accepted(29) + shed(21), 0.1, False),
        (accepted(29) + shed(19), 2.1, False),
        (shed(1), 0.1, False),
        ([*accepted(29), Reply(0, 0.01, 0.0)], 0.1, False),
        ([*accepted(29), Reply(503, 0.01, 0.0)], 0.1, False),  # without Retry-After
    ],
)
def test_overload_is_judged_by_latency_and_by_how_requests_are_turned_away(
    loaded: list[Reply], recovered_s: float, kept: bool
) -> None:
    assert judge_overload(500.0, accepted(10), loaded, recovered_s).kept == kept


def test_a_capacity_has_a_mean_and_a_worst_quarter_of_a_second() -> None:
    capacity = judge_capacity([0.0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.9, 0.99], 1.0)
    assert (capacity.mean, capacity.lowest) == (8.0, 4.0)
    assert judge_capacity([0.05], 0.1).lowest == 10.0
    assert judge_capacity([], 1.0).lowest == 0.0
    assert judge_capacity([0.1, 0.3, 0.55], 0.5).mean == 6.0


@pytest.mark.parametrize(
    ("mb_per_hour", "status", "peak_mb", "kept"),
    [(0.5, 200, 999, True), (1.5, 200, 999, False), (0.5, 503, 999, False), (0.5, 200, 1001, False)],
)
def test_memory_is_judged_by_its_slope(mb_per_hour: float, status: int, peak_mb: float, kept: bool) -> None:
    hours = [number / 100 for number in range(100)]
    samples = [(hour, 500 + mb_per_hour * hour) for hour in hours]
    replies = [Reply(status, 0.01, 0.0)]
    assert judge_memory(LEAST_S, samples, replies, rows=1, peak_mb=peak_mb).kept == kept


def test_a_load_is_none_where_the_machine_stood_still() -> None:
    assert judge_load(Capacity(1000.0, 700.0)) == (
        "490 requests/s, 70% of the worst quarter of a second and 49% of the mean",
        True,
    )
    said, is_load = judge_load(Capacity(1000.0, 690.0))
    assert said.endswith("48% of the mean, which is too little to be put to the test")
    assert not is_load


def test_a_short_run_is_judged_by_what_it_grew() -> None:
    samples = [(number / 3600, 500 + number * MAX_GROWTH_MB / 50) for number in range(100)]
    assert not judge_memory(100.0, samples, [], rows=1, peak_mb=1).kept
    assert judge_memory(100.0, samples[:60], [], rows=1, peak_mb=1).kept
