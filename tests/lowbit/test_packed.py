"""Packed layers against the slow reference that reads their bytes by docs/format.md alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from farthing.lowbit.levels import Bits
from farthing.lowbit.ops import ConvGeometry
from farthing.lowbit.packed import (
    ConvDescription,
    Description,
    EmbeddingBagDescription,
    LinearDescription,
    PackedProduct,
    PackedTable,
    build,
)
from farthing.lowbit.packing import pack
from farthing.lowbit.state import packed_state
from tests.reference import packed as reference

WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)
BITS = st.sampled_from(WIDTHS)


def filled(description: Description) -> tuple[Any, reference.Layer]:
    """A layer with random codes and scales, and the same for the reference."""
    layer = build(description)
    assert isinstance(layer, PackedProduct | PackedTable)
    for name, tensor in layer.named_buffers():
        if name == "codes":
            codes = torch.randint(0, 2**layer.description.bits, (len(tensor), layer.num_columns), dtype=torch.uint8)
            tensor.copy_(pack(codes, layer.description.bits))
        elif name != "group_starts":
            tensor.uniform_(0.1, 1.0)
    layers, tensors = packed_state(layer)
    arrays = {name: reference.Array(list(value.shape), value.flatten().tolist()) for name, value in tensors.items()}
    return layer, reference.Layer(layers[""], arrays)


def assert_close(out: Tensor, expected: Any, *, num_terms: int) -> None:
    """Equal but for float32 rounding: half a unit in the last place for every term, of the largest number around."""
    numbers = torch.tensor(expected, dtype=torch.float64).reshape(out.shape)
    largest = max(float(numbers.abs().max()) if numbers.numel() else 0.0, 1.0)
    assert float((out.double() - numbers).abs().max() if numbers.numel() else 0.0) <= (num_terms + 3) * 2**-22 * largest


@given(BITS, st.sampled_from([None, *WIDTHS]), st.integers(1, 20), st.integers(0, 3), st.booleans())
def test_linear(bits: Bits, activation_bits: Bits | None, in_features: int, num_rows: int, per_channel: bool) -> None:
    layer, slow = filled(
        LinearDescription(
            out_features=4,
            in_features=in_features,
            bits=bits,
            activation_bits=activation_bits,
            has_bias=per_channel,
            num_scales=4 if per_channel else 1,
        )
    )
    x = torch.randn(num_rows, in_features) * 2
    out = layer(x)
    assert out.shape == (num_rows, 4)
    assert_close(out, reference.linear(slow, x.tolist()), num_terms=in_features if activation_bits is None else 0)


@pytest.mark.parametrize("activation_bits", [None, *WIDTHS])
@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 4)])
def test_convolution(
    activation_bits: Bits | None, bits: Bits, stride: int, padding: int, dilation: int, groups: int
) -> None:
    geometry = ConvGeometry(stride=(stride, 1), padding=(padding, 1), dilation=(dilation, dilation), groups=groups)
    layer, slow = filled(
        ConvDescription(
            weight_shape=(4, 4 // groups, 3, 2),
            geometry=geometry,
            bits=bits,
            activation_bits=activation_bits,
            has_bias=True,
            num_scales=4,
        )
    )
    image = torch.randn(1, 4, 6, 5) * 2
    terms = 0 if activation_bits is not None else 24 // groups
    assert_close(layer(image)[0], reference.conv2d(slow, image[0].tolist()), num_terms=terms)


@pytest.mark.parametrize("granularity", ["table", "group", "dimension", "row"])
@given(BITS, st.sampled_from(["sum", "mean"]), st.lists(st.integers(0, 3), max_size=5), st.booleans())
def test_bags(granularity: Any, bits: Bits, mode: Any, sizes: list[int], has_offset: bool) -> None:
    layer, slow = filled(
        EmbeddingBagDescription(
            num_embeddings=9,
            embedding_dim=7,
            bits=bits,
            granularity=granularity,
            group_starts=(0, 2, 5) if granularity == "group" else None,
            has_offset=has_offset,
            mode=mode,
            include_last_offset=True,
        )
    )
    ends = torch.tensor([0, *sizes]).cumsum(0)
    indices = torch.randint(0, 9, (sum(sizes),))
    weights = torch.rand(sum(sizes)) if mode == "sum" else None
    out = layer(indices, ends, weights)
    assert out.shape == (len(sizes), 7)
    bags = [(int(start), int(end)) for start, end in pairwise(ends)]
    expected = [
        reference.bag(slow, indices[a:b].tolist(), None if weights is None else weights[a:b].tolist()) for a, b in bags
    ]
    assert_close(out, expected, num_terms=3)


def test_a_moved_or_refilled_layer_forgets_its_unpacked_weight() -> None:
    layer, _ = filled(
        LinearDescription(out_features=2, in_features=3, bits=4, activation_bits=None, has_bias=False, num_scales=1)
    )
    x = torch.randn(1, 3)
    before = layer(x)
    state = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    layer.load_state_dict(state | {"codes": state["codes"] ^ 0x0F})
    assert not torch.equal(layer(x), before)
    layer.load_state_dict(state)
    assert torch.equal(layer.to("cpu")(x), before)


def test_layers_print_what_they_are() -> None:
    layer, _ = filled(
        LinearDescription(out_features=2, in_features=3, bits=4, activation_bits=8, has_bias=False, num_scales=1)
    )
    assert "bits=4, activation_bits=8" in repr(layer)
