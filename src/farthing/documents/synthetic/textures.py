"""Fields of grey: smooth noise, hatching, and how a tone becomes lines or dots."""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Floats


def smooth_noise(rng: np.random.Generator, width: int, height: int, cell: float) -> Floats:
    """f32 [height, width] in [0, 1], cubic between random values `cell` pixels apart."""
    rows, columns = max(2, round(height / cell) + 1), max(2, round(width / cell) + 1)
    grid = rng.random((rows, columns), dtype=np.float32)
    return np.clip(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)


def hatching(rng: np.random.Generator, tone: Floats, *, period: float, angle: float, waviness: float = 0.0) -> Floats:
    """Parallel lines whose width follows the tone, as an engraver's.

    Args:
        rng: draws the waviness.
        tone: f32 [height, width] in [0, 1], 0 paper to 1 solid ink.
        period: pixels from line to line.
        angle: of the lines, in radians; 0 is horizontal.
        waviness: how far lines stray, in periods.

    Returns:
        f32 [height, width] in [0, 1], its mean over a period that of the tone.
    """
    height, width = tone.shape
    y = np.arange(height, dtype=np.float32)[:, None] * np.float32(np.cos(angle) / period)
    x = np.arange(width, dtype=np.float32)[None] * np.float32(-np.sin(angle) / period)
    phase = y + x
    if waviness:
        phase += np.float32(waviness) * smooth_noise(rng, width, height, 12 * period)
    # Distance from the line's middle, 0 to 1; a line is as wide as the tone, its edge a pixel soft.
    distance = np.abs(2 * (phase - np.floor(phase)) - 1)
    ink: Floats = np.clip((tone - distance) * np.float32(period / 2) + 0.5, 0, 1) * np.minimum(tone * 8, 1)
    return ink
