"""What a model costs: multiply-adds by bit width, and the bytes of its embedding tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from torch import nn

from farthing.recommend.config import FLOAT_BITS, Width
from farthing.recommend.model import Dlrm
from farthing.recommend.precision import scale_groups

SEED_TABLE_BATCH = 5000
SEED_TABLE_BINARY_SHARE = 1 / 32


def multiply_adds(model: Dlrm) -> dict[str, int]:
    """Multiply-adds of one sample by operand widths, as {"w32a32": ..., "w4a8": ...}.

    Counts the linear layers and the interaction, whose float matrix product computes all V x V pairs of vectors.
    Lookups, sums of bags, norms and activations have no multiply-adds worth counting.
    """
    counts: Counter[str] = Counter()
    for module in model.modules():
        if isinstance(module, nn.Linear):
            counts[_width(module)] += module.in_features * module.out_features
    counts["w32a32"] += model.num_vectors**2 * model.embedding_dim
    return dict(counts)


def _width(module: nn.Linear) -> str:
    weight, activation = (getattr(module, f"{part}_quantizer", None) for part in ("weight", "activation"))
    return f"w{weight.bits if weight else FLOAT_BITS}a{activation.bits if activation else FLOAT_BITS}"


def operations(counts: Mapping[str, int]) -> dict[str, float]:
    """`mflops` = 2 x multiply-adds / 1e6 of one sample, in all and by width, and `mflops_seed`.

    `mflops_seed` counts as the table that this project started from: multiply-adds, not doubled, for 5,000 samples, a
    1-bit one as 1/32.
    """
    result = {"mflops": 2e-6 * sum(counts.values())}
    result |= {f"mflops_{width}": 2e-6 * count for width, count in sorted(counts.items())}
    weighted = sum(count * (SEED_TABLE_BINARY_SHARE if width == "w1a1" else 1) for width, count in counts.items())
    return result | {"mflops_seed": 1e-6 * SEED_TABLE_BATCH * weighted}


def embedding_bytes(model: Dlrm, bits: Width) -> int:
    """Bytes of the embedding codes and their scales, as stored: below 32 bits also one f32 scale per group of rows."""
    rows, dim = sum(model.table_rows), model.embedding_dim
    codes = rows * -(-dim * bits // 8)
    return codes + (4 * len(scale_groups(model.table_rows, bits)) if bits != FLOAT_BITS else 0)
