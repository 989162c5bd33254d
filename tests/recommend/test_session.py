from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from farthing.base.errors import ConfigError
from farthing.recommend.dataset import Dataset
from farthing.recommend.session import Session
from farthing.recommend.tune import CANDIDATES
from farthing.train.task import NoProgress
from tests.recommend import small

SETTINGS = [*small.SETTINGS, "train.fit.max_epochs=1", "train.batch_size=256"]

NewSession = Callable[..., Session]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def session(ids_only: Dataset, tmp_path: Path, said: list[str]) -> NewSession:
    def make(*settings: str, out: str = "out", min_count: int | None = None) -> Session:
        return Session(
            ids_only.folder, tmp_path / out, [*SETTINGS, *settings], min_count, 1, lambda _: NoProgress(), said.append
        )

    return make


def min_count_of(run: Path) -> int:
    return int(json.loads((run / "run.json").read_text())["config"]["min_count"])


def test_a_given_cut_is_taken(session: NewSession, tmp_path: Path, said: list[str]) -> None:
    session(min_count=7).train("fp32", seed=0, init=None, teacher=None, resume=False)
    assert min_count_of(tmp_path / "out") == 7
    assert said == []


def test_else_it_is_chosen_on_validation_and_said(
    session: NewSession, tmp_path: Path, said: list[str], trainings: small.TrainsHere
) -> None:
    session().train("int4", seed=0, init=None, teacher=None, resume=False)
    chosen = min_count_of(tmp_path / "out")
    assert chosen in CANDIDATES
    assert said[0].startswith(f"min-count {chosen} chosen by the validation AUC of FP32 (1: 0.")
    assert trainings.titles


def test_a_resumed_or_continued_run_keeps_its_cut(
    session: NewSession, tmp_path: Path, trainings: small.TrainsHere
) -> None:
    first = session(min_count=4).train("fp32", seed=0, init=None, teacher=None, resume=False)
    assert session().train("fp32", seed=0, init=None, teacher=None, resume=True) == first
    session(out="next").train("fp32", seed=0, init=tmp_path / "out", teacher=None, resume=False)
    assert min_count_of(tmp_path / "next") == 4
    assert trainings.titles == []


def test_a_comparison_with_a_report(session: NewSession, tmp_path: Path, trainings: small.TrainsHere) -> None:
    rows = session(min_count=2).compare(bits=[32], seeds=1)
    assert [row["name"] for row in rows] == ["fp32", "fp32-distilled", "fp32-unfiltered", "int4-ptq", "seed-binary"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "compare.csv",
        "compare.json",
        "curves.json",
        "models",
        "report.html",
        "runs",
    }
    data = json.loads((tmp_path / "out" / "curves.json").read_text())["data"]
    assert (data["min_count"], data["seeds"], data["settings"]) == (2, 1, SETTINGS)


@pytest.mark.parametrize(
    ("bits", "settings", "message"), [([3], [], "--bits takes"), ([4], ["model.depth=3"], "unknown setting")]
)
def test_a_comparison_checks_its_options_before_it_trains(
    session: NewSession, trainings: small.TrainsHere, bits: list[int], settings: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        session(*settings).compare(bits=bits, seeds=1)
    assert trainings.titles == []
