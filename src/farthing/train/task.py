"""What `fit` asks of a task, of its batches and of a progress display.

`fit` knows steps, evaluation, clipping, non-finite losses, checkpoints, progress and logging; a `Task` knows the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn
from torch.optim import Optimizer


class Batch(Protocol):
    """Any training batch; `fit` only counts its rows."""

    @property
    def num_rows(self) -> int:
        """Number of samples in this batch."""


BatchT = TypeVar("BatchT", bound=Batch)
BatchT_co = TypeVar("BatchT_co", bound=Batch, covariant=True)
BatchT_contra = TypeVar("BatchT_contra", bound=Batch, contravariant=True)


class Batches(Protocol[BatchT_co]):
    """The training data: the same batches in the same order whenever an epoch is asked for."""

    @property
    def num_batches(self) -> int:
        """Number of batches of every epoch, at least 1."""

    def epoch(self, epoch: int, start_batch: int) -> Iterator[BatchT_co]:
        """The batches `start_batch`, `start_batch + 1`, ... of `epoch` (both count from 0).

        The order is a function of `epoch` alone. It must not draw from the global random generators: a resumed run
        enters in the middle of an epoch and would otherwise see other numbers than an uninterrupted one.
        """


class Task(Protocol[BatchT_contra]):
    """A model with its optimizers and losses: what is trained, while `fit` knows how."""

    @property
    def model(self) -> nn.Module:
        """The trained module. Its `state_dict` is checkpointed, and holds the best weights when `fit` returns."""

    @property
    def optimizers(self) -> Sequence[Optimizer]:
        """Every optimizer, in a fixed order; `fit` steps them all, and scales their learning rates alike."""

    def loss(self, batch: BatchT_contra) -> Tensor:
        """The scalar to minimise, with gradient. The model is in training mode."""

    def after_step(self, step: int) -> None:
        """Called after optimizer step number `step` (from 1): a teacher update, a re-clustering, or nothing."""

    def evaluate(self) -> dict[str, float]:
        """Validation metrics by name. The model is in evaluation mode and gradients are off."""

    # Any: a tree of tensors and JSON scalars has no useful recursive type across a protocol
    def state_dict(self) -> dict[str, Any]:
        """State beyond model and optimizers: nested dicts and lists of tensors and JSON scalars; may be empty."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""


class Progress(Protocol):
    """A display that `fit` reports to; the library itself never prints."""

    def start(self, *, total_steps: int, step: int) -> None:
        """Training begins at `step` (0, or later when resumed) of at most `total_steps`."""

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        """`steps` more steps over `rows` samples in all are done, the last at this training loss."""

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """An evaluation gave `metrics`."""

    def stop(self) -> None:
        """Training is over, for whatever reason; called exactly once after `start`."""


class NoProgress:
    """A `Progress` that shows nothing."""

    def start(self, *, total_steps: int, step: int) -> None:
        """Shows nothing."""

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        """Shows nothing."""

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Shows nothing."""

    def stop(self) -> None:
        """Shows nothing."""
