from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.lowbit import packing


@pytest.fixture(scope="module")
def native() -> Any:  # Any: a module
    return pytest.importorskip("farthing._native", reason="the native extension is not built (make install)")


@given(num_codes=st.integers(0, 4096), bits=st.sampled_from([1, 2, 4, 8]))
def test_rows_are_as_long_as_the_definition_says(native: Any, num_codes: int, bits: int) -> None:
    assert native.row_bytes(num_codes, bits) == packing.row_bytes(num_codes, bits)


@pytest.mark.parametrize("bits", [0, 3, 16])
def test_other_widths_are_refused(native: Any, bits: int) -> None:
    with pytest.raises(ValueError, match="bits must be 1, 2, 4 or 8"):
        native.row_bytes(8, bits)


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="reads the flags of /proc/cpuinfo on x86-64"
)
def test_features_are_those_the_kernel_lists(native: Any) -> None:
    flags = next(
        line.partition(":")[2].split() for line in Path("/proc/cpuinfo").read_text().splitlines() if "flags" in line
    )
    renamed = {"avx512vnni": "avx512_vnni"}
    assert native.cpu_features() == {name: renamed.get(name, name) in flags for name in native.cpu_features()}


def test_the_scalar_tier_runs_everywhere_and_the_others_where_their_features_are(native: Any) -> None:
    features, tiers = native.cpu_features(), native.usable_tiers()
    assert tiers[0] == "scalar"
    assert ("avx2" in tiers) == (features["avx2"] and features["fma"] and features["bmi2"])
    assert ("neon" in tiers) == features["neon"]
