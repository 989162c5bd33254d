"""A user's own module through `prepare` and `pack`: same parameters in, same answers out, really packed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from farthing.base.errors import ConfigError, DataError
from farthing.lowbit.convert import pack, prepare
from farthing.lowbit.layers import QuantConv2d, QuantEmbedding, QuantEmbeddingBag, QuantLinear
from farthing.lowbit.levels import Bits
from farthing.lowbit.packed import PackedConv2d, PackedEmbedding, PackedEmbeddingBag, PackedLinear
from farthing.lowbit.packing import row_bytes
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec
from farthing.lowbit.quantizers import QUANTIZERS
from tests.lowbit.models import Everything, batch, plan

ALL_FOUR = QuantPlan(rules=(QuantRule(pattern="*", weight=QuantSpec(bits=4)),))
WIDTHS: list[tuple[str, Bits]] = [(name, bits) for name, kind in QUANTIZERS.items() for bits in kind.offered_bits]


def trained(quantizer: str, bits: Bits, activation_bits: Any) -> Any:
    """The model after two steps, in eval mode."""
    model: Any = prepare(Everything(), plan(quantizer, bits, activation_bits))
    dense = [p for name, p in model.named_parameters() if name != "total.weight"]
    optimizers = [torch.optim.Adam(dense, lr=0.01), torch.optim.SparseAdam([model.total.weight], lr=0.01)]
    for _ in range(2):
        model.zero_grad()
        model(batch()).square().sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    return model.eval()


@pytest.mark.parametrize("activation_bits", [None, 8, 4, 2, 1])
@pytest.mark.parametrize(("quantizer", "bits"), WIDTHS)
def test_the_packed_model_gives_what_the_trained_one_gives(quantizer: str, bits: Bits, activation_bits: Any) -> None:
    model, inputs = trained(quantizer, bits, activation_bits), batch()
    packed: Any = pack(model)
    # Weighted rows are summed with one rounding fewer in torch (docs/format.md, "Tables"); activation codes hide that.
    atol = 1e-6 if activation_bits is None else 0.0
    with torch.no_grad():
        assert torch.allclose(packed(inputs), model(inputs), rtol=0.0, atol=atol)
        few = {"indices": inputs["indices"][:3], "offsets": torch.tensor([0, 3]), "weights": inputs["weights"][:3]}
        one = few | {"words": inputs["words"][:1], "images": inputs["images"][:1]}
        assert torch.allclose(packed(one), model(one), rtol=0.0, atol=atol)


@pytest.mark.parametrize(("quantizer", "bits"), WIDTHS)
def test_the_path_of_training_agrees_with_the_integers_of_eval_mode(quantizer: str, bits: Bits) -> None:
    model, inputs = trained(quantizer, bits, None), batch()
    with torch.no_grad():
        integers = model(inputs)
    # Without activation codes no rounding can flip: what differs is the order of float32 sums of at most 27 terms.
    assert torch.allclose(model(inputs), integers, rtol=1e-4, atol=1e-5)


def test_prepare_keeps_the_parameters_and_swaps_the_layers() -> None:
    model = Everything()
    before = dict(model.named_parameters())
    prepared = prepare(model, ALL_FOUR)
    assert prepared is model
    assert isinstance(model.total, QuantEmbeddingBag)
    assert isinstance(model.average, QuantEmbeddingBag)
    assert isinstance(model.word, QuantEmbedding)
    assert isinstance(model.mlp[0], QuantLinear)
    assert isinstance(model.image[2], QuantConv2d)
    after = dict(model.named_parameters())
    assert all(after[name] is parameter for name, parameter in before.items())
    assert {name for name in after if name not in before} == {name for name in after if name.endswith(".scale")}


def test_unmatched_modules_stay_and_an_empty_rule_excepts() -> None:
    rules = (QuantRule(pattern="mlp.0"), QuantRule(pattern="mlp.*", weight=QuantSpec(bits=8)))
    model: Any = prepare(Everything(), QuantPlan(rules=rules))
    assert type(model.mlp[0]) is nn.Linear
    assert type(model.mlp[3]) is QuantLinear
    assert type(model.word) is nn.Embedding


def test_a_module_used_twice_stays_shared() -> None:
    shared = nn.Linear(3, 3)
    model: Any = prepare(nn.ModuleDict({"a": shared, "b": nn.Sequential(shared)}), ALL_FOUR)
    assert isinstance(model["a"], QuantLinear)
    assert model["a"] is model["b"][0]
    packed: Any = pack(model)
    assert packed["a"] is packed["b"][0]


def test_a_model_that_is_one_layer() -> None:
    layer = prepare(nn.Linear(3, 2), ALL_FOUR)
    assert isinstance(layer, QuantLinear)
    assert isinstance(pack(layer), PackedLinear)


def test_training_mode_is_kept() -> None:
    assert not any(module.training for module in prepare(Everything().eval(), ALL_FOUR).modules())
    assert all(module.training for module in prepare(Everything(), ALL_FOUR).modules())


def test_packing_leaves_the_model_alone_and_takes_as_many_bytes_as_it_says() -> None:
    model = trained("lsq", 4, 8)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    packed: Any = pack(model)
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    kinds = {type(module) for module in packed.modules()}
    assert {PackedLinear, PackedConv2d, PackedEmbedding, PackedEmbeddingBag} <= kinds
    assert not kinds & {QuantLinear, QuantConv2d, QuantEmbedding, QuantEmbeddingBag}
    assert packed.total.codes.nbytes == 50 * 4
    assert packed.word.codes.nbytes == 10 * 3
    assert packed.mlp[0].codes.nbytes == 19 * row_bytes(21, 4)
    assert packed.image[0].codes.nbytes == 6 * row_bytes(2 * 9, 4)
    assert not packed.training
    assert not any(parameter.requires_grad for parameter in packed.parameters())


def test_a_rule_that_matches_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no Linear, Conv2d or embedding matches mpl\.\*"):
        prepare(Everything(), QuantPlan(rules=(QuantRule(pattern="mpl.*", weight=QuantSpec(bits=4)),)))


def test_errors_name_the_module() -> None:
    four = QuantSpec(bits=4)
    with pytest.raises(ConfigError, match="module 'word': the input of an embedding is indices"):
        prepare(Everything(), QuantPlan(rules=(QuantRule(pattern="word", weight=four, activation=four),)))
    model = Everything()
    by_row = QuantPlan(rules=(QuantRule(pattern="*", weight=QuantSpec(bits=4, granularity="row")),))
    with pytest.raises(ConfigError, match=r"module 'mlp\.0': granularity: a Linear weight takes channel or tensor"):
        prepare(model, by_row)
    assert not any(isinstance(module, QuantLinear | QuantEmbedding) for module in model.modules())


def test_an_activation_without_data_cannot_be_packed() -> None:
    model: Any = prepare(Everything(), plan("lsq", 4, 8))
    with pytest.raises(ConfigError, match=r"module 'mlp\.0': its input quantizer has no scale yet"):
        pack(model)


def test_weights_that_are_not_finite_cannot_be_packed() -> None:
    model: Any = prepare(Everything(), ALL_FOUR)
    with torch.no_grad():
        model.average.weight[3, 1] = torch.inf
    with pytest.raises(DataError, match="module 'average': the weight holds NaN or infinity"):
        pack(model)
