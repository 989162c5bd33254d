"""A small classification task with everything that a resumed run has to bring back.

Three kinds of optimizer state, dropout (torch's generator), noise from numpy's and Python's generators, a running mean
outside the model, and a validation metric that goes up and down.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from farthing.train.sparse import RowAdam

NUM_ROWS, NUM_FIELDS, TABLE_ROWS, DIM = 16, 3, 40, 4


@dataclass(frozen=True)
class ToyBatch:
    """indices i64 [rows, fields], label f32 [rows]."""

    indices: Tensor
    label: Tensor

    @property
    def num_rows(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class ToyBatches:
    num_batches: int = 6

    def epoch(self, epoch: int, start_batch: int) -> Iterator[ToyBatch]:
        for number in range(start_batch, self.num_batches):
            generator = torch.Generator().manual_seed(1000 * epoch + number)
            indices = torch.randint(TABLE_ROWS, (NUM_ROWS, NUM_FIELDS), generator=generator)
            yield ToyBatch(indices, (indices.sum(1) % 2).float())


class ToyModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(TABLE_ROWS, DIM, sparse=True)
        self.sign = nn.Embedding(TABLE_ROWS, DIM, sparse=True)
        self.hidden = nn.Linear(NUM_FIELDS * DIM, 8)
        self.dropout = nn.Dropout(0.2)
        self.out = nn.Linear(8, 1)

    def forward(self, indices: Tensor) -> Tensor:
        x = (self.table(indices) + self.sign(indices)).flatten(1)
        logit: Tensor = self.out(self.dropout(F.relu(self.hidden(x)))).squeeze(1)
        return logit


class ToyTask:
    def __init__(self, lr: float = 0.01) -> None:
        torch.manual_seed(0)
        self.model = ToyModel()
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(self.model.hidden.parameters(), lr=lr, weight_decay=1e-3),
            torch.optim.SparseAdam([self.model.sign.weight], lr=lr),
            RowAdam([self.model.table.weight], lr=lr, weight_decay=1e-3),
            torch.optim.Adagrad(self.model.out.parameters(), lr=lr),
        ]
        self.mean = torch.zeros(8)

    def loss(self, batch: ToyBatch) -> Tensor:
        noise = 0.01 * float(np.random.standard_normal()) + 0.01 * random.gauss(0, 1)  # noqa: NPY002 - on purpose
        return F.binary_cross_entropy_with_logits(self.model(batch.indices) + noise, batch.label)

    def after_step(self, step: int) -> None:
        self.mean.lerp_(self.model.hidden.bias.detach(), 0.1)

    def evaluate(self) -> dict[str, float]:
        rows = torch.arange(TABLE_ROWS * NUM_FIELDS) % TABLE_ROWS
        logit = self.model(rows.view(-1, NUM_FIELDS)).detach()
        return {"auc": float(logit.std()), "log_loss": float(logit.abs().mean())}

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.mean = state["mean"]

    def digest(self) -> str:
        """SHA-256 over weights, optimizer states, generators and own state, written without farthing's own code."""
        parts: list[bytes] = [torch.get_rng_state().numpy().tobytes(), self.mean.numpy().tobytes()]
        _, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
        parts += [np.asarray(keys).tobytes(), repr(rest).encode()]
        parts.append(repr(random.getstate()).encode())
        parts += [value.numpy().tobytes() for value in self.model.state_dict().values()]
        for optimizer in self.optimizers:
            for state in optimizer.state.values():
                parts += [v.numpy().tobytes() if isinstance(v, Tensor) else repr(v).encode() for v in state.values()]
        return hashlib.sha256(b"".join(parts)).hexdigest()
