"""A model of a user's own with every layer kind, and inputs for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec


class Everything(nn.Module):
    """Bags, embeddings, products and convolutions, and parts that no plan quantizes."""

    def __init__(self) -> None:
        super().__init__()
        self.total = nn.EmbeddingBag(50, 8, mode="sum", sparse=True, include_last_offset=True)
        self.average = nn.EmbeddingBag(50, 8, mode="mean")
        self.word = nn.Embedding(10, 5, padding_idx=0)
        self.mlp = nn.Sequential(nn.Linear(21, 19), nn.ReLU(), nn.LayerNorm(19), nn.Linear(19, 3))
        self.image = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.ReLU(), nn.Conv2d(6, 2, 3, bias=False))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """One number per output, [batch, 3 + 2]."""
        total = self.total(batch["indices"], batch["offsets"], batch["weights"])
        average = self.average(batch["indices"], batch["offsets"][:-1])
        features = torch.cat([total, average, self.word(batch["words"])], 1)
        image: Tensor = self.image(batch["images"]).mean((2, 3))
        return torch.cat([self.mlp(features), image], 1)


def batch(num_rows: int = 20) -> dict[str, Tensor]:
    """Inputs, with empty and longer bags and padding among them."""
    ends = torch.cat([torch.tensor([0]), torch.randint(0, 61, (num_rows - 1,)).sort().values, torch.tensor([60])])
    return {
        "indices": torch.randint(0, 50, (60,)),
        "offsets": ends,
        "weights": torch.rand(60),
        "words": torch.arange(num_rows) % 10,
        "images": torch.randn(num_rows, 4, 7, 6),
    }


def plan(quantizer: str, bits: Bits, activation_bits: Any) -> QuantPlan:
    """Each granularity somewhere, and every product with the same activation."""

    def spec(granularity: Granularity | None = None) -> QuantSpec:
        starts = (0, 7, 30) if granularity == "group" else None
        return QuantSpec(bits=bits, quantizer=quantizer, granularity=granularity, group_starts=starts)

    activation = None
    if activation_bits is not None:
        activation = QuantSpec(bits=activation_bits, quantizer="sign-ste" if activation_bits == 1 else "lsq")
    return QuantPlan(
        rules=(
            QuantRule(pattern="total", weight=spec("group")),
            QuantRule(pattern="average", weight=spec("dimension")),
            QuantRule(pattern="word", weight=spec("row")),
            QuantRule(pattern="mlp.3", weight=spec("tensor"), activation=activation),
            QuantRule(pattern="*", weight=spec(), activation=activation),
        )
    )
