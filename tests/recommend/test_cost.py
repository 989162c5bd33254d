from __future__ import annotations

import pytest

from farthing.recommend.config import ModelConfig, Width
from farthing.recommend.cost import embedding_bytes, multiply_adds, operations
from farthing.recommend.model import Dlrm
from farthing.recommend.precision import build_model
from farthing.recommend.presets import PRESETS, seed_binary

CRITEO = (3,) * 26


def test_counts_of_the_published_model() -> None:
    """13*512 + 512*256 + 256*64 + 64*16 + 367*512 + 512*256 + 256, and 27 x 27 products of dim 16."""
    model = Dlrm(num_dense=13, table_rows=CRITEO, config=ModelConfig())
    linear = 13 * 512 + 512 * 256 + 256 * 64 + 64 * 16 + 367 * 512 + 512 * 256 + 256
    assert multiply_adds(model) == {"w32a32": linear + 27 * 27 * 16}


def test_seed_table_of_full_precision() -> None:
    """The mission's table says 2430 MFLOPs for full precision."""
    model = Dlrm(num_dense=13, table_rows=CRITEO, config=ModelConfig())
    assert operations(multiply_adds(model))["mflops_seed"] == pytest.approx(2430, rel=1e-3)


def test_seed_table_of_the_binary_model() -> None:
    """The mission's table says 974 MFLOPs; ours leaves out what it counted besides products (norms, activations)."""
    config = seed_binary()
    model = build_model(num_dense=13, table_rows=CRITEO, model=config.model, precision=config.precision)
    counts = multiply_adds(model)
    assert counts["w1a1"] == 367 * 512 + 512 * 256 + 256
    assert operations(counts)["mflops_seed"] == pytest.approx(974, rel=0.15)


@pytest.mark.parametrize(
    ("preset", "widths"),
    [
        ("fp32", {"w32a32"}),
        ("int8", {"w32a32", "w8a8"}),
        ("int4", {"w32a32", "w8a8", "w4a8"}),
        ("int2", {"w32a32", "w8a8", "w4a8"}),
        ("binary", {"w32a32", "w8a8", "w1a1"}),
    ],
)
def test_widths_of_presets(preset: str, widths: set[str]) -> None:
    config = PRESETS[preset]()
    model = build_model(num_dense=13, table_rows=CRITEO, model=config.model, precision=config.precision)
    counts = multiply_adds(model)
    assert set(counts) == widths
    assert operations(counts)["mflops"] == pytest.approx(2e-6 * sum(counts.values()))


@pytest.mark.parametrize(
    ("bits", "expected"), [(32, 78 * 64), (8, 78 * 16 + 104), (4, 78 * 8 + 104), (1, 78 * 2 + 104)]
)
def test_embedding_bytes(bits: Width, expected: int) -> None:
    model = Dlrm(num_dense=13, table_rows=CRITEO, config=ModelConfig())
    assert embedding_bytes(model, bits) == expected
