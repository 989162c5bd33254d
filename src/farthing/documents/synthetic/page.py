"""One synthetic page: its image, and where its objects are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from farthing.documents.detections import PageLabels
from farthing.documents.page import Page
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.degrade import degrade
from farthing.documents.synthetic.drawing import Pixels
from farthing.documents.synthetic.filling import fill_page, fill_strip
from farthing.documents.synthetic.layers import Layers, Rect
from farthing.documents.synthetic.layout import Wish
from farthing.documents.synthetic.paper import compose, make_paper
from farthing.documents.synthetic.planning import plan_distractors, plan_objects
from farthing.documents.synthetic.scene import Frame, assemble, moved, sample_frame
from farthing.documents.synthetic.style import PageStyle, choose_capture, choose_era, sample_style
from farthing.documents.synthetic.warp import Warp, sample_warp

_BLEED_SHARE = 0.3
_LEAST_PX = 5.0  # a box that is smaller shows nothing that could be recognised
_LEAST_CONTRAST = 14.0  # grey values between ink and paper, below which an object has faded away


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class SyntheticPage:
    """A page and the truth about it.

    Attributes:
        page: the image.
        labels: its objects, boxes in the pixels of the image.
    """

    page: Page
    labels: PageLabels


def synthesize_page(
    seed: int | np.random.SeedSequence, config: SynthesisConfig | None = None, *, name: str = "page.jpg"
) -> SyntheticPage:
    """A page; the same seed, config and fonts give the same bytes.

    Args:
        seed: of everything.
        config: what pages are made of.
        name: the page's id.
    """
    config = config or SynthesisConfig()
    rng = np.random.default_rng(seed)
    era = choose_era(rng, config)
    capture = choose_capture(rng, era)
    long_side = int(rng.integers(config.min_side, config.max_side + 1))
    frame = sample_frame(rng, capture, long_side=long_side, is_spread=rng.random() < config.spread_share)
    place = frame.pages[0]
    style = sample_style(rng, era, capture, int(place.width), int(place.height))
    is_bare = rng.random() < config.bare_share
    wishes = [] if is_bare else plan_objects(rng, era, config.classes)
    sides = [_make_side(rng, style, [*wishes, *plan_distractors(rng, era)], frame.pages[0])]
    for place in frame.pages[1:]:
        wishes = [] if is_bare or rng.random() < 0.5 else plan_objects(rng, era, config.classes)
        sides.append(_make_side(rng, style, wishes, place))
    scene = assemble(rng, frame, [side.pixels for side in sides], _make_strip(rng, style, frame))
    if capture != "colour":
        scene = np.asarray(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), np.uint8)
    warp = sample_warp(rng, frame.width, frame.height)
    pixels = degrade(rng, warp.bend(scene), capture)
    page = Page(id=name, document="", pixels=pixels, width=frame.width, height=frame.height)
    return SyntheticPage(page=page, labels=_labels(page, frame, sides, warp))


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Side:
    """One side of a leaf: its image before it lies in the scene, and what is on it."""

    pixels: Pixels
    layers: Layers


def _make_side(rng: np.random.Generator, style: PageStyle, wishes: list[Wish], place: Rect) -> _Side:
    width, height = int(place.width), int(place.height)
    style = _resized(style, width, height)
    layers = fill_page(rng, style, wishes)
    paper = make_paper(rng, style.look.paper, width, height)
    verso = np.roll(layers.ink, int(rng.integers(-20, 21)), axis=0) if rng.random() < _BLEED_SHARE else None
    return _Side(pixels=compose(rng, style, layers, paper, verso=verso), layers=layers)


def _resized(style: PageStyle, width: int, height: int) -> PageStyle:
    """The style on a leaf that may be a few pixels wider; the text stands at the same place."""
    return replace(style, width=width, height=height, area=style.area._replace(x1=style.area.x1 + width - style.width))


def _make_strip(rng: np.random.Generator, style: PageStyle, frame: Frame) -> Pixels | None:
    if frame.strip is None:
        return None
    width, height = int(frame.strip.width), int(frame.strip.height)
    # Of the facing page only what is near the spine is seen: the ends of its lines, or their beginnings.
    is_left = frame.strip.x0 == 0
    reach = style.area.width
    x1 = width * rng.uniform(0.3, 1.0) if is_left else width * rng.uniform(0.0, 0.7) + reach
    facing = replace(style, columns=1, width=width, height=height, area=style.area._replace(x0=x1 - reach, x1=x1))
    layers = fill_strip(rng, facing) if rng.random() < 0.75 else Layers.blank(width, height)
    return compose(rng, facing, layers, make_paper(rng, style.look.paper, width, height), verso=None)


def _labels(page: Page, frame: Frame, sides: list[_Side], warp: Warp) -> PageLabels:
    boxes: list[tuple[float, float, float, float]] = []
    names: list[str] = []
    for side, place in zip(sides, frame.pages, strict=True):
        for placed in side.layers.objects:
            if placed.name is None:
                continue
            alpha, rect = moved(placed, place)
            box = warp.bounds(alpha, rect) if alpha.size else None
            if box is not None and _is_seen(page.pixels, box):
                boxes.append(box)
                names.append(placed.name)
    return PageLabels(
        page=page.id,
        width=page.width,
        height=page.height,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        labels=tuple(names),
    )


def _is_seen(pixels: Pixels, box: tuple[float, float, float, float]) -> bool:
    """Whether an object is large enough, and has not faded into the paper on its way into the image."""
    x0, y0, x1, y1 = (round(value) for value in box)
    if min(x1 - x0, y1 - y0) < _LEAST_PX:
        return False
    low, high = np.percentile(pixels[y0:y1, x0:x1, 1], [2, 98])
    return bool(high - low >= _LEAST_CONTRAST)
