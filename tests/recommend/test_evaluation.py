from __future__ import annotations

import json
from pathlib import Path

import pytest

from farthing.base.errors import ConfigError, FormatError
from farthing.recommend.dataset import Dataset
from farthing.recommend.evaluation import evaluate_folder
from farthing.recommend.modelfolder import export_run
from tests.recommend import small


def test_a_run_gives_what_its_training_measured(mixed: Dataset, trained: small.Trainings) -> None:
    result = json.loads((trained("mixed") / "result.json").read_text())
    assert evaluate_folder(trained("mixed"), mixed.folder, "test") == result["test"]


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_model_measures_like_its_run(mixed: Dataset, trained: small.Trainings, tmp_path: Path, split: str) -> None:
    run = trained("mixed", "int4")
    export_run(run, tmp_path / "model")
    there = evaluate_folder(tmp_path / "model", mixed.folder, split)
    assert there == pytest.approx(evaluate_folder(run, mixed.folder, split), abs=1e-3)


def test_a_folder_that_is_neither(mixed: Dataset, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"neither a run \(it has no run\.json\) nor a model folder"):
        evaluate_folder(tmp_path, mixed.folder, "test")


def test_a_split_that_there_is_not(mixed: Dataset, trained: small.Trainings) -> None:
    with pytest.raises(ConfigError, match="split is one of train, valid, test, not 'dev'"):
        evaluate_folder(trained("mixed"), mixed.folder, "dev")
