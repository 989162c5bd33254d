"""Tensors as arguments of the extension: read in place, refused where their memory does not hold their numbers."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.test_native_arguments import CALLS, EXTENSION, Call

# Whose arguments the extension describes as tensors, with the argument that it makes where it is None.
MAKERS = {"Product.linear": "out", "Table.sum_bags": "out", "Ranker.score": "logits"}

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]


class Labelled(Tensor):
    """A tensor that may stand for something else."""


def run(name: str, **changed: Any) -> Any:  # Any: arguments, and what the call gives
    """The call with tensors for arrays, and without an output."""
    call = CALLS[name]
    given = {key: torch.from_numpy(value.copy()) for key, value in call.arrays.items()}
    assert EXTENSION is not None
    return call.function(EXTENSION, call.arguments | given | {MAKERS[name]: None} | changed)


def floats_of(call: Call) -> list[str]:
    return [name for name, array in call.arrays.items() if array.dtype == np.float32]


@pytest.mark.parametrize("name", MAKERS)
def test_a_new_tensor_holds_what_an_array_gets(name: str) -> None:
    call, made = CALLS[name], run(name)
    assert EXTENSION is not None
    out = call.arguments[MAKERS[name]].copy()
    assert call.function(EXTENSION, call.arguments | {MAKERS[name]: out}) is None
    assert made.dtype == torch.float32
    assert made.is_contiguous()
    np.testing.assert_array_equal(made.numpy(), out)
    into = torch.zeros(out.shape)
    assert run(name, **{MAKERS[name]: into}) is None
    assert torch.equal(into, made)


def test_a_new_tensor_is_torchs_own_in_every_way() -> None:
    """It can be resized, trained on and kept; its memory goes with it."""
    made = run("Product.linear")
    view = made[1:]
    expected = view.clone()
    del made
    gc.collect()
    assert torch.equal(view, expected)
    weight = nn.Parameter(torch.ones(20))
    (view @ weight).sum().backward()
    assert weight.grad is not None


def test_rows_may_have_any_axes() -> None:
    x = torch.linspace(-3, 3, 54).reshape(2, 3, 9)
    made = run("Product.linear", x=x)
    assert made.shape == (2, 3, 20)
    assert torch.equal(made.flatten(0, 1), run("Product.linear", x=x.flatten(0, 1)))
    assert torch.equal(made[1, 2], run("Product.linear", x=x[1, 2]))
    assert run("Product.linear", x=x[:0]).shape == (0, 3, 20)


@pytest.mark.parametrize(("has_end", "num_bags"), [(False, 3), (True, 2)])
def test_offsets_say_how_many_bags_there_are(has_end: bool, num_bags: int) -> None:
    assert run("Table.sum_bags", has_end=has_end).shape == (num_bags, 10)
    flat = run("Table.sum_bags", has_end=has_end)
    square = run("Table.sum_bags", indices=torch.tensor([[0, 5], [3, 1]]), offsets=None, has_end=has_end)
    assert square.shape == (2, 10)
    assert torch.equal(square[0], flat[0])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x.to(torch.bfloat16),
        lambda x: x.double(),
        lambda x: x.repeat_interleave(2, -1)[..., ::2],
        lambda x: x[..., :1].expand(x.shape),
        lambda x: x.to("meta"),
        lambda x: x.to_sparse(),
        torch._neg_view,
        lambda x: torch._efficientzerotensor(x.shape),
        lambda x: x.as_subclass(Labelled).requires_grad_(),
    ],
)
@pytest.mark.parametrize("name", MAKERS)
def test_tensors_whose_memory_says_something_else_are_refused(name: str, spoil: Callable[[Tensor], Tensor]) -> None:
    for argument in floats_of(CALLS[name]):
        wrong = spoil(torch.from_numpy(CALLS[name].arguments[argument].copy()))
        with pytest.raises(TypeError):
            run(name, **{argument: wrong})


@pytest.mark.parametrize("name", MAKERS)
def test_tensors_with_another_number_of_axes_or_of_elements_are_refused(name: str) -> None:
    for argument, array in CALLS[name].arrays.items():
        tensor = torch.from_numpy(array.copy())
        if argument in CALLS[name].flat or (name, argument) == ("Product.linear", "x"):
            continue
        for wrong in (tensor.flatten()[:-1], tensor[None, None], torch.tensor(1, dtype=tensor.dtype)):
            if name == "Product.linear" and argument == "x" and wrong.shape[-1:] == (9,):
                continue
            with pytest.raises((TypeError, ValueError)):
                run(name, **{MAKERS[name]: torch.zeros(CALLS[name].arguments[MAKERS[name]].shape), argument: wrong})


@pytest.mark.parametrize("name", MAKERS)
def test_tensors_that_are_misaligned_or_overlap_are_refused(name: str) -> None:
    for argument, array in CALLS[name].arrays.items():
        memory = torch.zeros(array.nbytes + 1, dtype=torch.uint8).numpy()
        shifted = torch.from_numpy(memory[1:].view(array.dtype).reshape(array.shape))
        with pytest.raises(ValueError, match="aligned"):
            run(name, **{argument: shifted})
    for argument in floats_of(CALLS[name]):
        if argument != MAKERS[name]:
            shared = torch.zeros(200)
            given, out = CALLS[name].arguments[argument], CALLS[name].arguments[MAKERS[name]]
            apart = {argument: shared[: given.size].view(given.shape), MAKERS[name]: shared[: out.size].view(out.shape)}
            with pytest.raises(ValueError, match="overlap"):
                run(name, **apart)


def test_indices_outside_of_the_table_are_named() -> None:
    with pytest.raises(IndexError, match="indices: 6 at position 1"):
        run("Table.sum_bags", indices=torch.tensor([0, 6, 3, 1]))
    with pytest.raises(IndexError, match="row 0, field 1: index 7"):
        run("Ranker.score", indices=torch.tensor([0, 7, 3, 1, 2, 4]))


@pytest.mark.parametrize("name", MAKERS)
def test_arrays_come_with_an_output(name: str) -> None:
    assert EXTENSION is not None
    with pytest.raises(ValueError, match="out must be given"):
        CALLS[name].function(EXTENSION, CALLS[name].arguments | {MAKERS[name]: None})


def test_no_bag_ends_where_there_are_no_offsets() -> None:
    with pytest.raises(ValueError, match="offsets must hold the end"):
        run("Table.sum_bags", offsets=torch.zeros(0, dtype=torch.int64), has_end=True)
