"""What light, optics, scanners, film and files do to a page image.

Each takes and gives u8 [height, width] or [height, width, 3] and is applied to a share of the pages; together, in the
order of `DEGRADATIONS`, they follow the way of an image from the lens to the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Floats, Pixels
from farthing.documents.synthetic.style import Capture
from farthing.documents.synthetic.textures import smooth_noise

Degradation = Callable[[np.random.Generator, Pixels], Pixels]


def uneven_light(rng: np.random.Generator, page: Pixels) -> Pixels:
    """A lamp nearer to one side: light falls off linearly and towards the corners."""
    x = np.linspace(-1, 1, 40, dtype=np.float32)[None]
    y = np.linspace(-1, 1, 50, dtype=np.float32)[:, None]
    slope_x, slope_y = (np.float32(value) for value in rng.normal(0, 0.05, 2))
    light = 1 + slope_x * x + slope_y * y - np.float32(abs(rng.normal(0, 0.04))) * (x * x + y * y)
    return _times(page, light)


def clouds(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Folds and cockled leaves: soft patches, lighter and darker."""
    field = smooth_noise(rng, 90, 120, rng.uniform(8, 60)) - np.float32(0.5)
    return _times(page, 1 + np.float32(rng.uniform(0.03, 0.25)) * field)


def tone_curve(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Gamma, and black and white points that are not where they should be."""
    grey = (np.arange(256, dtype=np.float64) / 255) ** np.exp(rng.normal(0.05, 0.28))
    low, high = abs(rng.normal(0, 0.03)), 1 - abs(rng.normal(0, 0.04))
    if rng.random() < 0.3:  # scanners that are set to make paper white
        grey = np.clip((grey - rng.uniform(0, 0.12)) / rng.uniform(0.62, 0.95), 0, 1)
    return _lookup(page, 255 * (low + (high - low) * grey))


def colour_cast(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Light that is not white; nothing on a grey page."""
    if page.ndim == 2:
        return page
    gains = np.exp(rng.normal(0, 0.045, 3))
    tables = np.clip(np.arange(256)[:, None] * gains[None], 0, 255)
    return np.asarray(cv2.LUT(page, np.asarray(tables[None], np.uint8)), np.uint8)


def blur(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Out of focus."""
    return np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.35, 1.0)), np.uint8)


def motion_blur(rng: np.random.Generator, page: Pixels) -> Pixels:
    """The camera or the leaf moved along a line of 2 to 4 pixels."""
    kernel = np.zeros((5, 5), np.float32)
    angle, length = rng.uniform(0, np.pi), rng.uniform(0.8, 2.0)
    step = np.array([np.cos(angle), np.sin(angle)]) * length
    ends = [(round(float(2 + sign * step[0])), round(float(2 + sign * step[1]))) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(page, -1, kernel / kernel.sum()), np.uint8)


def low_resolution(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Scanned with fewer pixels, and made larger again."""
    height, width = page.shape[:2]
    scale = rng.uniform(0.45, 0.85)
    small = cv2.resize(page, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    method = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return np.asarray(cv2.resize(small, (width, height), interpolation=method), np.uint8)


def sharpen(rng: np.random.Generator, page: Pixels) -> Pixels:
    """An unsharp mask that was set too high."""
    amount = rng.uniform(0.3, 1.6)
    soft = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.6, 1.5))
    return np.asarray(cv2.addWeighted(page, 1 + amount, soft, -amount, 0), np.uint8)


def ink_spread(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Ink that runs (dilation) or wears off (erosion), mixed with the page as it was."""
    kernel = np.ones((2, 2), np.uint8) if rng.random() < 0.6 else np.ones((3, 3), np.uint8)
    other = cv2.erode(page, kernel) if rng.random() < 0.6 else cv2.dilate(page, kernel)
    share = rng.uniform(0.15, 0.7)
    return np.asarray(cv2.addWeighted(page, 1 - share, other, share, 0), np.uint8)


def sensor_noise(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Grain of 1 to 10 grey values, fine or coarse."""
    sigma = float(np.exp(rng.uniform(np.log(0.8), np.log(10.0))))
    return _add_noise(rng, page, sigma, coarse=rng.random() < 0.3)


def dust(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Specks, hairs and scratches, dark or light."""
    page = page.copy()
    height, width = page.shape[:2]
    for _ in range(int(rng.integers(3, 60))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        tone = float(rng.choice([rng.uniform(0, 90), rng.uniform(180, 255)], p=[0.75, 0.25]))
        cv2.circle(page, (x, y), int(rng.choice([0, 0, 0, 1, 2])), (tone, tone, tone), -1, cv2.LINE_AA)
    for _ in range(int(rng.poisson(0.7))):
        x0, y0 = rng.uniform(0, width), rng.uniform(0, height)
        ends = (int(x0 + rng.normal(0, 20)), int(y0 + rng.normal(0, 0.3 * height)))
        cv2.line(page, (int(x0), int(y0)), ends, (200.0, 200.0, 200.0), 1, cv2.LINE_AA)
    return page


def moire(rng: np.random.Generator, page: Pixels) -> Pixels:
    """The grid of a print or of a sensor that beats with another one: faint waves."""
    height, width = page.shape[:2]
    angle, period = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(3), np.log(40)))
    x = np.arange(width, dtype=np.float32)[None] * np.float32(2 * np.pi * np.cos(angle) / period)
    y = np.arange(height, dtype=np.float32)[:, None] * np.float32(2 * np.pi * np.sin(angle) / period)
    # sin(x + y) from the sines of a row and a column: no trigonometry per pixel.
    wave = np.sin(x) * np.cos(y) + np.cos(x) * np.sin(y)
    return _times(page, 1 + np.float32(rng.uniform(0.01, 0.05)) * wave)


def jpeg(rng: np.random.Generator, page: Pixels) -> Pixels:
    """Blocks of a file that was made too small."""
    quality = int(rng.integers(18, 80))
    _, data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


def bitonal(rng: np.random.Generator, page: Pixels) -> Pixels:
    """u8 [height, width], black and white, then made smaller to grey, as scans of print are delivered.

    A threshold of Otsu's method, moved, or one of the neighbourhood; then lone pixels are added or wiped.
    """
    height, width = page.shape[:2]
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY) if page.ndim == 3 else page
    fine = rng.uniform(1.0, 1.9)
    large = cv2.resize(grey, (round(width * fine), round(height * fine)), interpolation=cv2.INTER_CUBIC)
    sigma = rng.uniform(1, 12)
    noisy = _add_noise(rng, np.asarray(large, np.uint8), sigma, coarse=False)
    if rng.random() < 0.25:
        side = int(rng.choice([15, 25, 41, 61]))
        offset = 2.5 * sigma + rng.uniform(5, 20)
        mask = cv2.adaptiveThreshold(noisy, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, side, offset)
    else:
        level, _ = cv2.threshold(noisy, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        _, mask = cv2.threshold(
            noisy, min(_between(rng, noisy, level), _paper(noisy) - 2.2 * sigma), 255, cv2.THRESH_BINARY
        )
    if rng.random() < 0.4:
        mask = _salt(rng, np.asarray(mask, np.uint8))
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def film(rng: np.random.Generator, page: Pixels) -> Pixels:
    """u8 [height, width], a microfilm: steep tones, dark corners, grain and scratches along the film."""
    grey = np.asarray(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY) if page.ndim == 3 else page, np.uint8)
    paper = float(np.percentile(grey[::8, ::8], 75))
    steep, middle = rng.uniform(4, 9), paper / 255 * rng.uniform(0.5, 0.8)
    curve = 1 / (1 + np.exp(-steep * (np.arange(256) / 255 - middle)))
    curve = (curve - curve[0]) / max(float(curve[int(min(255, paper))] - curve[0]), 0.05)
    grey = _lookup(grey, 255 * np.clip(curve * rng.uniform(0.75, 1.05), 0, 1))
    grey = uneven_light(rng, grey)
    return _add_noise(rng, grey, rng.uniform(1, 8), coarse=rng.random() < 0.5)


def _paper(grey: Pixels) -> float:
    """The tone that most of the page has, or a brighter one."""
    return float(np.percentile(grey[::4, ::4], 70))


def _between(rng: np.random.Generator, grey: Pixels, level: float) -> float:
    """Otsu's level, which a dark ground pulls down, held between the tones of ink and paper, and moved a little."""
    low, high = float(np.percentile(grey[::4, ::4], 1)), _paper(grey)
    # Where nothing is written all is paper: ink is then taken to be much darker than that.
    low = min(low, 0.4 * high)
    level = float(np.clip(level, low + 0.35 * (high - low), low + 0.78 * (high - low)))
    return level + float(np.clip(rng.normal(0.0, 0.07), -0.2, 0.1)) * (high - low)


def _salt(rng: np.random.Generator, mask: Pixels) -> Pixels:
    """Lone black specks, or the wiping of them together with thin strokes."""
    if rng.random() < 0.4:
        return np.asarray(cv2.medianBlur(mask, 3), np.uint8)
    height, width = mask.shape
    count = int(height * width * np.exp(rng.uniform(np.log(1e-5), np.log(2e-3))))
    rows, columns = rng.integers(height, size=count), rng.integers(width, size=count)
    mask = mask.copy()
    mask[rows, columns] = 0
    return mask


def _times(page: Pixels, light: Floats) -> Pixels:
    """The page times a field that is made as large as it."""
    size = page.shape[1], page.shape[0]
    light = np.asarray(light if light.shape == size[::-1] else cv2.resize(light, size), np.float32)
    if page.ndim == 3:
        light = np.asarray(cv2.merge([light] * 3), np.float32)
    return np.asarray(cv2.multiply(page, light, dtype=cv2.CV_8U), np.uint8)


def _lookup(page: Pixels, table: Any) -> Pixels:  # Any: an array of any float type
    return np.asarray(cv2.LUT(page, np.asarray(np.clip(table, 0, 255), np.uint8)), np.uint8)


def _add_noise(rng: np.random.Generator, page: Pixels, sigma: float, *, coarse: bool) -> Pixels:
    """Adds the same noise to all channels. Normal deviates are drawn for a tile and laid out anew for each page."""
    height, width = page.shape[:2]
    rows, columns = (height // 2 + 1, width // 2 + 1) if coarse else (height, width)
    tile = rng.standard_normal((min(rows, 160), min(columns, 160)), dtype=np.float32)
    noise = np.tile(tile, (-(-rows // tile.shape[0]), -(-columns // tile.shape[1])))[:rows, :columns]
    if coarse:
        noise = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    grain = np.asarray(np.round(noise * np.float32(sigma)), np.int16)
    if page.ndim == 3:
        grain = np.repeat(grain[..., None], 3, axis=2)
    return np.asarray(cv2.add(page, grain, dtype=cv2.CV_8U), np.uint8)


# Share of the pages that each is applied to.
DEGRADATIONS: dict[str, tuple[Degradation, float]] = {
    "uneven_light": (uneven_light, 0.35),
    "clouds": (clouds, 0.12),
    "ink_spread": (ink_spread, 0.15),
    "motion_blur": (motion_blur, 0.025),
    "blur": (blur, 0.18),
    "low_resolution": (low_resolution, 0.07),
    "sensor_noise": (sensor_noise, 0.4),
    "moire": (moire, 0.04),
    "dust": (dust, 0.15),
    "colour_cast": (colour_cast, 0.3),
    "tone_curve": (tone_curve, 0.45),
    "sharpen": (sharpen, 0.5),
    "jpeg": (jpeg, 0.2),
}
# What black and white scans and films are put through before and after they become so.
_BEFORE = ("uneven_light", "clouds", "blur", "ink_spread")
_AFTER = ("dust", "blur", "jpeg")
_TONES = ("uneven_light", "clouds", "colour_cast", "tone_curve", "moire", "sensor_noise")


def degrade(rng: np.random.Generator, scene: Pixels, capture: Capture, *, keeps_tones: bool = False) -> Pixels:
    """u8 [height, width, 3], the image as it was delivered.

    Args:
        rng: draws what happens.
        scene: u8 [height, width, 3], or [height, width] unless it is captured in colour.
        capture: "colour", "grey", "bitonal" or "film".
        keeps_tones: leave tones and light as they are.
    """
    page = scene
    if capture in ("colour", "grey"):
        page = _apply(rng, page, tuple(name for name in DEGRADATIONS if not (keeps_tones and name in _TONES)))
    else:
        page = _apply(rng, page, _BEFORE, at_most=0.3)
        page = (bitonal if capture == "bitonal" else film)(rng, page)
        page = _apply(rng, page, _AFTER, at_most=0.15)
    return page if page.ndim == 3 else np.asarray(cv2.cvtColor(page, cv2.COLOR_GRAY2RGB), np.uint8)


def _apply(rng: np.random.Generator, page: Pixels, names: tuple[str, ...], *, at_most: float = 1.0) -> Pixels:
    for name in names:
        function, share = DEGRADATIONS[name]
        if rng.random() < min(share, at_most):
            page = function(rng, page)
    return page
