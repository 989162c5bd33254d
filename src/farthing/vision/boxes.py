"""Axis-aligned boxes: conversion, overlap, non-maximum suppression.

A box is (x0, y0, x1, y1) in pixels, x to the right, y down, x1 and y1 exclusive.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]

_TINY = 1e-9  # keeps an empty box from dividing by zero


def from_xywh(boxes: Boxes) -> Boxes:
    """[n, 4] (x, y, width, height), as COCO writes them -> (x0, y0, x1, y1)."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def to_xywh(boxes: Boxes) -> Boxes:
    """[n, 4] (x0, y0, x1, y1) -> (x, y, width, height), as COCO writes them."""
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def area(boxes: Boxes) -> Scores:
    """[n] areas in square pixels; 0 for a box that is inside out."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def clip(boxes: Boxes, width: float, height: float) -> Boxes:
    """[n, 4] the parts of the boxes inside a page of this size."""
    return np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype))


def intersection(first: Boxes, second: Boxes) -> Scores:
    """[n, m] areas that each box of [n, 4] shares with each of [m, 4]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(high - low, 0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def iou(first: Boxes, second: Boxes) -> Scores:
    """[n, m] intersection over union of each box of [n, 4] with each of [m, 4]."""
    shared = intersection(first, second)
    union = area(first)[:, None] + area(second)[None] - shared
    return np.asarray(shared / np.maximum(union, _TINY))


def non_maximum_suppression(boxes: Boxes, scores: Scores, *, threshold: float) -> npt.NDArray[np.int64]:
    """Positions of the boxes to keep, best score first: each dropped box overlaps a better kept one by `threshold`.

    Args:
        boxes: [n, 4].
        scores: [n].
        threshold: intersection over union, in (0, 1], from which on two boxes show the same thing.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = iou(boxes[order], boxes[order]) >= threshold
    kept = np.ones(len(order), dtype=bool)
    for position in range(len(order)):
        if kept[position]:
            kept[position + 1 :] &= ~overlaps[position, position + 1 :]
    return order[kept]
