"""Mean-teacher training: labelled synthetic pages beside unlabelled target pages that a slow copy of the net labels.

Source: Unbiased Teacher, https://arxiv.org/abs/2102.09480, and Mean Teacher, https://arxiv.org/abs/1703.01780.
    Differences: thresholds are quantiles, per class, of what the teacher says on the target pages; a class that the
    teacher is undecided about on a page costs nothing there; the statistics of the normalisations stay the source's
    (on target pages alone they made rankings worse).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from farthing.documents.adaptation.views import placed, varied
from farthing.documents.config import AugmentConfig
from farthing.documents.detections import Detections
from farthing.documents.judging.metrics import evaluate_pages, mean_metrics
from farthing.documents.net.candidates import Detector
from farthing.documents.net.decode import decode
from farthing.documents.net.inference import detect_greys
from farthing.documents.net.transforms import normalise
from farthing.documents.training.cache import PageCache
from farthing.documents.training.data import PageBatch, TrainBatches
from farthing.documents.training.targets import Objects
from farthing.train.optim import decay_groups

LEAST_SCORE = 0.1  # below, the teacher says no
LEAST_SURE = 0.3  # and nothing below is ever taken for an object, whatever the quantile


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class AdaptBatch:
    """Labelled pages and target pages of one step."""

    source: PageBatch
    target: PageBatch

    @property
    def num_rows(self) -> int:
        """Pages of both kinds."""
        return self.source.num_rows + self.target.num_rows


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class AdaptBatches:
    """Pairs of batches.

    Attributes:
        source: of labelled pages.
        target: of unlabelled ones, as many.
    """

    source: TrainBatches
    target: TrainBatches

    @property
    def num_batches(self) -> int:
        """Steps of an epoch."""
        return self.source.num_batches

    def epoch(self, epoch: int, start_batch: int) -> Iterator[AdaptBatch]:
        """The batches of `epoch` from `start_batch` on."""
        pairs = zip(self.source.epoch(epoch, start_batch), self.target.epoch(epoch, start_batch), strict=True)
        return (AdaptBatch(source=source, target=target) for source, target in pairs)


class MeanTeacher(nn.Module):
    """A student, which is trained, and a teacher, the running mean of the student's weights.

    Args:
        detector: what both start as.
        momentum: share of the teacher that a step keeps, in [0, 1).
    """

    def __init__(self, detector: Detector, *, momentum: float) -> None:
        super().__init__()
        self.student = detector
        self.teacher = copy.deepcopy(detector).requires_grad_(requires_grad=False)
        self._momentum = momentum

    def train(self, mode: bool = True) -> MeanTeacher:
        """Switches the student; the teacher, and the statistics of all normalisations, stay in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        for module in self.student.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    @torch.no_grad()
    def follow(self) -> None:
        """Teacher = momentum teacher + (1 - momentum) student."""
        for old, new in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            old.lerp_(new, 1 - self._momentum)


class TeachTask:
    """Trains a `MeanTeacher`.

    Args:
        model: on its device.
        labelled: the labelled pages.
        held_out: those of them to measure on.
        target: the unlabelled pages.
        classes: what is looked for.
        long_side: of a page as the net sees it.
        augment: how pages are varied.
        config: weights and rates.
    """

    def __init__(
        self,
        model: MeanTeacher,
        *,
        labelled: PageCache,
        held_out: Sequence[int],
        target: PageCache,
        classes: tuple[str, ...],
        long_side: int,
        augment: AugmentConfig,
        config: TeachConfig,
    ) -> None:
        self.model: nn.Module = model
        self._pair = model
        self._labelled, self._held_out, self._target = labelled, held_out, target
        self._classes, self._long_side, self._augment, self._config = classes, long_side, augment, config
        self._device = next(model.parameters()).device
        groups = decay_groups(model.student, weight_decay=config.weight_decay)
        self.optimizers: list[Optimizer] = [AdamW(groups, lr=config.lr)]
        self._sure = self._quantiles()

    def loss(self, batch: AdaptBatch) -> Tensor:
        """The loss of labelled pages + `target_weight` times that of target pages with the teacher's labels."""
        student = self._pair.student
        images, objects = varied(batch.source, self._augment, self._device)
        loss = student.loss(images, objects)
        seen, objects = self._taught(batch.target)
        return loss + self._config.target_weight * student.loss(seen, objects)

    def after_step(self, step: int) -> None:
        """The teacher follows."""
        del step
        self._pair.follow()

    def evaluate(self) -> dict[str, float]:
        """`score`, `page_ap`, `ap50` of the teacher on held-out labelled pages; renews the thresholds."""
        truth = [self._labelled.pages[index].labels for index in self._held_out]
        greys = [self._labelled.pixels(index) for index in self._held_out]
        found = self._detect([*greys], [(page.height, page.width) for page in truth])
        self._sure = self._quantiles()
        return mean_metrics(evaluate_pages(found, truth))

    def state_dict(self) -> dict[str, Any]:  # Any: see Task
        """The thresholds."""
        return {"sure": self._sure}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the thresholds back."""
        self._sure = state["sure"]

    @torch.no_grad()
    def _taught(self, batch: PageBatch) -> tuple[Tensor, Objects]:
        """Target pages as the student sees them, and what the teacher finds on them in better light."""
        images, inside, _, augmenter = placed(batch, self._augment, self._device)
        candidates = self._pair.teacher(normalise(images, inside))
        height, width = images.shape[-2:]
        canvas = torch.tensor([[height, width]] * len(images), dtype=torch.float32, device=self._device)
        found = decode(candidates, canvas, [(height, width)] * len(images), self._classes)
        objects = teach(found, self._sure, device=self._device)
        return normalise(augmenter.shade(images), inside), objects

    def _quantiles(self) -> Float[Tensor, " classes"]:
        """Per class, the score from which on the teacher is believed."""
        count = min(len(self._target), self._config.quantile_pages)
        shapes = self._target.shapes[:count]
        with torch.no_grad():
            found = self._detect([self._target.pixels(index) for index in range(count)], shapes)
        scores = np.array([list(page.page_scores().values()) for page in found])
        return torch.tensor([sure_score(column, self._config.sure_share) for column in scores.T])

    def _detect(self, greys: list[Any], sizes: Sequence[tuple[int, int]]) -> list[Detections]:
        return detect_greys(
            self._pair.teacher, greys, sizes, classes=self._classes, long_side=self._long_side, device=self._device
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TeachConfig:
    """How a `MeanTeacher` is trained.

    Attributes:
        lr: of AdamW, > 0.
        weight_decay: of AdamW, >= 0.
        target_weight: of the loss of target pages, >= 0.
        momentum: of the teacher, in [0, 1).
        sure_share: share of the pages with any sign of a class that are believed to show it, in (0, 1].
        quantile_pages: target pages that thresholds are taken from, at most.
    """

    lr: float = 3e-4
    weight_decay: float = 0.05
    target_weight: float = 0.5
    momentum: float = 0.998
    sure_share: float = 0.5
    quantile_pages: int = 200


def sure_score(scores: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> float:
    """The score from which on a page is believed to show a class: that of the best `share` of those with any sign.

    Args:
        scores: f64 [pages], the best of each.
        share: in (0, 1].
    """
    signs = scores[scores >= LEAST_SCORE]
    return max(LEAST_SURE, float(np.quantile(signs, 1 - share))) if len(signs) else 1.0


def teach(found: Sequence[Detections], sure: Float[Tensor, " classes"], *, device: torch.device) -> Objects:
    """What a teacher found, as the truth for a student.

    Boxes from `sure` on are objects. A class with a box between `LEAST_SCORE` and `sure` on a page is not known there.

    Args:
        found: on each page, boxes in canvas pixels.
        sure: per class.
        device: of the result.
    """
    limits = sure.numpy()
    chosen = [np.flatnonzero(page.scores >= limits[page.labels]) for page in found]
    most = max(len(rows) for rows in chosen)
    boxes, labels = np.zeros((len(found), most, 4), np.float32), np.zeros((len(found), most), np.int64)
    is_known = np.ones((len(found), len(limits)), dtype=bool)
    for place, (page, rows) in enumerate(zip(found, chosen, strict=True)):
        boxes[place, : len(rows)], labels[place, : len(rows)] = page.boxes[rows], page.labels[rows]
        is_doubtful = (page.scores >= LEAST_SCORE) & (page.scores < limits[page.labels])
        is_known[place, page.labels[is_doubtful]] = False
    counts = torch.tensor([len(rows) for rows in chosen])
    return Objects(
        boxes=torch.from_numpy(boxes).to(device),
        labels=torch.from_numpy(labels).to(device),
        is_real=(torch.arange(most) < counts[:, None]).to(device),
        is_known=torch.from_numpy(is_known).to(device),
    )
