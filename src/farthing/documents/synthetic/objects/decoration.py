"""Decorations."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Drawing, Look, from_ink
from farthing.documents.synthetic.textures import smooth_noise


def draw_headpiece(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A symmetric band of foliage."""
    tone = smooth_noise(rng, width, height, max(4.0, 0.2 * height))
    return from_ink((np.abs(tone + tone[:, ::-1] - 1) * 4).astype(np.float32), look.ink)
