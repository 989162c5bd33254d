"""From what a detector says at its points to objects on pages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from farthing.documents.detections import Detections
from farthing.documents.net.candidates import Candidates
from farthing.vision.boxes import clip, non_maximum_suppression

LEAST_SCORE = 0.05
MAX_BOXES = 100
LEAST_SIDE = 1.0  # pixels of the canvas that a box has on the page
SAME_OBJECT_OVERLAP = 0.6
PAGE_POWER = 0.2  # chosen on synthetic pages: the best mean of page AP and AP50 of 0, 0.2, 0.35, 0.5 and 0.65
_MAX_CANDIDATES = 400  # per page, before overlapping ones are dropped


def decode(
    candidates: Candidates, sizes: Float[Tensor, "batch 2"], pages: list[tuple[int, int]], classes: tuple[str, ...]
) -> list[Detections]:
    """What is found on each page.

    A page's objects are those with a score of 0.05 or more, at most 100, and for every class at least the best one
    however low its score: the pages of a collection are ranked by these, down to the last.

    Args:
        candidates: of a batch.
        sizes: (height, width) of each page on the canvas, in canvas pixels.
        pages: (height, width) of each page in page pixels.
        classes: their names.
    """
    low, high = candidates.boxes.clamp_min(0).minimum(sizes.flip(1).repeat(1, 2)[:, None]).chunk(2, dim=2)
    is_on_page = (high - low).amin(2, keepdim=True) >= LEAST_SIDE
    scores = _scores(candidates) * is_on_page
    chosen = _chosen(scores)
    found = []
    for index, (height, width) in enumerate(pages):
        points, labels = chosen[index]
        ratio = torch.tensor([width, height] * 2) / sizes[index].flip(0).repeat(2).cpu()
        boxes = clip(np.asarray((candidates.boxes[index, points].cpu() * ratio).numpy(), np.float32), width, height)
        found.append(_suppressed(boxes, scores[index, points, labels].cpu().numpy(), labels.cpu().numpy(), classes))
    return found


def _scores(candidates: Candidates) -> Float[Tensor, "batch points classes"]:
    """s^0.8 p^0.2: what a point says of an object, s, in the light of what the page as a whole shows, p.

    A point scores the overlap of its box, which is hard to foresee where an object is large; that the page shows one is
    often plain. All boxes of a class on a page share p: pages change places, boxes of one page do not.
    """
    page = candidates.page_logits.sigmoid()[:, None]
    return candidates.logits.sigmoid() ** (1 - PAGE_POWER) * page**PAGE_POWER


def _chosen(scores: Float[Tensor, "batch points classes"]) -> list[tuple[Tensor, Tensor]]:
    """Points and labels of the candidates of each page: the high ones, and the best of each class."""
    num_classes = scores.shape[2]
    flat = scores.flatten(1)
    top = flat.topk(min(_MAX_CANDIDATES, flat.shape[1]), dim=1)
    best = scores.argmax(1) * num_classes + torch.arange(num_classes, device=scores.device)
    chosen = []
    for index in range(len(scores)):
        high = top.indices[index][top.values[index] >= LEAST_SCORE]
        places = torch.cat([high, best[index]]).unique()
        chosen.append((places // num_classes, places % num_classes))
    return chosen


def _suppressed(
    boxes: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    classes: tuple[str, ...],
) -> Detections:
    """The candidates without those that overlap a better one of their class, best first."""
    kept = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        survivors = non_maximum_suppression(boxes[members], scores[members], threshold=SAME_OBJECT_OVERLAP)
        kept.append(members[survivors])
    first = [members[:1] for members in kept]
    rest = [members[1:] for members in kept]
    others = np.concatenate(rest)
    others = others[np.argsort(-scores[others], kind="stable")][: MAX_BOXES - len(first)]
    order = np.concatenate([*first, others])
    order = order[np.argsort(-scores[order], kind="stable")]
    return Detections(boxes=boxes[order], scores=scores[order], labels=labels[order], classes=classes)
