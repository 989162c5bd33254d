"""The frozen files: they read as stated, are written back to the same bytes, and torch is not needed to read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from farthing.lowbit.artifact import load_artifact, save_artifact, verify_artifact
from farthing.lowbit.packing import pack, unpack
from farthing.lowbit.state import packed_state, restore
from tests.golden import make

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FILES = sorted(path.name for path in (GOLDEN / "model").iterdir())


@pytest.mark.parametrize("row", make.packed_rows(), ids=lambda row: f"{row['bits']}x{len(row['codes'])}")
def test_frozen_rows(row: dict[str, object]) -> None:
    assert row in json.loads((GOLDEN / "packed_rows.json").read_text())
    codes = torch.tensor([row["codes"]], dtype=torch.uint8).reshape(1, -1)
    packed = pack(codes, row["bits"])  # type: ignore[arg-type]
    assert packed.numpy().tobytes().hex() == row["packed"]
    assert torch.equal(unpack(packed, row["bits"], codes.shape[1]), codes)  # type: ignore[arg-type]


def test_the_frozen_folder_is_what_the_formulas_make(tmp_path: Path) -> None:
    make.make(tmp_path)
    for name in ("expected.json", "packed_rows.json", *(f"model/{name}" for name in FILES)):
        assert (tmp_path / name).read_bytes() == (GOLDEN / name).read_bytes(), name


def test_the_frozen_folder_is_written_back_to_the_same_bytes(tmp_path: Path) -> None:
    artifact = load_artifact(GOLDEN / "model")
    assert verify_artifact(GOLDEN / "model") == []
    model = restore(make.skeleton(), artifact.config["layers"], artifact.tensors)
    layers, tensors = packed_state(model)
    save_artifact(tmp_path / "model", config={"layers": layers}, tensors=tensors, files=artifact.files)
    for name in FILES:
        assert (tmp_path / "model" / name).read_bytes() == (GOLDEN / "model" / name).read_bytes(), name


@pytest.mark.parametrize("name", list(make.DESCRIPTIONS))
def test_layers_give_the_answers_that_the_format_prescribes(name: str) -> None:
    artifact = load_artifact(GOLDEN / "model")
    model = restore(make.skeleton(), artifact.config["layers"], artifact.tensors)
    layer: Any = model.get_submodule(name)
    answers = torch.tensor(json.loads((GOLDEN / "expected.json").read_text())[name])
    ends = torch.tensor([0, 2, 2, 5, 6])
    indices = torch.tensor([index for bag in make.BAGS for index in bag])
    inputs = {
        "linear": lambda: layer(torch.tensor(make.INPUTS)),
        "conv2d": lambda: layer(torch.tensor([make.IMAGE]))[0],
        "embedding": lambda: layer(torch.arange(11)),
        "embedding_bag": lambda: layer(indices, ends if layer.description.include_last_offset else ends[:-1]),
    }
    out = inputs[artifact.config["layers"][name]["type"]]()
    # Integer sums are exact; a scale, a bias and at most 9 float terms are rounded to float32 (2**-24 each).
    assert torch.allclose(out, answers, rtol=1e-6, atol=1e-6)
