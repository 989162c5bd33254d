"""State trees survive exactly, in a file that says when it is damaged."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from torch import nn

from farthing.base.errors import DataError, FormatError
from farthing.train import checkpoint
from farthing.train.checkpoint import (
    load_optimizer_state,
    load_rng_state,
    load_state,
    optimizer_state,
    rng_state,
    save_state,
    seed_all,
)
from farthing.train.sparse import RowAdam

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(codec="utf-8", exclude_characters="$"), min_size=1, max_size=8)
trees = st.recursive(
    scalars | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@given(tree=st.dictionaries(names, trees, max_size=4))
def test_scalars_survive_exactly(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object]) -> None:
    path = tmp_path_factory.mktemp("state") / "s.safetensors"
    save_state(path, tree)
    assert load_state(path) == tree


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (4, 5)])
def test_tensors_survive_exactly(tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    value = (10 * torch.randn(shape)).to(dtype)
    save_state(tmp_path / "s", {"a": {"b": [1, value]}})
    loaded = load_state(tmp_path / "s")["a"]["b"][1]
    assert loaded.dtype == dtype
    assert loaded.shape == value.shape
    assert torch.equal(loaded, value)


def test_strided_and_tied_tensors_are_saved(tmp_path: Path) -> None:
    matrix = torch.randn(4, 6)
    state = {"whole": matrix, "same": matrix, "transposed": matrix.T, "column": matrix[:, 2]}
    save_state(tmp_path / "s", state)
    loaded = load_state(tmp_path / "s")
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_equal_states_make_equal_files(tmp_path: Path) -> None:
    state = {"a": torch.arange(5), "b": {"c": torch.ones(2, 2), "d": 0.1}}
    for number in range(5):
        save_state(tmp_path / f"{number}", state)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_names_cannot_collide(tmp_path: Path) -> None:
    state = {"a/b": torch.tensor(1), "a": {"b": torch.tensor(2)}, "c": [torch.tensor(3)], "c/0": torch.tensor(4)}
    save_state(tmp_path / "s", state)
    loaded = load_state(tmp_path / "s")
    assert [int(loaded["a/b"]), int(loaded["a"]["b"]), int(loaded["c"][0]), int(loaded["c/0"])] == [1, 2, 3, 4]


def test_every_flipped_byte_and_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    save_state(path, {"weight": torch.randn(3), "step": 7})
    content = path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 7
        path.write_bytes(damaged)
        with pytest.raises(FormatError):
            load_state(path)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(FormatError):
            load_state(path)


def test_a_missing_or_foreign_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="none: not a checkpoint that can be read"):
        load_state(tmp_path / "none")
    (tmp_path / "text").write_text("not a checkpoint\n")
    with pytest.raises(FormatError, match="text: not a checkpoint that can be read"):
        load_state(tmp_path / "text")


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file/s: cannot be written"):
        save_state(tmp_path / "file" / "s", {})


@pytest.mark.parametrize("seed", [0, 5, 2**40 + 3])
def test_generators_go_on_where_they_were(tmp_path: Path, seed: int) -> None:
    def draw() -> tuple[list[float], list[float], list[float]]:
        return torch.rand(3).tolist(), np.random.standard_normal(3).tolist(), [random.gauss(0, 1)]  # noqa: NPY002

    seed_all(seed)
    first = draw()
    save_state(tmp_path / "s", rng_state())
    expected = draw()
    load_rng_state(load_state(tmp_path / "s"))
    assert draw() == expected
    seed_all(seed)
    assert draw() == first


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD", "Adagrad", "RMSprop", "SparseAdam", "RowAdam"])
def test_optimizers_go_on_where_they_were(tmp_path: Path, name: str) -> None:
    sparse = name in ("SparseAdam", "RowAdam")
    start = torch.randn(6, 3)

    def make() -> tuple[nn.Embedding, torch.optim.Optimizer]:
        table = nn.Embedding(6, 3, sparse=sparse, _weight=start.clone())
        if name == "RowAdam":
            return table, RowAdam(table.parameters(), lr=0.1, weight_decay=0.01)
        options = {"momentum": 0.9} if name == "SGD" else {}
        return table, getattr(torch.optim, name)(table.parameters(), lr=0.1, **options)

    def step(table: nn.Embedding, optimizer: torch.optim.Optimizer, number: int) -> None:
        optimizer.zero_grad()
        table(torch.tensor([number % 6, 2, 2])).pow(3).sum().backward()
        optimizer.step()

    whole, whole_optimizer = make()
    for number in range(4):
        step(whole, whole_optimizer, number)
        if number == 1:
            save_state(tmp_path / "s", {"model": whole.state_dict(), "optimizer": optimizer_state(whole_optimizer)})
    table, optimizer = make()
    saved = load_state(tmp_path / "s")
    table.load_state_dict(saved["model"])
    load_optimizer_state(optimizer, saved["optimizer"])
    for number in (2, 3):
        step(table, optimizer, number)
    assert torch.equal(table.weight, whole.weight)
    for own, other in zip(optimizer.state.values(), whole_optimizer.state.values(), strict=True):
        for key, value in other.items():
            assert type(own[key]) is type(value)
            if isinstance(value, torch.Tensor):
                assert own[key].dtype == value.dtype
                assert torch.equal(own[key], value)


def test_ctrl_c_while_a_file_is_read_comes_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within, safetensors would make a `ValueError` of it."""
    save_state(tmp_path / "s", {"a": torch.ones(2), "b": torch.ones(3)})
    read: list[str] = []

    class Pressing:
        def __init__(self, path: Path, framework: str) -> None:
            self._file: Any = safe_open(path, framework=framework)  # Any: it carries no types

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def get_tensor(self, name: str) -> Any:
            if not read:
                os.kill(os.getpid(), signal.SIGINT)
            read.append(name)
            return self._file.get_tensor(name)

    monkeypatch.setattr(checkpoint, "safe_open", Pressing)
    with pytest.raises(KeyboardInterrupt):
        load_state(tmp_path / "s")
    assert len(read) == 2
