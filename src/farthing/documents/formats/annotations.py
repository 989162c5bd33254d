"""Annotations of any origin, checked: names translated, boxes inside their pages, pages inside the collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from farthing.documents.classes import CLASSES
from farthing.documents.detections import PageLabels
from farthing.documents.formats.names import class_name
from farthing.documents.formats.records import PageRecord, Warnings
from farthing.vision.boxes import Boxes, clip

# How far a box may reach over the edge of its page, in pixels, before that is worth a warning.
_ROUNDING = 0.5


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Annotations:
    """The labelled pages of a collection.

    Attributes:
        pages: their objects; pages without any are there too.
        classes: the names that may occur, `CLASSES` first, in their order.
        warnings: what was left out or changed while reading, one sentence per kind, with its count and first place.
    """

    pages: tuple[PageLabels, ...]
    classes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def checked(record: PageRecord, page: str, *, classes: Sequence[str] | None, warnings: Warnings) -> PageLabels:
    """The objects of one page that can be used; the others are counted.

    Args:
        record: the page as written.
        page: its name in the collection.
        classes: names to keep; None keeps all.
        warnings: counts what is left out.
    """
    kept: list[tuple[str, Boxes]] = []
    for written, corners in record.objects:
        name = class_name(written, wanted=classes or ())
        if name is None:
            continue
        if classes is not None and name not in classes:
            warnings.add(f"boxes of class {written!r} are left out: not one of {', '.join(classes)}", page)
        elif (box := _inside(np.array([corners]), record, warnings)) is not None:
            kept.append((name, box))
    boxes = np.concatenate([box for _, box in kept]) if kept else np.zeros((0, 4), np.float32)
    return PageLabels(
        page=page, width=record.width, height=record.height, boxes=boxes, labels=tuple(name for name, _ in kept)
    )


def _inside(box: Boxes, record: PageRecord, warnings: Warnings) -> Boxes | None:
    """The part of a box [1, 4] inside its page as f32, None where there is none."""
    inner = clip(box, record.width, record.height)
    if not np.isfinite(box).all() or (inner[:, 2:] <= inner[:, :2]).any():
        warnings.add("boxes are left out: empty, or outside their page", record.page)
        return None
    if np.abs(inner - box).max() > _ROUNDING:
        warnings.add("boxes reach over the edge of their page and are cut there", record.page)
    return inner.astype(np.float32)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Distinct class names: those of `CLASSES` in their order, then others by alphabet."""
    found = set(names)
    return tuple(name for name in CLASSES if name in found) + tuple(sorted(found - set(CLASSES)))
