"""Every function of the extension with arguments that are wrong in one way each: it raises, and touches nothing else.

What it touches shows in `make sanitize`, which runs these tests with AddressSanitizer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from farthing.lowbit import native

EXTENSION = native.extension()
REFUSED = (TypeError, ValueError, IndexError, MemoryError)
Array = npt.NDArray[Any]
Arguments = dict[str, Any]  # Any: arrays and numbers

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]


def floats(*shape: int) -> Array:
    return np.linspace(-3, 3, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def strings(module: ModuleType) -> Any:  # Any: the extension has no types
    """The one value of a line without numbers."""
    empty = np.zeros(0, np.uint32)
    coder = module.LineCoder(
        separator=",", num_columns=2, label_column=0, dense_columns=empty, field_columns=np.array([1], np.uint32)
    )
    _, values = coder.code(b"1,x\n", np.zeros(1, np.uint8), np.zeros((0, 1), np.float32), np.zeros((1, 1), np.uint32))
    return values


@dataclass(frozen=True)
class Call:
    """A function or constructor of the extension with arguments that are right.

    `out` names the arrays that it writes, `flat` those that may have any number of dimensions.
    """

    function: Callable[[ModuleType, Arguments], object]
    arguments: Arguments
    out: tuple[str, ...] = ()
    flat: tuple[str, ...] = ()

    def run(self, extension: ModuleType, **changed: Any) -> None:
        """Calls it with some other arguments, and with copies of the others, so that a test sees no other's traces."""
        kept = {
            name: value.copy() if isinstance(value, np.ndarray) else value for name, value in self.arguments.items()
        }
        self.function(extension, kept | changed)

    @property
    def arrays(self) -> dict[str, Array]:
        return {name: value for name, value in self.arguments.items() if isinstance(value, np.ndarray)}


def ranker(module: ModuleType, **changed: Any) -> Any:  # Any: the extension has no types
    """Two numbers and two fields of ten dimensions; layers of 2 -> 10 and, with three products, of 13 -> 1."""
    layer = {**PRODUCT, "codes": np.full((10, 1), 0x0A, np.uint8), "num_inputs": 2, "scale": floats(1), **PLAIN}
    last = {**PRODUCT, "codes": np.full((1, 7), 0x0A, np.uint8), "num_inputs": 13, "scale": floats(1), **PLAIN}
    parts = {
        "table": module.Table(**TABLE),
        "num_fields": 2,
        "bottom": (module.Product(**layer),),
        "top": (module.Product(**last),),
    }
    return module.Ranker(**parts | changed)


PLAIN = {"bias": None, "curve": "none", "slope": None}
PRODUCT = {
    "codes": np.full((20, 5), 0x0A, np.uint8),
    "bits": 4,
    "num_inputs": 9,
    "scale": floats(20),
    "bias": floats(20),
    "activation_scale": 0.5,
    "activation_bits": 8,
    "curve": "prelu",
    "slope": floats(20),
}
CONV = {
    "codes": np.full((4, 27), 0x55, np.uint8),
    "scale": floats(4),
    "bias": floats(4),
    "bits": 8,
    "activation_scale": 0.5,
    "activation_bits": 8,
    "channels": 3,
    "groups": 1,
    "vertical": (3, 1, 1, 1, 1),
    "horizontal": (3, 2, 1, 0, 0),
    "has_relu": True,
}
TABLE = {
    "codes": np.full((6, 5), 0xA5, np.uint8),
    "dim": 10,
    "bits": 4,
    "granularity": "group",
    "scale": floats(2),
    "offset": floats(2),
    "group_starts": np.array([0, 4], np.int64),
}
PARSER = {
    "separator": "\t",
    "num_columns": 5,
    "dense_columns": np.array([1, 2], np.uint32),
    "field_columns": np.array([3, 4], np.uint32),
    "means": np.zeros(2),
    "deviations": np.ones(2),
    "table_rows": np.array([4, 4], np.uint64),
    "text": b"redgrayblue",
    "sizes": np.array([3, 0, 4, 4], np.uint32),
    "is_hashed": False,
}
CODER = {
    "separator": "\t",
    "num_columns": 5,
    "label_column": 0,
    "dense_columns": np.array([1, 2], np.uint32),
    "field_columns": np.array([3, 4], np.uint32),
}
BAGS = {
    "indices": np.array([0, 5, 3, 1], np.int64),
    "offsets": np.array([0, 2, 2], np.int64),
    "weights": floats(4),
    "mean": True,
    "out": floats(3, 10),
    "num_threads": 2,
}

CALLS = {
    "cpu_features": Call(lambda module, _: module.cpu_features(), {}),
    "usable_tiers": Call(lambda module, _: module.usable_tiers(), {}),
    "active_tier": Call(lambda module, _: module.active_tier(), {}),
    "default_tier": Call(lambda module, _: module.default_tier(), {}),
    "use_tier": Call(lambda module, given: module.use_tier(**given), {"name": "scalar"}),
    "row_bytes": Call(lambda module, given: module.row_bytes(**given), {"num_codes": 9, "bits": 4}),
    "quantize": Call(
        lambda module, given: module.quantize(**given),
        {"x": floats(9), "scale": 0.5, "bits": 4, "out": np.zeros(9, np.int8)},
        out=("out",),
    ),
    "Product": Call(lambda module, given: module.Product(**given), PRODUCT),
    "Product.linear": Call(
        lambda module, given: module.Product(**PRODUCT).linear(**given),
        {"x": floats(3, 9), "out": floats(3, 20), "num_threads": 2},
        out=("out",),
    ),
    "Conv2d": Call(lambda module, given: module.Conv2d(**given), CONV),
    "Conv2d.forward": Call(
        lambda module, given: module.Conv2d(**CONV).forward(**given),
        {"x": floats(2, 5, 7, 3), "out": floats(2, 5, 3, 4), "num_threads": 2},
        out=("out",),
    ),
    "Table": Call(lambda module, given: module.Table(**given), TABLE),
    "Table.sum_bags": Call(
        lambda module, given: module.Table(**TABLE).sum_bags(**given), BAGS, out=("out",), flat=("indices", "weights")
    ),
    "interact": Call(
        lambda module, given: module.interact(**given),
        {"first": floats(2, 5), "rest": floats(2, 3, 5), "out": floats(2, 6)},
        out=("out",),
    ),
    "Ranker": Call(lambda module, given: ranker(module, **given), {"num_fields": 2}),
    "Ranker.score": Call(
        lambda module, given: ranker(module).score(**given),
        {
            "dense": floats(3, 2),
            "indices": np.array([0, 5, 3, 1, 2, 4], np.int64),
            "offsets": np.arange(7),
            "logits": floats(3),
            "num_threads": 2,
        },
        out=("logits",),
    ),
    "ClickParser": Call(lambda module, given: module.ClickParser(**given), PARSER),
    "encode_rows": Call(
        lambda module, given: module.encode_rows(module.ClickParser(**PARSER), **given),
        {
            "rows": [{"n": 2, "color": "red"}, {"m": 0.5}],
            "context": {"color": "blue"},
            "positions": {"n": 1, "m": 2, "color": 3, "label": -1},
            "dense": floats(2, 2),
            "ids": np.zeros((2, 2), np.int64),
        },
        out=("dense", "ids"),
    ),
    "LineCoder": Call(lambda module, given: module.LineCoder(**given), CODER),
    "LineCoder.code": Call(
        lambda module, given: module.LineCoder(**CODER).code(**given),
        {
            "text": b"1\t2\t3\tred\tblue\n0\t\t-1\tgreen\t\n",
            "label": np.zeros(2, np.uint8),
            "logarithms": floats(2, 2),
            "codes": np.zeros((2, 2), np.uint32),
        },
        out=("label", "logarithms", "codes"),
    ),
    "Strings": Call(lambda module, given: strings(module).__arrow_c_array__(**given), {"requested_schema": None}),
    "ClickParser.parse": Call(
        lambda module, given: module.ClickParser(**PARSER).parse(**given),
        {
            "text": b"1\t2\t3\tred\tblue\n0\t\t-1\tgreen\t\n",
            "start": 0,
            "dense": floats(2, 2),
            "ids": np.zeros((2, 2), np.int64),
        },
        out=("dense", "ids"),
    ),
}
METHODS = sorted(CALLS)
SCALARS: tuple[object, ...] = (
    None,
    -1,
    0,
    1,
    3,
    2**31,
    2**62,
    2**64 - 1,
    2**64,
    np.nan,
    "",
    "x",
    "\n",
    b"\0",
    [],
    (2**64 - 1,) * 5,
)


def wrong_types(array: Array, *, is_flat: bool) -> Iterator[tuple[str, object]]:
    """The same numbers in a form that the extension must not take."""
    other = np.float64 if array.dtype != np.float64 else np.float32
    yield "another dtype", array.astype(other)
    if not is_flat:
        yield "one dimension more", array[..., None]
        yield "one dimension less", array[0]
    yield "no array", array.tolist()
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    yield "every other element", spread[..., ::2]
    yield "backwards", array[..., ::-1]
    if array.dtype.itemsize > 1:
        yield "swapped bytes", array.astype(array.dtype.newbyteorder())
        shifted = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
        yield "misaligned", shifted


def wrong_sizes(array: Array) -> Iterator[tuple[str, Array]]:
    """More or fewer elements along one axis."""
    for axis in range(array.ndim):
        for size in (0, array.shape[axis] - 1, array.shape[axis] + 1):
            shape = (*array.shape[:axis], size, *array.shape[axis + 1 :])
            yield f"shape {shape}", np.resize(array, shape)


def wrong_numbers(array: Array) -> Iterator[tuple[str, Array]]:
    """An extreme somewhere."""
    limits = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
    extremes = [limits.min, limits.max, *([np.nan, np.inf] if array.dtype.kind == "f" else [0, 1])]
    for extreme in extremes:
        for place in (0, -1):
            changed = array.copy()
            changed.flat[place] = extreme
            yield f"{extreme} at {place}", changed


@pytest.fixture
def extension() -> Iterator[ModuleType]:
    assert EXTENSION is not None
    tier = EXTENSION.active_tier()
    yield EXTENSION
    EXTENSION.use_tier(tier)


def test_every_function_is_tested_here(extension: ModuleType) -> None:
    found = set()
    for name, value in vars(extension).items():
        if callable(value):
            found.add(name)
        if isinstance(value, type):
            found |= {
                f"{name}.{method}" for method, function in vars(value).items() if type(function).__name__ == "nb_method"
            }
    assert {name for name in found if "__" not in name} == set(CALLS)


@pytest.mark.parametrize("name", METHODS)
def test_the_arguments_here_are_right_but_for_what_a_test_changes(extension: ModuleType, name: str) -> None:
    CALLS[name].run(extension)


@pytest.mark.parametrize("name", METHODS)
def test_arrays_of_the_wrong_kind_are_refused(extension: ModuleType, name: str) -> None:
    for argument, array in CALLS[name].arrays.items():
        for what, wrong in wrong_types(array, is_flat=argument in CALLS[name].flat):
            try:
                CALLS[name].run(extension, **{argument: wrong})
            except REFUSED:
                continue
            pytest.fail(f"{name} takes {argument} with {what}")


@pytest.mark.parametrize("name", METHODS)
def test_what_is_written_must_be_writable_and_apart(extension: ModuleType, name: str) -> None:
    call = CALLS[name]
    for argument in call.out:
        frozen = call.arguments[argument].copy()
        frozen.flags.writeable = False
        with pytest.raises(TypeError):
            call.run(extension, **{argument: frozen})
        for other in call.arrays.keys() - {argument}:
            first, second = call.arguments[argument], call.arguments[other]
            start = (first.nbytes - 1) // 8 * 8
            memory = np.zeros(max(first.nbytes, start + second.nbytes), np.uint8)
            shared = {
                argument: memory[: first.nbytes].view(first.dtype).reshape(first.shape),
                other: memory[start : start + second.nbytes].view(second.dtype).reshape(second.shape),
            }
            with pytest.raises(ValueError, match="must not overlap"):
                call.run(extension, **shared)


@pytest.mark.parametrize("name", METHODS)
def test_sizes_and_numbers_that_do_not_fit_are_harmless(extension: ModuleType, name: str) -> None:
    for argument, array in CALLS[name].arrays.items():
        for _, wrong in [*wrong_sizes(array), *wrong_numbers(array)]:
            try:
                CALLS[name].run(extension, **{argument: wrong})
            except REFUSED:
                continue


@pytest.mark.parametrize("name", METHODS)
def test_other_arguments_out_of_range_are_harmless(extension: ModuleType, name: str) -> None:
    call = CALLS[name]
    for argument, value in call.arguments.items():
        if isinstance(value, np.ndarray):
            continue
        for wrong in SCALARS:
            try:
                call.run(extension, **{argument: wrong})
            except REFUSED:
                continue


@pytest.mark.parametrize("name", [name for name in METHODS if name[0].isupper() and "." not in name])
def test_an_object_that_was_never_made_is_refused(extension: ModuleType, name: str) -> None:
    kind = getattr(extension, name)
    unmade = kind.__new__(kind)
    for method, call in CALLS.items():
        if method.startswith(f"{name}."):
            with pytest.warns(RuntimeWarning, match="uninitialized"), pytest.raises(TypeError):
                getattr(unmade, method.partition(".")[2])(**call.arguments)


@pytest.mark.parametrize("wrong", [None, "x", [], (None,), (1,)])
@pytest.mark.parametrize("argument", ["bottom", "top"])
def test_layers_that_are_none_are_refused(extension: ModuleType, argument: str, wrong: object) -> None:
    with pytest.raises(REFUSED):
        ranker(extension, **{argument: wrong})
