"""Fields of grey: noise, and how a tone becomes lines, dots or grain.

A tone is f32 [height, width] in [0, 1], from paper (0) to solid ink (1).
"""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Floats, clipped


def smooth_noise(rng: np.random.Generator, width: int, height: int, cell: float) -> Floats:
    """f32 [height, width] in [0, 1], cubic between random values `cell` pixels apart."""
    rows, columns = max(2, round(height / cell) + 1), max(2, round(width / cell) + 1)
    grid = rng.random((rows, columns), dtype=np.float32)
    return clipped(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False))


def rough_noise(rng: np.random.Generator, width: int, height: int, cell: float, *, octaves: int = 3) -> Floats:
    """f32 [height, width] in [0, 1]: noise of cells of halving size and weight, as of clouds and stains."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        total += np.float32(0.5**octave) * smooth_noise(rng, width, height, max(1.5, cell * 0.5**octave))
    return total * np.float32(1 / (2 - 0.5 ** (octaves - 1)))


def grain(rng: np.random.Generator, width: int, height: int, cell: float = 1.5) -> Floats:
    """f32 [height, width] in [0, 1], even noise of specks `cell` pixels wide; cheaper than `smooth_noise`."""
    rows, columns = max(2, int(np.ceil(height / cell))), max(2, int(np.ceil(width / cell)))
    specks = rng.integers(0, 256, (rows, columns), dtype=np.uint8)
    return cv2.resize(specks, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32) * np.float32(1 / 255)


def blur(field: Floats, sigma: float) -> Floats:
    """f32 of the same shape, smoothed; sigma in pixels, nothing happens below a fifth of one."""
    if sigma < 0.2:
        return field
    return cv2.GaussianBlur(field, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE).astype(np.float32, copy=False)


def hatching(
    rng: np.random.Generator, tone: Floats, *, period: float, angle: float | Floats, waviness: float = 0.0
) -> Floats:
    """Parallel lines whose width follows the tone, as an engraver's.

    Args:
        rng: draws the waviness.
        tone: what is to be rendered; nothing is drawn where it is 0.
        period: pixels from line to line.
        angle: of the lines, in radians, one or f32 [height, width]; 0 is horizontal.
        waviness: how far lines stray, in periods.

    Returns:
        f32 [height, width] in [0, 1], its mean over a period about that of the tone.
    """
    height, width = tone.shape
    lines = np.asarray(angle, np.float32)
    y = np.arange(height, dtype=np.float32)[:, None] * (np.cos(lines) / np.float32(period))
    x = np.arange(width, dtype=np.float32)[None] * (np.sin(lines) / np.float32(period))
    phase = (y - x).astype(np.float32, copy=False)
    if waviness:
        phase += np.float32(waviness) * smooth_noise(rng, width, height, max(12 * period, 0.15 * width))
    # Distance from the line's middle, 0 to 1; a line is as wide as the tone, its edge a pixel soft.
    phase -= np.floor(phase)
    phase *= 2
    phase -= 1
    distance = np.abs(phase, out=phase)
    ink = clipped((tone - distance) * np.float32(period / 2) + np.float32(0.5))
    ink *= np.minimum(tone * 8, 1)
    return ink


def halftone(tone: Floats, *, period: float, angle: float) -> Floats:
    """Dots on a square grid, larger where the tone is darker.

    Args:
        tone: what is to be rendered.
        period: pixels from dot to dot.
        angle: of the grid, in radians.

    Returns:
        f32 [height, width] in [0, 1].
    """
    height, width = tone.shape
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    turn = np.float32(2 * np.pi / period)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))

    screen: Floats = np.cos(turn * (cos * x + sin * y)) + np.cos(turn * (cos * y - sin * x))
    return clipped((tone - np.float32(0.5) - np.float32(0.25) * screen) * np.float32(period) + np.float32(0.5))


def worn(rng: np.random.Generator, ink: Floats, amount: float) -> Floats:
    """The ink with patches that printed badly.

    Args:
        rng: draws where.
        ink: f32 [height, width] in [0, 1].
        amount: 0 leaves all, 1 takes most.
    """
    if amount <= 0:
        return ink
    height, width = ink.shape
    patches = smooth_noise(rng, width, height, max(4.0, 0.2 * min(width, height))) * 0.6
    patches += 0.4 * grain(rng, width, height, 1.6)
    return ink * clipped((patches - 0.75 * np.float32(amount)) * 6 + 0.7)


def unit_grid(width: int, height: int) -> tuple[Floats, Floats]:
    """(x f32 [1, width], y f32 [height, 1]), each from -1 to 1 over the middles of the pixels."""
    x = (2 * np.arange(width, dtype=np.float32) + 1) / np.float32(width) - 1
    y = (2 * np.arange(height, dtype=np.float32) + 1) / np.float32(height) - 1
    return x[None], y[:, None]
