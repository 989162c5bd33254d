"""Known objects on pages that nobody labelled: crops, freed from their paper, laid over pages as ink is.

A crop becomes the share of light that it lets through: 1 where its paper is bare, less where there is ink. A page under
it becomes page * transmission, so its own paper, light and noise stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from farthing.base.errors import DataError
from farthing.documents.detections import PageLabels
from farthing.vision.images import Pixels

Floats = npt.NDArray[np.float32]

PAPER_PERCENTILE = 97.0  # of grey values: paper, even where ink covers nearly everything
FAINT = 0.1  # a change of light that is noise of the paper, not ink
LEAST_SIDE = 6  # pixels of a planted object
LARGEST_SHARE = 0.9  # of the sides of a page
_CLEARED_SHARE = 0.5  # of the planted objects get a place that was cleared of text first


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Cutout:
    """An object without its paper.

    Attributes:
        transmission: f32 [height, width] in (0, 1], the share of light that it lets through.
        size: (height, width) as a share of the long side of its page.
    """

    transmission: Floats
    size: tuple[float, float]


def cut_out(grey: Pixels, *, page_side: float, name: str = "a crop") -> Cutout:
    """A crop as a cutout.

    Args:
        grey: u8 [height, width].
        page_side: long side of the page that it comes from, in the same pixels.
        name: what messages call it.

    Raises:
        DataError: the crop is smaller than 4 x 4 pixels, or shows nothing but paper.
    """
    height, width = grey.shape
    if min(height, width) < 4:
        raise DataError(f"{name}: must have at least 4 x 4 pixels, got {width} x {height}")
    paper = max(1.0, float(np.percentile(grey, PAPER_PERCENTILE)))
    transmission = np.clip(grey.astype(np.float32) / paper, 0.02, 1)
    transmission[transmission > 1 - FAINT] = 1
    if transmission.min() == 1:
        raise DataError(f"{name}: must show an object, got nothing but paper; cut closer around it")
    share = min(1.0, LARGEST_SHARE / (max(height, width) / page_side))
    return Cutout(transmission=transmission, size=(height / page_side * share, width / page_side * share))


@dataclass(frozen=True, kw_only=True, slots=True)
class PlantConfig:
    """How planted objects vary.

    Attributes:
        most: objects on a page that gets any, >= 1.
        decoys: other things on every page, >= 0 at least and at most.
        bare: share of pages that get none, in [0, 1).
        scale: up to this times larger or smaller than their crops, >= 1.
        turn: up to so many degrees to either side.
        fade: down to this share of their ink, in (0, 1].
    """

    most: int = 2
    decoys: tuple[int, int] = (0, 0)
    bare: float = 0.35
    scale: float = 1.5
    turn: float = 8.0
    fade: float = 0.45


def plant_page(
    grey: Pixels,
    cutouts: Sequence[Cutout],
    config: PlantConfig,
    rng: np.random.Generator,
    *,
    page: str,
    name: str,
    decoys: Sequence[Cutout] = (),
) -> tuple[Pixels, PageLabels]:
    """A page with up to `config.most` of the cutouts on it, none over another, and where they are.

    Whatever is planted has seams. So that seams do not tell an object, decoys are planted in just the same way.

    Args:
        grey: u8 [height, width].
        cutouts: drawn from with replacement.
        config: how they vary.
        rng: draws everything.
        page: what the page is called.
        name: the class of what is planted.
        decoys: drawn from with replacement; not the wanted objects, and not told of.

    Source: distractor objects as in Dwibedi, Misra and Hebert, Cut, Paste and Learn, https://arxiv.org/abs/1708.01642.
    """
    grey = grey.copy()
    count = 0 if rng.random() < config.bare else int(rng.integers(1, config.most + 1))
    num_decoys = int(rng.integers(config.decoys[0], config.decoys[1] + 1)) if decoys else 0
    chosen = [(True, cutouts[int(rng.integers(len(cutouts)))]) for _ in range(count)]
    chosen += [(False, decoys[int(rng.integers(len(decoys)))]) for _ in range(num_decoys)]
    boxes: list[tuple[int, int, int, int]] = []
    taken: list[tuple[int, int, int, int]] = []
    for place in rng.permutation(len(chosen)):
        is_wanted, cutout = chosen[place]
        box = _plant(grey, _varied(cutout, max(grey.shape), config, rng), rng, taken)
        if box is not None:
            taken.append(box)
            boxes.extend([box] if is_wanted else [])
    array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    labels = PageLabels(page=page, width=grey.shape[1], height=grey.shape[0], boxes=array, labels=(name,) * len(boxes))
    return grey, labels


def _varied(cutout: Cutout, page_side: int, config: PlantConfig, rng: np.random.Generator) -> Floats:
    """f32 [height, width] transmission: another size, slant and strength of ink."""
    scale = page_side * np.exp(rng.uniform(-np.log(config.scale), np.log(config.scale)))
    stretch = np.exp(rng.uniform(-0.1, 0.1))
    height = max(LEAST_SIDE, round(cutout.size[0] * scale * stretch))
    width = max(LEAST_SIDE, round(cutout.size[1] * scale / stretch))
    shrinks = height < cutout.transmission.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    ink = 1 - cv2.resize(cutout.transmission, (width, height), interpolation=method)
    ink = _turned(ink.astype(np.float32), rng.uniform(-config.turn, config.turn))
    return np.asarray(1 - ink * rng.uniform(config.fade, 1.0), dtype=np.float32)


def _turned(ink: Floats, degrees: float) -> Floats:
    """`ink` turned around its middle, in a box that holds all of it."""
    height, width = ink.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = round(height * sine + width * cosine), round(height * cosine + width * sine)
    matrix[:, 2] += (wide / 2 - width / 2, high / 2 - height / 2)
    turned = np.asarray(cv2.warpAffine(ink, matrix, (wide, high)), dtype=np.float32)
    rows, columns = np.flatnonzero((turned > FAINT).any(1)), np.flatnonzero((turned > FAINT).any(0))
    if not rows.size:
        return ink
    return turned[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _plant(
    grey: Pixels, transmission: Floats, rng: np.random.Generator, taken: Sequence[tuple[int, int, int, int]]
) -> tuple[int, int, int, int] | None:
    """Lays an object over `grey`; its box, or None where no free place is found."""
    height, width = transmission.shape
    if height > LARGEST_SHARE * grey.shape[0] or width > LARGEST_SHARE * grey.shape[1]:
        ratio = LARGEST_SHARE * min(grey.shape[0] / height, grey.shape[1] / width)
        size = (max(LEAST_SIDE, int(width * ratio)), max(LEAST_SIDE, int(height * ratio)))
        transmission = np.asarray(cv2.resize(transmission, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
        height, width = transmission.shape
    if height > grey.shape[0] or width > grey.shape[1]:
        return None
    for _ in range(8):
        y, x = int(rng.integers(grey.shape[0] - height + 1)), int(rng.integers(grey.shape[1] - width + 1))
        box = (x, y, x + width, y + height)
        if all(box[0] >= b[2] or box[2] <= b[0] or box[1] >= b[3] or box[3] <= b[1] for b in taken):
            place = grey[y : y + height, x : x + width]
            under = (
                np.full_like(place, np.percentile(place, PAPER_PERCENTILE)) if rng.random() < _CLEARED_SHARE else place
            )
            place[...] = np.round(under * transmission).astype(np.uint8)
            return box
    return None
