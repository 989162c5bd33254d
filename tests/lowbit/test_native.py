"""The tier in use is the asked-for one, and every tier turns floats into the same integers."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from farthing.base.errors import KernelError
from farthing.lowbit import native
from farthing.lowbit.levels import Bits
from farthing.lowbit.ops import ActivationScale

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]


@pytest.fixture
def extension() -> ModuleType:
    assert EXTENSION is not None
    return EXTENSION


def quantized(extension: ModuleType, x: npt.NDArray[np.float32], scale: float, bits: int) -> npt.NDArray[np.int8]:
    out = np.full(len(x), 99, dtype=np.int8)
    extension.quantize(x, scale, bits, out)
    return out


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_in_use_until_its_block_ends(extension: ModuleType, tier: str) -> None:
    before = extension.active_tier()
    with native.use_tier(tier):
        assert native.info() == {
            "features": extension.cpu_features(),
            "tiers": extension.usable_tiers(),
            "tier": tier,
        }
    assert extension.active_tier() == before


def test_the_default_tier_is_a_usable_one(extension: ModuleType) -> None:
    assert extension.default_tier() in TIERS


def test_a_tier_that_cannot_run_is_an_error_that_lists_the_others(extension: ModuleType) -> None:
    with pytest.raises(KernelError, match="tier is 'mmx', which this machine cannot run; it can run scalar"):
        native.use_tier("mmx").__enter__()
    with pytest.raises(ValueError, match="cannot run that tier"):
        extension.use_tier("mmx")


def test_no_tier_without_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "extension", lambda: None)
    assert native.info() is None
    with pytest.raises(KernelError, match="make install"):
        native.use_tier("scalar").__enter__()


@pytest.mark.parametrize(("name", "said"), [("scalar", "scalar"), ("mmx", "FARTHING_KERNELS is 'mmx', which")])
def test_the_environment_names_the_tier(name: str, said: str) -> None:
    program = "from farthing.lowbit import native; print(native.info()['tier'])"
    environment = {**os.environ, native.TIER_VARIABLE: name}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert said in ran.stdout + ran.stderr
    assert (ran.returncode == 0) == (name == "scalar")


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (8, [0, 0, 2, 2, -2, 127, -128, 127, -128, 0]),
        (4, [0, 0, 2, 2, -2, 7, -8, 7, -8, 0]),
        (2, [1, 1, 3, 3, -3, 3, -3, 3, -3, 1]),
        (1, [1, 1, 1, 1, -1, 1, -1, 1, -1, -1]),
    ],
)
def test_integers_by_hand(extension: ModuleType, tier: str, bits: int, expected: list[int]) -> None:
    x = np.array([0.0, 0.25, 0.75, 1.25, -1.25, 1e30, -1e30, np.inf, -np.inf, -1e-30], dtype=np.float32)
    with native.use_tier(tier):
        assert quantized(extension, x, 0.5, bits).tolist() == expected


@given(
    x=arrays.arrays(np.float32, st.integers(0, 70), elements=st.floats(-300, 300, width=32)),
    scale=st.floats(2.0**-10, 4.0, width=32),
    bits=st.sampled_from(WIDTHS),
)
def test_tiers_agree_with_the_definition(x: npt.NDArray[np.float32], scale: float, bits: Bits) -> None:
    assert EXTENSION is not None
    expected = ActivationScale(torch.tensor([scale]), bits).integers(torch.from_numpy(x)).to(torch.int8).tolist()
    for tier in TIERS:
        with native.use_tier(tier):
            assert quantized(EXTENSION, x, scale, bits).tolist() == expected


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("bits", WIDTHS)
def test_nan_becomes_some_integer(extension: ModuleType, tier: str, bits: Bits) -> None:
    with native.use_tier(tier):
        highest = {8: 127, 4: 7, 2: 3, 1: 1}[bits]
        assert quantized(extension, np.full(17, np.nan, dtype=np.float32), 1.0, bits).tolist() == [highest] * 17


@pytest.mark.parametrize(
    ("x", "scale", "bits", "out", "message"),
    [
        (np.zeros(3, np.float32), 1.0, 3, np.zeros(3, np.int8), "bits must be 1, 2, 4 or 8"),
        (np.zeros(3, np.float32), 1.0, 8, np.zeros(2, np.int8), "out must be as long as x"),
        (np.zeros(3, np.float32), 0.0, 8, np.zeros(3, np.int8), "scale must be above 0"),
        (np.zeros(3, np.float32), float("nan"), 8, np.zeros(3, np.int8), "scale must be above 0"),
    ],
)
def test_bad_values_are_refused(
    extension: ModuleType, x: object, scale: float, bits: int, out: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        extension.quantize(x, scale, bits, out)


@pytest.mark.parametrize(
    ("x", "out"),
    [
        (np.zeros(3, np.float64), np.zeros(3, np.int8)),
        (np.zeros((3, 1), np.float32), np.zeros(3, np.int8)),
        (np.zeros(6, np.float32)[::2], np.zeros(3, np.int8)),
        (np.zeros(3, np.float32), np.zeros(3, np.uint8)),
        (np.zeros(3, np.float32), np.zeros(6, np.int8)[::2]),
    ],
)
def test_arrays_are_never_converted(extension: ModuleType, x: object, out: object) -> None:
    with pytest.raises(TypeError):
        extension.quantize(x, 1.0, 8, out)
