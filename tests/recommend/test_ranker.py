"""The fused ranker rounds as docs/format.md says, in every tier, for every batch and any number of threads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from farthing.lowbit import native
from farthing.lowbit.convert import pack
from farthing.recommend.config import Activation, LayerBits, ModelConfig, Precision, RecommendConfig, Width
from farthing.recommend.model import Dlrm
from farthing.recommend.precision import build_model
from farthing.recommend.presets import PRESETS, W1A1, W4A8, W8A8, seed_binary
from farthing.recommend.ranker import Ranker
from tests.reference import ranker as reference

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
PACKED_PRESETS = [name for name in PRESETS if name != "fp32"]

Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]


def clicks(network: Dlrm, num_samples: int, *, seed: int = 0, longest_bag: int = 1) -> Arrays:
    """Random samples; with `longest_bag` above 1 bags have 0 to so many indices."""
    generator = np.random.default_rng(seed)
    num_fields = len(network.table_rows)
    dense = generator.standard_normal((num_samples, network.num_dense), dtype=np.float32)
    lengths = np.ones(num_samples * num_fields, dtype=np.int64)
    if longest_bag > 1:
        lengths = generator.integers(0, longest_bag + 1, len(lengths))
    field = np.repeat(np.arange(len(lengths)) % num_fields, lengths)
    indices = np.array(network.table_starts)[field] + generator.integers(0, np.array(network.table_rows)[field])
    return dense, indices, np.concatenate([[0], np.cumsum(lengths)])


def tensors(arrays: Arrays) -> tuple[torch.Tensor, ...]:
    return tuple(map(torch.from_numpy, arrays))


def packed(
    config: RecommendConfig, *, num_dense: int = 3, table_rows: tuple[int, ...] = (9, 40, 3), model: ModelConfig
) -> Dlrm:
    """A network with random weights whose scales have seen some data."""
    activation = config.model.activation
    model = replace(model, activation=activation)
    network = build_model(num_dense=num_dense, table_rows=table_rows, model=model, precision=config.precision)
    torch.nn.init.normal_(network.embedding.weight, std=0.5)
    network.train()
    for seed in range(3):
        network(*tensors(clicks(network, 32, seed=seed, longest_bag=2)))
    twin = pack(network)
    assert isinstance(twin, Dlrm)
    return twin


SMALL = ModelConfig(embedding_dim=9, bottom=(20, 33), top=(70, 21))


def small(preset: str, num_dense: int = 3) -> Dlrm:
    return packed(PRESETS[preset](), num_dense=num_dense, model=SMALL)


def ranker_of(network: Dlrm) -> Ranker:
    ranker = Ranker.of(network)
    assert ranker is not None
    return ranker


def logits_of(ranker: Ranker, *arrays: npt.NDArray[Any], num_threads: int) -> npt.NDArray[np.float32]:
    """Of the arrays and of tensors, which must be the same."""
    logits = ranker.score_arrays(*arrays, num_threads=num_threads)
    np.testing.assert_array_equal(ranker.score(*map(torch.from_numpy, arrays), num_threads=num_threads), logits)
    return logits


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("num_dense", [3, 0])
@pytest.mark.parametrize("preset", PACKED_PRESETS)
def test_every_tier_rounds_as_the_reference(preset: str, num_dense: int, tier: str) -> None:
    network = small(preset, num_dense)
    ranker = ranker_of(network)
    for longest_bag in (1, 4):
        arrays = clicks(network, 67, longest_bag=longest_bag)
        with native.use_tier(tier):
            scored = logits_of(ranker, *arrays, num_threads=1)
        np.testing.assert_array_equal(scored, reference.logits(network, *arrays))


@pytest.mark.parametrize("num_dense", [3, 0])
@pytest.mark.parametrize("preset", PACKED_PRESETS)
def test_the_packed_torch_model_answers_the_same(preset: str, num_dense: int) -> None:
    """But for samples in which a sum of floats, added in another order, crosses the border of two codes."""
    network = small(preset, num_dense)
    arrays = clicks(network, 300, longest_bag=2)
    with torch.inference_mode():
        expected = network(*tensors(arrays)).numpy()
    distance = abs(logits_of(ranker_of(network), *arrays, num_threads=1) - expected)
    assert np.median(distance) <= 2.0**-22 * np.max(abs(expected))
    assert np.mean(distance > 1e-5) <= 0.3


@settings(max_examples=12)
@given(
    num_dense=st.integers(0, 20),
    table_rows=st.lists(st.integers(1, 30), min_size=1, max_size=20).map(tuple),
    embedding_dim=st.integers(1, 20),
    widths=st.lists(st.integers(1, 70), max_size=2).map(tuple),
    hidden=st.sampled_from([W8A8, W4A8, W1A1, replace(W4A8, weight=2), replace(W1A1, activation=4)]),
    bits=st.sampled_from([8, 4, 2, 1]),
    activation=st.sampled_from(["relu", "prelu"]),
)
def test_any_shape_rounds_as_the_reference(
    num_dense: int,
    table_rows: tuple[int, ...],
    embedding_dim: int,
    widths: tuple[int, ...],
    hidden: LayerBits,
    bits: Width,
    activation: Activation,
) -> None:
    precision = Precision(embedding=bits, edge=hidden, hidden=hidden)
    model = ModelConfig(embedding_dim=embedding_dim, bottom=widths, top=widths, activation=activation)
    config = RecommendConfig(preset="any", model=model, precision=precision)
    network = packed(config, num_dense=num_dense, table_rows=table_rows, model=model)
    arrays = clicks(network, 5, longest_bag=3)
    expected = reference.logits(network, *arrays)
    np.testing.assert_array_equal(logits_of(ranker_of(network), *arrays, num_threads=1), expected)


@pytest.mark.parametrize("longest_bag", [1, 3])
@pytest.mark.parametrize("preset", ["int4", "binary"])
def test_a_sample_has_the_same_logit_in_every_batch(preset: str, longest_bag: int) -> None:
    network = small(preset)
    ranker = ranker_of(network)
    dense, indices, offsets = clicks(network, 200, longest_bag=longest_bag)
    together = logits_of(ranker, dense, indices, offsets, num_threads=1)
    num_fields = len(network.table_rows)
    for num_samples in (0, 1, 63, 64, 65, 129, 200):
        ends = offsets[: num_samples * num_fields + 1]
        for num_threads in (1, 2, 3):
            some = logits_of(ranker, dense[:num_samples], indices[: ends[-1]], ends, num_threads=num_threads)
            np.testing.assert_array_equal(some, together[:num_samples])
    for sample in range(0, 200, 17):
        bags = offsets[sample * num_fields : (sample + 1) * num_fields + 1]
        alone = logits_of(
            ranker, dense[sample : sample + 1], indices[bags[0] : bags[-1]], bags - bags[0], num_threads=1
        )
        assert alone == together[sample]


@pytest.mark.parametrize("preset", ["int4", "binary"])
def test_samples_with_the_same_numbers_have_their_own_logits(preset: str) -> None:
    network = small(preset)
    dense, indices, offsets = clicks(network, 70)
    dense[:] = dense[0]
    dense[64:] = dense[69]  # the second block of samples
    dense[65, -1] += 1.0
    expected = reference.logits(network, dense, indices, offsets)
    np.testing.assert_array_equal(logits_of(ranker_of(network), dense, indices, offsets, num_threads=1), expected)


def test_what_torch_must_run_has_no_ranker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Ranker.of(packed(PRESETS["fp32"](), model=SMALL)) is None
    assert Ranker.of(packed(seed_binary(), model=SMALL)) is None
    monkeypatch.setattr(native, "extension", lambda: None)
    assert Ranker.of(small("int4")) is None


def test_layers_that_do_not_fit_each_other_are_refused() -> None:
    network, other = small("int4"), packed(PRESETS["int4"](), model=replace(SMALL, bottom=(20,), top=(70, 22)))
    network.top = other.top
    ranker_of(network)  # top has other widths inside, which is fine
    network.bottom = other.top
    with pytest.raises(ValueError, match="the bottom must give a vector like the table's"):
        Ranker.of(network)
    layers = list(other.top.children())
    network.bottom, network.top = other.bottom, nn.Sequential(*layers[3:])
    with pytest.raises(ValueError, match="the top must take the vectors and their products"):
        Ranker.of(network)
    network.top = nn.Sequential(*layers[:3], *layers[6:])
    with pytest.raises(ValueError, match="a layer must take what the one before it gives"):
        Ranker.of(network)
    network.top = nn.Sequential(*layers[:3])
    with pytest.raises(ValueError, match="the top must give one logit"):
        Ranker.of(network)


@pytest.mark.parametrize("longest_bag", [1, 3])
@pytest.mark.parametrize("bad", [-1, 52, 2**40, -(2**63)])
def test_an_index_outside_of_the_table_is_named(longest_bag: int, bad: int) -> None:
    network = small("int4")
    dense, indices, offsets = clicks(network, 70, longest_bag=longest_bag)
    bag = next(bag for bag in range(66 * 3 + 1, 69 * 3) if offsets[bag + 1] > offsets[bag])
    indices[offsets[bag + 1] - 1] = bad
    with pytest.raises(IndexError, match=f"row {bag // 3}, field {bag % 3}: index {bad} is not in"):
        logits_of(ranker_of(network), dense, indices, offsets, num_threads=2)


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([0, 1, 2, 3], "offsets must be"),
        ([0, 1, 2, 3, 4, 5, 7], "ascend"),
        ([1, 1, 2, 3, 4, 5, 6], "ascend"),
        ([0, 1, 2, 9, 4, 5, 6], "ascend"),
        ([0, -1, 2, 3, 4, 5, 6], "ascend"),
    ],
)
def test_offsets_that_do_not_ascend_are_refused(offsets: list[int], message: str) -> None:
    network = small("int4")
    dense, indices, _ = clicks(network, 2)
    with pytest.raises(ValueError, match=message):
        logits_of(ranker_of(network), dense, indices, np.array(offsets), num_threads=1)


def test_arrays_of_another_shape_or_type_are_refused() -> None:
    network = small("int4")
    ranker = ranker_of(network)
    dense, indices, offsets = clicks(network, 2)
    with pytest.raises(ValueError, match="dense must be"):
        logits_of(ranker, dense[:, :2].copy(), indices, offsets, num_threads=1)
    for arrays in (
        (dense.astype(np.float64), indices, offsets),
        (dense, indices.astype(np.int32), offsets),
        (dense, indices.astype(np.float64), offsets),
        (dense, indices, offsets.astype(np.float64)),
        (np.repeat(dense, 2, axis=1)[:, ::2], indices, offsets),
    ):
        with pytest.raises(TypeError):
            logits_of(ranker, *arrays, num_threads=1)


@pytest.mark.parametrize(
    ("curve", "slope", "message"),
    [
        ("gelu", None, "curve must be none, relu or prelu"),
        ("prelu", None, "slope goes with the curve prelu"),
        ("relu", np.ones(5, np.float32), "slope goes with the curve prelu"),
        ("prelu", np.ones(4, np.float32), "one value for each output"),
    ],
)
def test_curves_that_do_not_fit_are_refused(curve: str, slope: object, message: str) -> None:
    assert EXTENSION is not None
    with pytest.raises(ValueError, match=message):
        EXTENSION.Product(
            np.zeros((5, 2), np.uint8), 4, 3, np.ones(1, np.float32), None, 1.0, 8, curve=curve, slope=slope
        )


@pytest.mark.parametrize("preset", ["int4", "binary"])
def test_indices_may_have_32_bits(preset: str) -> None:
    network = small(preset)
    dense, indices, offsets = clicks(network, 70, longest_bag=3)
    expected = logits_of(ranker_of(network), dense, indices, offsets, num_threads=1)
    narrow = logits_of(ranker_of(network), dense, indices.astype(np.int32), offsets.astype(np.int32), num_threads=1)
    np.testing.assert_array_equal(narrow, expected)
