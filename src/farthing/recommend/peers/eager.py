"""PyTorch as it comes: the DLRM in float32, eagerly."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from farthing.recommend.clicks import ClickBatch
from farthing.recommend.model import Dlrm
from farthing.recommend.peers.engine import Network, Scores, Subject


def build(subject: Subject) -> Mapping[str, Network]:
    """One variant, which follows torch's threads."""
    return {"fp32": on_batches(subject.plain)}


def on_batches(network: Dlrm) -> Network:
    """The network of an eager DLRM."""

    def prepare(batch: ClickBatch) -> Scores:
        def score() -> torch.Tensor:
            logits: torch.Tensor = network(batch.dense, batch.indices, batch.offsets)
            return logits

        return score

    return prepare
