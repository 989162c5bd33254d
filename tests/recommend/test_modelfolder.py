from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import safetensors.torch
import torch

from farthing.base.errors import FormatError
from farthing.lowbit import native
from farthing.lowbit.artifact import load_artifact, save_artifact, verify_artifact
from farthing.recommend.config import ModelConfig
from farthing.recommend.cost import embedding_bytes
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.metrics import evaluate
from farthing.recommend.modelfolder import export_run, load_model, packed_bytes, save_model
from farthing.recommend.precision import build_model
from farthing.recommend.presets import PRESETS, seed_binary
from farthing.recommend.runs import load_run
from farthing.recommend.task import probabilities
from tests.recommend import small

SHAPES = ("mixed", "ids_only")

# Folding a norm into its layer rounds float32 anew: about 1e-6 of a logit around 1. Where that moves an activation over
# the border of two codes, a row differs by one step of that activation; it happens to less than one row in a hundred.
ROUNDING_BOUND, SHARE_OF_STEPS, STEP_BOUND = 1e-5, 0.01, 0.1


@pytest.fixture
def model_folder(trained: small.Trainings, tmp_path: Path) -> Path:
    export_run(trained("mixed", "int4"), tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("preset", PRESETS)
def test_the_packed_model_answers_as_the_trained_one(
    request: pytest.FixtureRequest, trained: small.Trainings, tmp_path: Path, preset: str, shape: str
) -> None:
    dataset: Dataset = request.getfixturevalue(shape)
    run = trained(shape, preset)
    export_run(run, tmp_path / "model")
    model, packed = load_run(run), load_model(tmp_path / "model").network
    there = probabilities(packed, dataset, "test", table_rows=packed.table_rows)
    here = probabilities(model, dataset, "test", table_rows=model.table_rows)
    distance = np.abs(np.log(there / (1 - there)) - np.log(here / (1 - here)))
    assert np.mean(distance > ROUNDING_BOUND) <= SHARE_OF_STEPS
    assert np.max(distance) < STEP_BOUND
    label = dataset.labels("test")
    assert evaluate(label, there)["auc"] == pytest.approx(evaluate(label, here)["auc"], abs=1e-3)


def test_there_and_back(model_folder: Path, trained: small.Trainings, mixed: Dataset, tmp_path: Path) -> None:
    model = load_model(model_folder)
    run = json.loads((trained("mixed", "int4") / "run.json").read_text())
    result = json.loads((trained("mixed", "int4") / "result.json").read_text())
    assert json.loads(msgspec.json.encode(model.description.settings)) == run["config"]
    assert model.description.metrics == {"valid": result["valid"], "test": result["test"]}
    assert model.encoder.table_rows == model.network.table_rows == tuple(run["table_rows"])
    batch = next(mixed.batches("test", table_rows=model.network.table_rows, batch_size=50, shuffle_seed=None))
    probability = model.predict(batch)
    assert (probability.dtype, probability.shape) == (torch.float64, (50,))
    assert not model.network.training
    assert verify_artifact(model_folder) == []


def test_exporting_leaves_the_run_and_gives_the_same_bytes_again(
    model_folder: Path, trained: small.Trainings, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in trained("mixed", "int4").iterdir()}
    export_run(trained("mixed", "int4"), tmp_path / "again")
    for path in model_folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
    assert {path.name: path.read_bytes() for path in trained("mixed", "int4").iterdir()} == before


def test_saving_leaves_the_model_as_it_was(trained: small.Trainings, tmp_path: Path) -> None:
    run = trained("mixed", "binary")
    model = load_run(run)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    config = seed_binary()
    save_model(tmp_path / "model", model, config, RowEncoder.load(run), metrics={})
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_folder_holds_known_files_and_none_is_a_pickle(model_folder: Path) -> None:
    names = {path.name for path in model_folder.iterdir()}
    assert names == {
        "SHA256SUMS",
        "README.md",
        "config.json",
        "encoder.json",
        "model.safetensors",
        "vocabulary.json",
    }
    for path in model_folder.iterdir():
        assert not path.read_bytes().startswith((b"\x80\x02", b"\x80\x04", b"\x80\x05", b"PK"))


@pytest.mark.parametrize("preset", PRESETS)
def test_codes_take_exactly_their_bits(mixed: Dataset, trained: small.Trainings, tmp_path: Path, preset: str) -> None:
    """What the table calls embedding_mb is the size of the tensors in the file."""
    export_run(trained("mixed", preset), tmp_path / "model")
    tensors = safetensors.torch.load_file(tmp_path / "model" / "model.safetensors")
    model = load_run(trained("mixed", preset))
    bits = PRESETS[preset]().precision.embedding
    embedding = [value for name, value in tensors.items() if name.startswith("embedding.")]
    stored = sum(value.nbytes for value in embedding if value.dtype in (torch.uint8, torch.float32))
    assert stored == embedding_bytes(model, bits)


def test_fewer_bits_are_fewer_bytes(tmp_path: Path, trained: small.Trainings) -> None:
    """At a size where the weights outweigh their description."""
    encoder = RowEncoder.load(trained("ids_only"))
    sizes = []
    for preset, make in PRESETS.items():
        config = make()
        model = build_model(
            num_dense=0, table_rows=encoder.table_rows, model=ModelConfig(), precision=config.precision
        ).eval()
        with torch.no_grad():
            model(torch.zeros(2, 0), torch.tensor([0, 42, 1, 43]), torch.arange(5))
        save_model(tmp_path / preset, model, config, encoder, metrics={})
        sizes.append(packed_bytes(tmp_path / preset))
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    assert sizes[0] > 2 * sizes[2]


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    return content[:40] + bytes([content[40] ^ 1]) + content[41:]


@pytest.mark.parametrize("damage", [truncated, flipped])
def test_every_file_is_guarded(model_folder: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    for name in sorted(path.name for path in model_folder.iterdir()):
        folder = tmp_path / name
        shutil.copytree(model_folder, folder)
        (folder / name).write_bytes(damage((folder / name).read_bytes()))
        with pytest.raises(FormatError, match=re.escape(name)):
            load_model(folder)


def test_a_missing_file_is_named(model_folder: Path) -> None:
    (model_folder / "vocabulary.json").unlink()
    with pytest.raises(FormatError, match=r"vocabulary\.json"):
        load_model(model_folder)


def test_a_model_of_another_application_is_refused(tmp_path: Path) -> None:
    save_artifact(tmp_path / "model", config={"application": "pages"}, tensors={"x": torch.zeros(1)})
    with pytest.raises(FormatError, match="holds a model of 'pages', not a recommender"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"preset": "int4", "color": "red"}},
        {"settings": None},
        {"num_dense": 3},
        {"num_dense": "two"},
        {"table_rows": [1, 2, 3]},
        {"table_rows": []},
        {"layers": {}},
        {"layers": {"embedding": "big"}},
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    model_folder: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    """Hashes are right, the content is wrong: what someone else's tool may write."""
    config = load_artifact(model_folder).config | change
    tensors = safetensors.torch.load_file(model_folder / "model.safetensors")
    files = {name: model_folder / name for name in ("encoder.json", "vocabulary.json", "README.md")}
    save_artifact(tmp_path / "other", config=config, tensors=tensors, files=files)
    with pytest.raises(FormatError):
        load_model(tmp_path / "other")


def test_a_table_that_is_too_short_for_its_ids_is_refused(model_folder: Path, tmp_path: Path) -> None:
    config = load_artifact(model_folder).config
    tensors = safetensors.torch.load_file(model_folder / "model.safetensors")
    config["layers"]["embedding"]["num_embeddings"] -= 1
    tensors["embedding.codes"] = tensors["embedding.codes"][:-1].clone()
    files = {name: model_folder / name for name in ("encoder.json", "vocabulary.json")}
    save_artifact(tmp_path / "other", config=config, tensors=tensors, files=files)
    with pytest.raises(FormatError, match="the layers do not fit each other"):
        load_model(tmp_path / "other")


@pytest.mark.parametrize("key", ["settings", "num_dense", "table_rows", "layers"])
def test_a_description_that_lacks_something_is_refused(model_folder: Path, tmp_path: Path, key: str) -> None:
    config = {name: value for name, value in load_artifact(model_folder).config.items() if name != key}
    tensors = safetensors.torch.load_file(model_folder / "model.safetensors")
    files = {name: model_folder / name for name in ("encoder.json", "vocabulary.json")}
    save_artifact(tmp_path / "other", config=config, tensors=tensors, files=files)
    with pytest.raises(FormatError, match=key):
        load_model(tmp_path / "other")


def test_a_run_that_is_not_finished_cannot_be_exported(trained: small.Trainings, tmp_path: Path) -> None:
    shutil.copytree(trained("mixed"), tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    with pytest.raises(FormatError, match=r"result\.json"):
        export_run(tmp_path / "run", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_the_card_says_what_the_model_is(model_folder: Path) -> None:
    text = (model_folder / "README.md").read_text()
    for part in ("preset int4", "price, age, user, item, tags", "ROC AUC", "GAUC", "in 4 bits", "MFLOPs per row"):
        assert part in text


def test_a_packed_model_is_scored_by_the_ranker_and_a_float_one_by_torch(
    model_folder: Path, trained: small.Trainings, mixed: Dataset, tmp_path: Path
) -> None:
    export_run(trained("mixed", "fp32"), tmp_path / "float")
    assert load_model(tmp_path / "float").ranker is None
    model = load_model(model_folder)
    batch = next(mixed.batches("test", table_rows=model.network.table_rows, batch_size=50, shuffle_seed=None))
    by_torch = dataclasses.replace(model, ranker=None)
    assert (model.ranker is None) == (native.extension() is None)
    torch.testing.assert_close(model.predict(batch), by_torch.predict(batch), rtol=0, atol=STEP_BOUND)
