"""Click-through training as a `train.Task`: binary cross-entropy, Adam, AUC on the validation split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from farthing.recommend.clicks import ClickBatch
from farthing.recommend.config import TrainConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.metrics import click_probability, evaluate
from farthing.recommend.model import Dlrm
from farthing.recommend.optimizers import build_optimizers

EVAL_BATCH_SIZE = 8192


@dataclass(frozen=True, slots=True)
class TrainBatches:
    """The training split in a new order every epoch, as `fit` wants it."""

    dataset: Dataset
    table_rows: tuple[int, ...]
    batch_size: int
    seed: int

    @property
    def num_batches(self) -> int:
        """Steps per epoch."""
        return self.dataset.num_batches("train", self.batch_size)

    def epoch(self, epoch: int, start_batch: int) -> Iterator[ClickBatch]:
        """The batches of `epoch` from `start_batch` on."""
        return self.dataset.batches(
            "train",
            table_rows=self.table_rows,
            batch_size=self.batch_size,
            shuffle_seed=self.seed,
            epoch=epoch,
            start_batch=start_batch,
        )


class ClickTask:
    """Trains a (prepared) DLRM on logged clicks and, where there is a teacher, on what that one thinks of them.

    A click is one draw from a probability. A teacher's estimate of that probability says more than the draw, above all
    to a student with few bits. Source: Hinton et al., arXiv 1503.02531, at temperature 1.
    """

    def __init__(
        self,
        model: Dlrm,
        *,
        dataset: Dataset,
        table_rows: tuple[int, ...],
        config: TrainConfig,
        teacher: Dlrm | None = None,
    ) -> None:
        self.model = model
        self._teacher, self._teacher_weight = teacher, config.teacher_weight
        self._dataset, self._table_rows = dataset, table_rows
        self._label = dataset.labels("valid")
        num_rows = dataset.manifest.splits["train"].num_rows
        self.optimizers = build_optimizers(model, config, weight_decay=config.embedding_prior / num_rows)

    def loss(self, batch: ClickBatch) -> Tensor:
        """Mean binary cross-entropy in nats."""
        logits = self.model(batch.dense, batch.indices, batch.offsets)
        return F.binary_cross_entropy_with_logits(logits, self._target(batch))

    def _target(self, batch: ClickBatch) -> Tensor:
        """[batch] float32: the labels, mixed with the teacher's probabilities where there is one."""
        if self._teacher is None:
            return batch.label
        with torch.no_grad():
            probability = self._teacher(batch.dense, batch.indices, batch.offsets).sigmoid()
        return torch.lerp(batch.label, probability, self._teacher_weight)

    def after_step(self, step: int) -> None:
        """Nothing: a teacher stays as it is."""

    def evaluate(self) -> dict[str, float]:
        """The metrics of the validation split."""
        return evaluate(self._label, probabilities(self.model, self._dataset, "valid", table_rows=self._table_rows))

    def state_dict(self) -> dict[str, Any]:  # Any: see Task
        """Nothing beyond model and optimizers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing beyond model and optimizers."""


@torch.inference_mode()
def probabilities(
    model: Callable[[Tensor, Tensor, Tensor], Tensor], dataset: Dataset, split: str, *, table_rows: tuple[int, ...]
) -> np.ndarray:
    """f64 [rows]: the click probability of every row of `split`, in its order."""
    batches = dataset.batches(split, table_rows=table_rows, batch_size=EVAL_BATCH_SIZE, shuffle_seed=None)
    logits = [model(batch.dense, batch.indices, batch.offsets) for batch in batches]
    return click_probability(torch.cat(logits).double().numpy())
