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
from farthing.documents.synthetic.fit import FittedLook, FittedPage
from farthing.documents.synthetic.fitted import fitted_frame, fitted_paper, fitted_style
from farthing.documents.synthetic.layers import Layers, Rect
from farthing.documents.synthetic.paper import compose, make_paper
from farthing.documents.synthetic.planning import plan_distractors, plan_objects
from farthing.documents.synthetic.scene import Frame, assemble, moved, sample_frame
from farthing.documents.synthetic.style import Capture, PageStyle, choose_capture, choose_era, sample_style
from farthing.documents.synthetic.warp import Warp, sample_warp

_BLEED_SHARE = 0.3
_LEAST_PX = 5.0  # a box that is smaller shows nothing that could be recognised
_LEAST_INK = 0.02  # share of the box that is darker than its paper; less are specks, of an object that is gone
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
    seed: int | np.random.SeedSequence,
    config: SynthesisConfig | None = None,
    *,
    like: FittedLook | None = None,
    name: str = "page.jpg",
) -> SyntheticPage:
    """A page; the same seed, config, look and fonts give the same bytes.

    Args:
        seed: of everything.
        config: what pages are made of.
        like: a collection that most pages are to look like.
        name: the page's id.
    """
    config = config or SynthesisConfig()
    rng = np.random.default_rng(seed)
    model = _choose_model(rng, config, like)
    era = choose_era(rng, config)
    capture = choose_capture(rng, era) if model is None else model.look.capture
    frame = _make_frame(rng, config, capture, model)
    style = sample_style(rng, era, capture, int(frame.pages[0].width), int(frame.pages[0].height))
    if model is not None:
        style = fitted_style(rng, style, model.look)
    maker = _SideMaker(rng, config, style, model)
    sides = [maker.make(place, is_first=place is frame.pages[0]) for place in frame.pages]
    scene = assemble(rng, frame, [side.pixels for side in sides], maker.make_strip(frame))
    if capture != "colour":
        scene = np.asarray(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), np.uint8)
    warp = sample_warp(rng, frame.width, frame.height)
    pixels = degrade(rng, warp.bend(scene), capture, keeps_tones=model is not None)
    page = Page(id=name, document="", pixels=pixels, width=frame.width, height=frame.height)
    return SyntheticPage(page=page, labels=_labels(page, frame, sides, warp))


def _choose_model(rng: np.random.Generator, config: SynthesisConfig, like: FittedLook | None) -> FittedPage | None:
    """The real page that this one follows; a few follow none, so that what was not measured is met too."""
    if like is None or rng.random() >= config.like_share:
        return None
    return like.pages[rng.integers(len(like.pages))]


def _make_frame(rng: np.random.Generator, config: SynthesisConfig, capture: Capture, model: FittedPage | None) -> Frame:
    long_side = int(rng.integers(config.min_side, config.max_side + 1))
    is_spread = model is None and rng.random() < config.spread_share
    frame = sample_frame(rng, capture, long_side=long_side, is_spread=is_spread)
    return frame if model is None else fitted_frame(rng, frame, model.look)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Side:
    """One side of a leaf: its image before it lies in the scene, and what is on it."""

    pixels: Pixels
    layers: Layers


class _SideMaker:
    """Makes the sides of one scan, which share style and paper."""

    def __init__(
        self, rng: np.random.Generator, config: SynthesisConfig, style: PageStyle, model: FittedPage | None
    ) -> None:
        self._rng, self._config, self._style, self._model = rng, config, style, model
        self._is_bare = rng.random() < config.bare_share

    def make(self, place: Rect, *, is_first: bool) -> _Side:
        """A page for a place; of two facing ones the second may be without objects."""
        rng, era = self._rng, self._style.look.era
        wants = not self._is_bare and (is_first or rng.random() < 0.5)
        wishes = plan_objects(rng, era, self._config.classes) if wants else []
        width, height = int(place.width), int(place.height)
        style = _resized(self._style, width, height)
        layers = fill_page(rng, style, [*wishes, *plan_distractors(rng, era)])
        verso = np.roll(layers.ink, int(rng.integers(-20, 21)), axis=0) if rng.random() < _BLEED_SHARE else None
        return _Side(pixels=compose(rng, style, layers, self._paper(width, height), verso=verso), layers=layers)

    def make_strip(self, frame: Frame) -> Pixels | None:
        """What is seen of a facing page near the spine: the ends of its lines, or their beginnings."""
        if frame.strip is None:
            return None
        rng, style = self._rng, self._style
        width, height = int(frame.strip.width), int(frame.strip.height)
        is_left, reach = frame.strip.x0 == 0, style.area.width
        x1 = width * rng.uniform(0.3, 1.0) if is_left else width * rng.uniform(0.0, 0.7) + reach
        area = style.area._replace(x0=x1 - reach, x1=x1)
        facing = replace(style, columns=1, width=width, height=height, area=area)
        layers = fill_strip(rng, facing) if rng.random() < 0.75 else Layers.blank(width, height)
        return compose(rng, facing, layers, self._paper(width, height), verso=None)

    def _paper(self, width: int, height: int) -> Pixels:
        if self._model is None:
            return make_paper(self._rng, self._style.look.paper, width, height)
        return fitted_paper(self._rng, self._style, self._model, width, height)


def _resized(style: PageStyle, width: int, height: int) -> PageStyle:
    """The style on a leaf that may be a few pixels wider; the text keeps its left side and its margins."""
    return replace(style, width=width, height=height, area=style.area._replace(x1=style.area.x1 + width - style.width))


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
    tones = pixels[y0:y1, x0:x1, 1]
    low, high = (float(value) for value in np.percentile(tones, [1, 98]))
    marked = float(np.mean(tones < high - 0.3 * (high - low)))
    return high - low >= _LEAST_CONTRAST and marked >= _LEAST_INK
