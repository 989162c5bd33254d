from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import torch
from typer.testing import CliRunner

from farthing import cli
from farthing.base.errors import ConfigError, KernelError
from farthing.recommend import bench, timing
from farthing.recommend.bench import BenchRow, bench_model, bench_row, best_peer, deviation, draw_batch
from farthing.recommend.modelfolder import ClickModel, export_run, load_model
from farthing.recommend.peers import engine
from farthing.recommend.peers.eager import on_batches
from farthing.recommend.peers.engine import Peer, Subject
from tests.recommend import small


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "MIN_REPEATS", 1)
    monkeypatch.setattr(timing, "SECONDS_PER_TURN", 0.0)
    monkeypatch.setattr(bench, "TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(bench, "SECONDS_PER_ENGINE", 0.0)


@pytest.fixture(scope="module")
def folder(trained: small.Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "int4"
    export_run(trained("mixed", "int4"), out)
    return out


@pytest.fixture
def model(folder: Path) -> ClickModel:
    return load_model(folder)


def fake_peer(monkeypatch: pytest.MonkeyPatch, *, shift: float = 0.0) -> Peer:
    """A peer of two variants: one right, one that is off by `shift`."""

    def build(subject: Subject) -> dict[str, Any]:  # Any: networks
        right = on_batches(subject.plain)
        return {"right": right, "shifted": lambda batch: lambda: right(batch)() + shift}

    module = ModuleType("fake_peer")
    module.build = build  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_peer", module)
    return Peer(module="fake_peer", tolerance=1e-3)


def test_every_engine_has_a_row_for_every_batch_and_number_of_threads(
    model: ClickModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    peers = {"fake": fake_peer(monkeypatch)}
    threads = torch.get_num_threads()
    result = bench_model(model, peers=peers, batches=[1, 3, 1], threads=[1, 2], seconds=0.0, progress=told.append)
    places = [(row.threads, row.batch, row.engine) for row in result.rows]
    assert places == [(t, b, e) for t in (1, 2) for b in (1, 3) for e in ("farthing", "fake")]
    for row in result.rows:
        assert (row.work, row.bits) == ("model", 4)
        assert 0 < row.p10_us <= row.median_us <= row.p90_us
        assert row.rows_per_second * row.median_us == pytest.approx(1e6 * row.batch)
    assert told == [f"{what}, {n} threads" for n in (1, 2) for what in ("loading", "batch 1", "batch 3")]
    assert torch.get_num_threads() == threads


def test_a_row_has_the_fields_that_scripts_read() -> None:
    row = bench_row([1e-6, 2e-6, 3e-6], work="bags", bits=1, batch=32, threads=1, engine="fbgemm")
    assert msgspec.to_builtins(row) == {
        "work": "bags",
        "bits": 1,
        "batch": 32,
        "threads": 1,
        "engine": "fbgemm",
        "median_us": pytest.approx(2.0),
        "p10_us": pytest.approx(1.2),
        "p90_us": pytest.approx(2.8),
        "rows_per_second": pytest.approx(16e6),
    }


def test_a_variant_with_wrong_logits_is_not_timed(model: ClickModel, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = {"fake": fake_peer(monkeypatch, shift=5.0)}
    result = bench_model(model, peers=peers, batches=[2], threads=[1], seconds=0.0)
    assert result.variants["fake", 2, 1] == "right"
    assert result.deviations["fake"] == 0.0
    assert result.deviations["farthing"] < 1e-2


def test_an_engine_with_wrong_logits_ends_the_run(model: ClickModel, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("wrong_peer")
    module.build = lambda _: {"zeros": lambda batch: lambda: torch.full((batch.num_rows,), torch.nan)}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wrong_peer", module)
    peers = {"wrong": Peer(module="wrong_peer", tolerance=0.25)}
    with pytest.raises(KernelError, match="wrong: its logits are nan standard deviations from the model's"):
        bench_model(model, peers=peers, batches=[1], threads=[1], seconds=0.0)


@pytest.mark.parametrize(
    ("batches", "threads", "option"), [([0], [1], "--batch"), ([], [1], "--batch"), ([1], [0], "--threads")]
)
def test_counts_below_one_are_refused(model: ClickModel, batches: list[int], threads: list[int], option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option} takes whole numbers from 1 on"):
        bench_model(model, peers={}, batches=batches, threads=threads)


def test_drawn_rows_are_within_their_tables_and_frequent_ids_come_first(model: ClickModel) -> None:
    batch = draw_batch(model.network, 4000)
    ids = batch.indices.view(4000, -1) - torch.tensor(model.network.table_starts)
    assert batch.is_single_valued
    assert int(ids.min()) == 0
    assert (ids.amax(0) < torch.tensor(model.network.table_rows)).all()
    # P(id < 1) = log 2 / log(n + 1)
    expected = torch.tensor(2.0).log() / (torch.tensor(model.network.table_rows) + 1.0).log()
    assert ((ids == 0).float().mean(0) - expected).abs().max() < 0.03
    assert torch.equal(batch.indices, draw_batch(model.network, 4000).indices)


def test_deviation_is_in_standard_deviations() -> None:
    wanted = torch.tensor([-1.0, 1.0]) * 3
    assert deviation(wanted + 1, wanted) == pytest.approx(1 / (3 * 2**0.5))


def test_the_best_peer_is_the_fastest_at_the_same_work() -> None:
    def row(engine: str, median: float, batch: int = 1) -> BenchRow:
        return bench_row([median], work="model", bits=4, batch=batch, threads=1, engine=engine)

    own = row("farthing", 1.0)
    rows = [own, row("slow", 3.0), row("fast", 2.0), row("elsewhere", 0.5, batch=2)]
    found = best_peer(rows, own)
    assert found is not None
    assert found.engine == "fast"
    assert best_peer([own], own) is None


def run(*arguments: object) -> Any:  # Any: typer does not export the type of its result
    return CliRunner().invoke(cli.app, ["recommend", "bench", *map(str, arguments)])


def test_the_command_prints_ratios_writes_json_and_names_what_is_absent(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Peer(module="nowhere", packages=("no_such_package",), install="gone==1.0", tolerance=1.0)
    monkeypatch.setattr(engine, "PEERS", {"gone": gone, "fake": fake_peer(monkeypatch)})
    out = tmp_path / "bench.json"
    result = run(folder, "--peers", "fake,gone", "--batch", "1,2", "--threads", 1, "--json", out)
    assert result.exit_code == 0, result.output
    assert f"gone: left out, it is not installed: {sys.executable} -m pip install gone==1.0" in result.stderr
    assert "one thread" in result.stdout
    assert "times as fast as fake" in result.stdout
    rows = json.loads(out.read_text())
    assert [(row["batch"], row["engine"]) for row in rows] == [
        (batch, name) for batch in (1, 2) for name in ("farthing", "fake")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch", "1,many"], "--batch takes whole numbers from 1 on, such as 1,256, got '1,many'"),
        (["--threads", "0"], "--threads takes whole numbers from 1 on, got 1, 0"),
        (["--peers", "none"], "--peers takes torch, torch-int8, onnxruntime, fbgemm, got 'none'"),
    ],
)
def test_wrong_options_are_one_message(folder: Path, options: list[str], message: str) -> None:
    result = run(folder, *options)
    assert result.exit_code == 2
    assert message in result.stderr
