from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from farthing.lowbit.layers import QuantEmbeddingBag, QuantLinear
from farthing.lowbit.levels import HIGHEST_LEVEL, LOWEST_LEVEL, Bits
from farthing.lowbit.quantizers import QUANTIZERS, Quantizer
from farthing.recommend.config import LayerBits, Precision
from farthing.recommend.dataset import Dataset
from farthing.recommend.metrics import evaluate
from farthing.recommend.model import Dlrm
from farthing.recommend.precision import build_plan
from farthing.recommend.presets import PRESETS
from farthing.recommend.ptq import fit_scales, round_model
from farthing.recommend.runs import load_run
from farthing.recommend.task import probabilities
from tests.recommend import small

BITS: tuple[Bits, ...] = (8, 4, 2, 1)


def quantizer_of(bits: Bits, granularity: str = "tensor", num_scales: int = 1) -> Quantizer:
    return QUANTIZERS["sign-ste" if bits == 1 else "lsq"](bits, granularity, num_scales)  # type: ignore[arg-type]


def error_of(x: Tensor, scale: float, bits: Bits) -> float:
    """The sum of squared rounding errors, from the definition alone: every element takes its nearest level."""
    levels = [-1.0, 1.0] if bits == 1 else np.arange(LOWEST_LEVEL[bits], HIGHEST_LEVEL[bits] + 1)
    distance = np.abs(x.double().numpy().reshape(-1, 1) - scale * np.asarray(levels))
    return float(np.square(distance.min(axis=1)).sum())


def draw(kind: str, *shape: int) -> Tensor:
    """Values as weights have them (normal) and as tables do (few long rows among short ones)."""
    x = torch.randn(*shape)
    if kind == "heavy":
        x[0] *= 50
    return x


@pytest.mark.parametrize("kind", ["normal", "heavy"])
@pytest.mark.parametrize("bits", BITS)
def test_no_scale_of_a_fine_search_is_much_better(bits: Bits, kind: str) -> None:
    """1,000 scales from 0.0005 to 1 of the covering one; 5 % in squared error is 2.5 % in size."""
    x = draw(kind, 200, 3)
    quantizer = quantizer_of(bits)
    fit_scales(quantizer, x, None)
    covering = float(x.abs().max()) / HIGHEST_LEVEL[bits]
    least = min(error_of(x, covering * fraction, bits) for fraction in np.geomspace(5e-4, 1, 1000))
    assert error_of(x, quantizer.scale.item(), bits) <= 1.05 * least


@given(
    bits=st.sampled_from(BITS),
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30),
)
def test_never_worse_than_covering_the_range(bits: Bits, values: list[float]) -> None:
    x = torch.tensor(values)
    quantizer = quantizer_of(bits)
    fit_scales(quantizer, x, None)
    covering = max(float(x.abs().max()) / HIGHEST_LEVEL[bits], 1e-8)
    assert quantizer.scale.item() > 0
    assert error_of(x, quantizer.scale.item(), bits) <= error_of(x, covering, bits) * (1 + 1e-4) + 1e-6


def test_one_bit_takes_the_mean_magnitude() -> None:
    x = torch.tensor([0.1, -0.3, 0.2, -10.0])
    quantizer = quantizer_of(1)
    fit_scales(quantizer, x, None)
    assert quantizer.scale.item() == pytest.approx(2.65)


def test_values_that_are_levels_are_kept_exactly() -> None:
    x = 0.25 * torch.arange(-8.0, 8.0)
    quantizer = quantizer_of(4)
    fit_scales(quantizer, x, None)
    torch.testing.assert_close(quantizer.dequantize(quantizer.codes(x)), x)


@pytest.mark.parametrize("bits", BITS)
def test_scales_do_not_disturb_each_other(bits: Bits) -> None:
    """Channels, and groups of rows, get the scales that each would get alone."""
    x = torch.randn(6, 40) * torch.tensor([1.0, 100.0, 0.01, 3.0, 3.0, 7.0]).unsqueeze(1)
    channels = quantizer_of(bits, "channel", 6)
    fit_scales(channels, x, None)
    groups = torch.tensor([0, 0, 1, 1, 2, 2])
    grouped = quantizer_of(bits, "group", 3)
    fit_scales(grouped, x, groups)
    for i in range(6):
        alone = quantizer_of(bits)
        fit_scales(alone, x[i], None)
        torch.testing.assert_close(channels.scale[i], alone.scale[0])
    for group in range(3):
        alone = quantizer_of(bits)
        fit_scales(alone, x[groups == group], None)
        torch.testing.assert_close(grouped.scale[group], alone.scale[0], rtol=1e-4, atol=0)


def test_nothing_but_zeros_gives_a_positive_scale() -> None:
    for bits in BITS:
        quantizer = quantizer_of(bits)
        fit_scales(quantizer, torch.zeros(5), None)
        assert quantizer.scale.isfinite().all()
        assert (quantizer.scale > 0).all()


def test_a_quantizer_with_an_offset_spans_the_range() -> None:
    quantizer = QUANTIZERS["minmax"](4, "table", 1)
    x = torch.tensor([[1.0, 4.0]])
    fit_scales(quantizer, x, None)
    torch.testing.assert_close(quantizer.dequantize(quantizer.codes(x)), x)


def rounded(model: Dlrm, dataset: Dataset, precision: Precision) -> Dlrm:
    batches = dataset.batches("train", table_rows=model.table_rows, batch_size=64, shuffle_seed=0)
    return round_model(model, build_plan(precision, model), islice(batches, 8))


@pytest.mark.parametrize("shape", ["mixed", "ids_only"])
def test_eight_bits_change_little(request: pytest.FixtureRequest, trained: small.Trainings, shape: str) -> None:
    dataset: Dataset = request.getfixturevalue(shape)
    model = load_run(trained(shape))
    before = probabilities(model, dataset, "test", table_rows=model.table_rows)
    rounded(model, dataset, PRESETS["int8"]().precision)
    after = probabilities(model, dataset, "test", table_rows=model.table_rows)
    assert 0 < np.abs(after - before).max() < 0.1
    label = dataset.labels("test")
    assert evaluate(label, after)["auc"] == pytest.approx(evaluate(label, before)["auc"], abs=0.01)


@pytest.mark.parametrize("preset", ["int8", "int4", "int2", "binary"])
def test_every_quantizer_is_set_and_no_hook_stays(mixed: Dataset, trained: small.Trainings, preset: str) -> None:
    model = rounded(load_run(trained("mixed")), mixed, PRESETS[preset]().precision)
    assert not model.training
    assert isinstance(model.embedding, QuantEmbeddingBag)
    quantizers = [module for module in model.modules() if isinstance(module, Quantizer)]
    layers = [module for module in model.modules() if isinstance(module, QuantLinear)]
    assert len(quantizers) == 1 + 2 * len(layers)
    assert all(bool(quantizer.is_initialised) for quantizer in quantizers)
    assert all(layer.activation_quantizer is not None for layer in layers)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in model.modules())


def test_float_activations_stay_float(mixed: Dataset, trained: small.Trainings) -> None:
    weights_only = Precision(embedding=4, edge=LayerBits(weight=8), hidden=LayerBits(weight=4))
    model = rounded(load_run(trained("mixed")), mixed, weights_only)
    assert all(layer.activation_quantizer is None for layer in model.modules() if isinstance(layer, QuantLinear))


def test_the_weights_stay_as_they_were(mixed: Dataset, trained: small.Trainings) -> None:
    float_model, model = load_run(trained("mixed")), load_run(trained("mixed"))
    rounded(model, mixed, PRESETS["int4"]().precision)
    for name, value in float_model.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
