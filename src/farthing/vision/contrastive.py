"""Contrastive losses: views of one image, or images of one class, nearer to each other than to all others."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def info_nce(first: Float[Tensor, "n dim"], second: Float[Tensor, "n dim"], *, temperature: float) -> Float[Tensor, ""]:
    """Mean over all 2n views i of -log(exp(z_i z_j / t) / sum over k != i of exp(z_i z_k / t)), j the other view of i.

    Args:
        first: one view of each image, of length 1, n >= 1.
        second: another view of each, likewise.
        temperature: t > 0.

    Source: SimCLR, Chen et al., https://arxiv.org/abs/2002.05709, equation 1 (NT-Xent).
    """
    image = torch.arange(len(first), device=first.device)
    return supervised_contrastive(torch.cat([first, second]), torch.cat([image, image]), temperature=temperature)


def supervised_contrastive(
    features: Float[Tensor, "n dim"], labels: Int[Tensor, " n"], *, temperature: float
) -> Float[Tensor, ""]:
    """Mean over i of the mean over p != i of i's class of -log(exp(z_i z_p / t) / sum over k != i of exp(z_i z_k / t)).

    An i without another of its class is left out; 0 where that leaves none.

    Args:
        features: of length 1.
        labels: the class of each.
        temperature: t > 0.

    Source: Khosla et al., https://arxiv.org/abs/2004.11362, equation 2 (the sum outside the logarithm).
    """
    others = ~torch.eye(len(features), dtype=torch.bool, device=features.device)
    similarities = (features @ features.T / temperature).masked_fill(~others, -torch.inf)
    log_shares = similarities - similarities.logsumexp(1, keepdim=True)
    together = (labels[:, None] == labels) & others
    partners = together.sum(1)
    sums = log_shares.masked_fill(~together, 0.0).sum(1)
    has_partner = partners > 0
    return -(sums / partners.clamp_min(1)).sum() / has_partner.sum().clamp_min(1)
