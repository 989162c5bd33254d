"""The small data sets and their runs, made once per session."""

from __future__ import annotations

from functools import partial

import pytest

from farthing.recommend import compare, timing, tune
from farthing.recommend.dataset import Dataset
from tests.recommend import small


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Numbers, ids, a field of several values, and users as groups."""
    return small.prepare_frame(small.clicks(with_numbers=True), tmp_path_factory.mktemp("mixed"), group="user")


@pytest.fixture(scope="session")
def ids_only(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two fields of ids and nothing else."""
    return small.prepare_frame(small.clicks(with_numbers=False), tmp_path_factory.mktemp("ids_only"))


@pytest.fixture(scope="session")
def trained(mixed: Dataset, ids_only: Dataset, tmp_path_factory: pytest.TempPathFactory) -> small.Trainings:
    """`trained("mixed", "int4")` is the folder of a finished run."""
    return small.Trainings(tmp_path_factory.mktemp("runs"), {"mixed": mixed, "ids_only": ids_only})


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> small.TrainsHere:
    """Trainings happen in this process and are noted; nothing is timed for long."""
    trainings = small.TrainsHere()
    for module in (compare, tune):
        monkeypatch.setattr(module, "run_jobs", trainings)
    monkeypatch.setattr(timing, "MIN_REPEATS", 1)
    monkeypatch.setattr(compare, "time_models", partial(timing.time_models, seconds=0.0))
    return trainings
