"""Which points of a detector learn which object, and how sure they should be."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from farthing.documents.training.losses import pairwise_iou

POINTS_PER_OBJECT = 10
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
LEAST_SIDE = 12.0  # pixels: an object between points is as near to some as one of this size

_TINY = 1e-12


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Objects:
    """The true objects of a batch, filled up to the same number per page.

    Attributes:
        boxes: f32 [batch, objects, 4] (x0, y0, x1, y1) in canvas pixels.
        labels: i64 [batch, objects], 0 in empty places.
        is_real: whether there is an object in a place.
        is_known: bool [batch, classes]: whether the page's data says anything about a class.
    """

    boxes: Float[Tensor, "batch objects 4"]
    labels: Int[Tensor, "batch objects"]
    is_real: Bool[Tensor, "batch objects"]
    is_known: Bool[Tensor, "batch classes"]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Assignment:
    """What each point should say.

    Attributes:
        quality: f32 [batch, points, classes], the wanted scores; 0 for all classes but the object's.
        boxes: f32 [batch, points, 4], the object's box; anything where there is none.
    """

    quality: Float[Tensor, "batch points classes"]
    boxes: Float[Tensor, "batch points 4"]


@torch.no_grad()
def assign(
    scores: Float[Tensor, "batch points classes"],
    boxes: Float[Tensor, "batch points 4"],
    centers: Float[Tensor, "points 2"],
    objects: Objects,
) -> Assignment:
    """Each object goes to the ten points inside it that find it best already.

    How well a point finds an object is t = s^0.5 u^6, with s its score for the object's class and u the overlap of its
    box. A point that several objects want goes to the one it overlaps most. What a point should score is its t, scaled
    so that the best point of an object should score that object's best overlap.

    Args:
        scores: in [0, 1].
        boxes: in canvas pixels.
        centers: of the points, in canvas pixels.
        objects: the truth.

    Source: TOOD, https://arxiv.org/abs/2108.07755, section 3.2, with its exponents as YOLOv8 sets them.
    """
    batch, num_objects = objects.labels.shape
    quality = torch.zeros_like(scores)
    if num_objects == 0:
        return Assignment(quality=quality, boxes=torch.zeros_like(boxes))
    overlap = pairwise_iou(objects.boxes[:, :, None], boxes[:, None])
    index = objects.labels[:, :, None].expand(-1, -1, scores.shape[1])
    score = scores.transpose(1, 2).gather(1, index)
    fit = score**SCORE_POWER * overlap**OVERLAP_POWER
    allowed = _is_inside(centers, objects.boxes) & objects.is_real[:, :, None]
    chosen = _is_best(fit, allowed)
    contested = overlap.masked_fill(~chosen, -1.0)
    owner = contested.argmax(1)
    is_taken = chosen.any(1)
    mine = torch.nn.functional.one_hot(owner, num_objects).transpose(1, 2).bool() & chosen
    best_fit = fit.masked_fill(~mine, 0.0).amax(2, keepdim=True)
    best_overlap = overlap.masked_fill(~mine, 0.0).amax(2, keepdim=True)
    wanted = (fit / best_fit.clamp_min(_TINY) * best_overlap).masked_fill(~mine, 0.0).amax(1)
    label = objects.labels.gather(1, owner)
    quality.scatter_(2, label[:, :, None], (wanted * is_taken)[:, :, None])
    rows = torch.arange(batch, device=boxes.device)[:, None]
    return Assignment(quality=quality, boxes=objects.boxes[rows, owner])


def _is_inside(
    centers: Float[Tensor, "points 2"], boxes: Float[Tensor, "batch objects 4"]
) -> Bool[Tensor, "batch objects points"]:
    """Whether a point lies in a box, or in the square of `LEAST_SIDE` around the middle of a smaller one."""
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    half = ((boxes[..., 2:] - boxes[..., :2]) / 2).clamp_min(LEAST_SIDE / 2)
    return ((centers - middle[:, :, None]).abs() <= half[:, :, None]).all(-1)


def _is_best(
    fit: Float[Tensor, "batch objects points"], allowed: Bool[Tensor, "batch objects points"]
) -> Bool[Tensor, "batch objects points"]:
    """Whether a point is among the `POINTS_PER_OBJECT` allowed ones that fit an object best."""
    ranked = fit.masked_fill(~allowed, -1.0)
    best = ranked.topk(min(POINTS_PER_OBJECT, fit.shape[2]), dim=2).indices
    return torch.zeros_like(allowed).scatter_(2, best, value=True) & allowed
