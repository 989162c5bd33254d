"""What one real page looks like, in numbers: tones, borders, where the text stands, how far its lines are apart.

Everything is estimated from the pixels alone. An estimate that cannot be made is None.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from farthing.documents.synthetic.drawing import Colour, Floats, Pixels

MEASURED_PX = 640  # long side of the copy that is measured: lines are then 5 pixels apart or more

_BIN = 8  # grey values that are one tone
_BORDER_STEP = 30.0  # grey values by which what lies around a page differs from it
_DEEPEST_BORDER = 0.2
_BLANK = 0.004  # of a page, covered by strokes, below which there is no text to be measured
_LEAST_PITCH, _LARGEST_PITCH = 4, 80
_RHYTHM = 0.12  # autocorrelation of lines at their pitch, below which there is no rhythm
_WIDEST, _USUAL = 10.0, 5.5  # pitch / half the height of small letters: double spacing, and a text set solid
_GUTTER, _WIDEST_GUTTER, _OFF_CENTRE = 0.012, 0.15, 0.06  # of the width of the text
_WHITE_SHARE = 0.55
_TALLEST = 5.0  # median deviations of the largest grain; a mark is larger
_LIGHT_PX = 15


class PageLook(msgspec.Struct, frozen=True, kw_only=True):
    """How one page looks.

    Attributes:
        aspect: height / width of the image.
        capture: "colour", "grey", or "bitonal" where nearly all is black and white.
        paper: RGB of the bare page.
        ink: RGB of the darkest strokes.
        ground: RGB of what lies around the page; None where nothing is seen of it.
        borders: left, top, right, bottom parts of the image around the page, as fractions of its sides.
        margins: left, top, right, bottom parts of the page around its text, as fractions of its sides; None if blank.
        columns: of text side by side, 1 to 3.
        pitch: from line to line, as a fraction of the page's height; None if no rhythm is found.
        x_height: of small letters, about, as a fraction of the page's height; None if no rhythm is found.
    """

    aspect: float
    capture: Literal["colour", "grey", "bitonal"]
    paper: Colour
    ink: Colour
    ground: Colour | None
    borders: tuple[float, float, float, float]
    margins: tuple[float, float, float, float] | None
    columns: int
    pitch: float | None
    x_height: float | None


def measure_page(pixels: Pixels) -> PageLook:
    """The look of a page.

    Args:
        pixels: u8 [height, width, 3] RGB, at least 32 x 32.
    """
    small = reduced(pixels)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    height, width = grey.shape
    tone = _paper_tone(grey)
    borders = _borders(grey, tone)
    x0, y0 = round(borders[0] * width), round(borders[1] * height)
    x1, y1 = width - round(borders[2] * width), height - round(borders[3] * height)
    page, inner = small[y0:y1, x0:x1], grey[y0:y1, x0:x1]
    strokes = find_strokes(inner)
    is_blank = bool(strokes.mean() < _BLANK)
    margins = None if is_blank else _margins(strokes)
    text = strokes if margins is None else _inside(strokes, margins)
    rhythm = None if is_blank else _rhythm(text)
    return PageLook(
        aspect=height / width,
        capture=_capture(small, inner),
        paper=_median(page[np.abs(inner.astype(np.int16) - tone) <= _BIN]),
        ink=_ink(page, inner, strokes),
        ground=_ground(small, borders),
        borders=borders,
        margins=margins,
        columns=1 if is_blank else _columns(text),
        pitch=None if rhythm is None else rhythm[0] / inner.shape[0],
        x_height=None if rhythm is None else rhythm[1] / inner.shape[0],
    )


def reduced(pixels: Pixels) -> Pixels:
    """u8 [height, width, 3], the page with a long side of at most MEASURED_PX."""
    height, width = pixels.shape[:2]
    scale = MEASURED_PX / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def find_strokes(grey: Pixels) -> npt.NDArray[np.bool_]:
    """A mask, bool [height, width], of what is thinner than a pen stroke is long, and darker than what surrounds it."""
    depth = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((11, 11), np.uint8))
    return np.asarray(depth > max(14.0, 0.4 * float(np.percentile(depth, 99))))


def _paper_tone(grey: Pixels) -> int:
    """The tone that most of the page has, brighter than Otsu's level between dark and bright."""
    height, width = grey.shape
    middle = grey[height // 10 : -(height // 10) or None, width // 10 : -(width // 10) or None]
    level, _ = cv2.threshold(np.ascontiguousarray(middle), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    counts = np.bincount(middle.ravel(), minlength=256).astype(np.float64)
    smooth = np.convolve(counts, np.ones(_BIN + 1), mode="same")
    smooth[: int(level)] = 0
    return int(np.argmax(smooth))


def _borders(grey: Pixels, tone: int) -> tuple[float, float, float, float]:
    height, width = grey.shape
    rows = np.median(grey[:, width // 5 : -(width // 5)], axis=1)
    columns = np.median(grey[height // 5 : -(height // 5)], axis=0)
    left, right = _depth(columns, tone), _depth(columns[::-1], tone)
    return left, _depth(rows, tone), right, _depth(rows[::-1], tone)


def _depth(profile: npt.NDArray[np.float64], tone: int) -> float:
    """The fraction of a side until the page's tone is met first; 0 if it is not met soon."""
    is_page = np.abs(profile - tone) < _BORDER_STEP
    first = int(np.argmax(is_page)) if is_page.any() else 0
    share = first / len(profile)
    return share if share <= _DEEPEST_BORDER else 0.0


def _capture(small: Pixels, inner: Pixels) -> Literal["colour", "grey", "bitonal"]:
    channels = small.astype(np.int16)
    if float(np.mean(channels.max(axis=2) - channels.min(axis=2))) > 4:
        return "colour"
    return "bitonal" if float(np.mean(inner >= 252)) > _WHITE_SHARE else "grey"


def _median(pixels: npt.NDArray[np.uint8]) -> Colour:
    red, green, blue = (int(part) for part in np.median(pixels.reshape(-1, 3), axis=0))
    return (red, green, blue)


def _ink(page: Pixels, grey: Pixels, strokes: npt.NDArray[np.bool_]) -> Colour:
    """Of the darkest strokes; what the rest lost to the paper between them, synthetic strokes lose again."""
    if not strokes.any():
        return (40, 36, 32)
    values = grey[strokes]
    return _median(page[strokes][values <= np.percentile(values, 4)])


def _ground(small: Pixels, borders: tuple[float, float, float, float]) -> Colour | None:
    height, width = small.shape[:2]
    left, right = round(borders[0] * width), round(borders[2] * width)
    top, bottom = round(borders[1] * height), round(borders[3] * height)
    parts = [small[:, :left], small[:, width - right :], small[:top], small[height - bottom :]]
    seen = np.concatenate([part.reshape(-1, 3) for part in parts])
    return _median(seen) if len(seen) >= 4 * max(height, width) // 10 else None


def _margins(strokes: npt.NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """From the edges to where a hundredth of all strokes lies outside."""
    left, right = _span(strokes.sum(axis=0))
    top, bottom = _span(strokes.sum(axis=1))
    return left, top, 1 - right, 1 - bottom


def _span(counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    share = np.cumsum(counts) / max(int(counts.sum()), 1)
    return float(np.searchsorted(share, 0.01)) / len(counts), float(np.searchsorted(share, 0.99) + 1) / len(counts)


def _inside(strokes: npt.NDArray[np.bool_], margins: tuple[float, float, float, float]) -> npt.NDArray[np.bool_]:
    height, width = strokes.shape
    left, top, right, bottom = margins
    return strokes[int(top * height) : round((1 - bottom) * height), int(left * width) : round((1 - right) * width)]


def _rhythm(text: npt.NDArray[np.bool_]) -> tuple[float, float] | None:
    """Pixels from line to line, and the height of small letters; None without any rhythm.

    Both come from the autocorrelation down narrow strips, which a slant does not blur: its first peak is at the pitch,
    and the way to a half of its top tells the height of what is dark in a line. Where lines are irregular, the first
    peak is some sum of several pitches, and too far away to be one.
    """
    most = min(_LARGEST_PITCH, text.shape[0] // 3)
    if most <= _LEAST_PITCH + 1:
        return None
    total = np.mean([_autocorrelation(strip, most) for strip in np.array_split(text, 8, axis=1)], axis=0)
    below = np.flatnonzero(total < 0.5 * total[0])
    if total[0] <= 0 or not below.size or below[0] == 0:
        return None
    place = int(below[0])
    half = place - float((0.5 * total[0] - total[place]) / max(total[place - 1] - total[place], 1e-9))
    peaks = [
        lag
        for lag in range(_LEAST_PITCH, most)
        if total[lag] > _RHYTHM and total[lag] >= total[lag - 1] and total[lag] > total[lag + 1]
    ]
    if not peaks:
        return None
    pitch = _refined(total, peaks[0])
    pitch = pitch if pitch <= _WIDEST * half else _USUAL * half
    # Bars of height h, p apart, fall to a half at h (1 - h / p) / 2; solved for h, which is at most half of p.
    return pitch, pitch / 2 - float(np.sqrt(max(0.0, pitch**2 / 4 - 2 * half * pitch)))


def _autocorrelation(strip: npt.NDArray[np.bool_], most: int) -> npt.NDArray[np.float64]:
    """[most + 1] of the row sums, 1 at lag 0; all 0 for a strip without strokes."""
    profile = strip.mean(axis=1, dtype=np.float64) if strip.size else np.zeros(len(strip))
    profile -= profile.mean()
    power = float(profile @ profile)
    if power <= 0:
        return np.zeros(most + 1)
    return np.array([profile[lag:] @ profile[: len(profile) - lag] for lag in range(most + 1)]) / power


def _refined(values: npt.NDArray[np.float64], place: int) -> float:
    """The top of the parabola through three values."""
    before, top, after = values[place - 1 : place + 2]
    bend = before - 2 * top + after
    return place + float(0.5 * (before - after) / bend if bend < 0 else 0.0)


def _columns(text: npt.NDArray[np.bool_]) -> int:
    """One more than there are wide gaps down the middle of the text."""
    width = text.shape[1]
    profile = text.mean(axis=0, dtype=np.float64)
    low = profile < 0.2 * float(np.median(profile))
    low[: width // 6] = low[width - width // 6 :] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], low.astype(np.int8), [0]])))
    gaps = [(start / width, end / width) for start, end in pairwise(edges.tolist()) if end <= width and low[start]]
    middles = [(start + end) / 2 for start, end in gaps if _GUTTER <= end - start <= _WIDEST_GUTTER]
    # Columns are equally wide; other gaps lie before the figures of a list or beside notes in a margin.
    if any(abs(middle - 0.5) < _OFF_CENTRE for middle in middles):
        return 2
    thirds = [any(abs(middle - third) < _OFF_CENTRE for middle in middles) for third in (1 / 3, 2 / 3)]
    return 3 if all(thirds) else 1


def paper_tile(pixels: Pixels, look: PageLook, *, least: int = 24, most: int = 96) -> Pixels | None:
    """u8 [side, side, 3]: the largest square of bare paper that is found, None if there is none.

    Args:
        pixels: the page, as `reduced` makes it.
        look: of the page.
        least: the smallest side that will do, in pixels.
        most: the largest side, which is tried first.
    """
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
    tone = float(np.dot(look.paper, (0.299, 0.587, 0.114)))
    grain = np.abs(grey - np.asarray(cv2.blur(grey, (_LIGHT_PX, _LIGHT_PX)), np.float32))
    # Grain is told from marks by its own strength: half of the paper's pixels are nearer to their surroundings.
    is_paper = np.abs(grey - tone) < _BIN
    usual = float(np.median(grain[is_paper])) if is_paper.any() else 0.0
    bare = ((np.abs(grey - tone) < 18) & (grain < 3 + _TALLEST * usual)).astype(np.float32)
    side = most
    while side >= least:
        if min(grey.shape) > side:
            share = cv2.boxFilter(bare, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
            share = share[: grey.shape[0] - side, : grey.shape[1] - side]
            row, column = np.unravel_index(int(np.argmax(share)), share.shape)
            if share[row, column] > 0.9999:
                return np.ascontiguousarray(pixels[row : row + side, column : column + side])
        side = side * 3 // 4
    return None


def grain_of(tile: Pixels) -> Floats:
    """f32 [height, width, 3] about 0, what is finer than the light on the tile."""
    values = tile.astype(np.float32)
    return values - np.asarray(cv2.blur(values, (_LIGHT_PX, _LIGHT_PX)), np.float32)


def shading(pixels: Pixels, look: PageLook, *, rows: int = 24, columns: int = 18) -> Floats:
    """f32 [rows, columns] about 1: how light falls on the page, from the brightest parts of each cell.

    Args:
        pixels: the page, as `reduced` makes it.
        look: of the page.
        rows: cells down the page.
        columns: cells across.
    """
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    height, width = grey.shape
    left, top, right, bottom = look.borders
    page = grey[round(top * height) : round((1 - bottom) * height), round(left * width) : round((1 - right) * width)]
    bright = cv2.morphologyEx(page, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    small = np.asarray(cv2.resize(bright, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    small /= max(1.0, float(np.median(small)))
    # Pictures are darker than paper: what is far from 1 says nothing about the light.
    small = np.where((small > 0.8) & (small < 1.2), small, 1)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float32)
