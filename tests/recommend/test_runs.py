from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from farthing.base.errors import ConfigError, FormatError
from farthing.recommend.dataset import Dataset
from farthing.recommend.runs import RunResult, load_run, measure, train_run
from farthing.train.folder import RunFolder
from farthing.train.interrupt import Interrupted
from tests.recommend import small

# Two epochs of 1,600 rows in batches of 64.
STEPS = 50


def without_times(result: RunResult) -> RunResult:
    history = [{name: value for name, value in line.items() if name != "seconds"} for line in result.history]
    return msgspec.structs.replace(result, train_seconds=0.0, rows_per_second=0.0, history=history)


def best_weights(folder: Path) -> bytes:
    return (folder / "best.safetensors").read_bytes()


class StopsAt:
    """A progress display in which something happens after one step."""

    def __init__(self, step: int, error: BaseException | None = None) -> None:
        self.steps, self.stop_at, self.error = 0, step, error

    def start(self, *, total_steps: int, step: int) -> None:
        self.steps = step

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        self.steps += steps
        if self.steps == self.stop_at:
            if self.error:
                raise self.error
            os.kill(os.getpid(), signal.SIGINT)

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.mark.parametrize("preset", ["fp32", "binary"])
def test_the_seed_decides_the_bits(mixed: Dataset, tmp_path: Path, preset: str) -> None:
    config = small.small_config(preset, mixed)
    results = [
        train_run(mixed, config, folder=tmp_path / name, seed=seed) for name, seed in [("a", 5), ("b", 5), ("c", 6)]
    ]
    assert without_times(results[0]) == without_times(results[1])
    assert best_weights(tmp_path / "a") == best_weights(tmp_path / "b") != best_weights(tmp_path / "c")


@pytest.mark.parametrize("step", [1, 7, 13])  # of 14
@pytest.mark.parametrize("error", [None, RuntimeError("the machine fell over")])
def test_an_interrupted_run_ends_with_the_same_bits(
    mixed: Dataset, tmp_path: Path, step: int, error: BaseException | None
) -> None:
    config = small.small_config("int4", mixed, "train.batch_size=256", "train.fit.checkpoint_seconds=0")
    whole = train_run(mixed, config, folder=tmp_path / "whole", seed=1)
    with pytest.raises(RuntimeError if error else Interrupted):
        train_run(mixed, config, folder=tmp_path / "run", seed=1, progress=StopsAt(step, error))
    result = train_run(mixed, config, folder=tmp_path / "run", seed=1, resume=True)
    assert without_times(result) == without_times(whole)
    assert best_weights(tmp_path / "run") == best_weights(tmp_path / "whole")


@pytest.mark.parametrize("shape", ["mixed", "ids_only"])
def test_learns_the_interaction(trained: small.Trainings, shape: str) -> None:
    result = msgspec.json.decode((trained(shape) / "result.json").read_bytes(), type=RunResult)
    assert result.test["auc"] > 0.8
    assert ("gauc" in result.test) == (shape == "mixed")
    assert result.epochs == 2
    assert [line["step"] for line in result.history] == [25, STEPS]


def test_a_finished_run_gives_its_result(mixed: Dataset, trained: small.Trainings) -> None:
    folder, config = trained("mixed"), small.small_config("fp32", mixed)
    before = best_weights(folder)
    again = train_run(mixed, config, folder=folder, seed=0, resume=True, progress=StopsAt(1, AssertionError("trained")))
    assert msgspec.to_builtins(again) == json.loads((folder / "result.json").read_text())
    assert best_weights(folder) == before


def test_the_loaded_run_is_what_was_measured(mixed: Dataset, trained: small.Trainings) -> None:
    folder = trained("mixed", "int2")
    model = load_run(folder)
    result = json.loads((folder / "result.json").read_text())
    assert measure(model, mixed, "test", table_rows=model.table_rows) == result["test"]
    valid = measure(model, mixed, "valid", table_rows=model.table_rows)
    assert {name: valid[name] for name in result["valid"]} == result["valid"]


def test_a_taken_folder_is_left_alone(mixed: Dataset, trained: small.Trainings) -> None:
    with pytest.raises(ConfigError, match=r"holds a run already; resume it \(--resume\) or choose another folder"):
        train_run(mixed, small.small_config("fp32", mixed), folder=trained("mixed"), seed=0)


@pytest.mark.parametrize(
    ("settings", "seed", "message"),
    [
        (["train.lr=0.03"], 0, "train.lr=0.02, now it is 0.03"),
        (["model.top=8"], 0, r"model.top=\[16, 16\], now it is \[8\]"),
        (["min_count=3"], 0, "min_count=1, now it is 3"),
        (["preset=mine"], 0, "preset='fp32', now it is 'mine'"),
        ([], 1, "seed=0, now it is 1"),
    ],
)
def test_resuming_says_which_setting_differs(
    mixed: Dataset, trained: small.Trainings, settings: list[str], seed: int, message: str
) -> None:
    config = small.small_config("fp32", mixed, *settings)
    with pytest.raises(ConfigError, match=message):
        train_run(mixed, config, folder=trained("mixed"), seed=seed, resume=True)


def test_resuming_on_other_data(mixed: Dataset, trained: small.Trainings, tmp_path: Path) -> None:
    other = small.prepare_frame(small.clicks(with_numbers=True, seed=1), tmp_path, group="user")
    with pytest.raises(ConfigError, match="other data"):
        train_run(other, small.small_config("fp32", mixed), folder=trained("mixed"), seed=0, resume=True)


def test_a_run_that_was_never_finished_cannot_be_loaded(mixed: Dataset, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="go on with --resume"):
        train_run(mixed, small.small_config("fp32", mixed), folder=tmp_path, seed=0, progress=StopsAt(3))
    with pytest.raises(FormatError, match=r"best\.safetensors"):
        load_run(tmp_path)


def test_a_damaged_checkpoint_is_refused(mixed: Dataset, tmp_path: Path) -> None:
    config = small.small_config("fp32", mixed)
    with pytest.raises(Interrupted):
        train_run(mixed, config, folder=tmp_path, seed=0, progress=StopsAt(3))
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(FormatError, match=r"checkpoint\.safetensors"):
        train_run(mixed, config, folder=tmp_path, seed=0, resume=True)


def test_the_files_of_a_run(trained: small.Trainings) -> None:
    folder = trained("mixed")
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.safetensors",
        "checkpoint.safetensors",
        "encoder.json",
        "metrics.jsonl",
        "result.json",
        "run.json",
        "vocabulary.json",
    ]
    assert RunFolder(folder, {}).best_weights()


def test_a_teacher_changes_what_is_learned_and_is_on_record(
    mixed: Dataset, trained: small.Trainings, tmp_path: Path
) -> None:
    config, teacher = small.small_config("int4", mixed), trained("mixed")
    taught = train_run(mixed, config, folder=tmp_path / "taught", seed=0, teacher=teacher)
    alone = train_run(mixed, config, folder=tmp_path / "alone", seed=0)
    assert taught.test["auc"] > 0.8
    assert taught.history[0]["train_loss"] != alone.history[0]["train_loss"]
    with pytest.raises(ConfigError, match="with another --teacher"):
        train_run(mixed, config, folder=tmp_path / "taught", seed=0, resume=True)
    assert train_run(mixed, config, folder=tmp_path / "taught", seed=0, teacher=teacher, resume=True) == taught


def test_a_teacher_reads_the_same_rows(mixed: Dataset, trained: small.Trainings, tmp_path: Path) -> None:
    config = small.small_config("int4", mixed, "min_count=3")
    with pytest.raises(ConfigError, match="train the teacher on the same data with the same --min-count"):
        train_run(mixed, config, folder=tmp_path / "run", seed=0, teacher=trained("mixed"))
    assert not (tmp_path / "run").exists()
