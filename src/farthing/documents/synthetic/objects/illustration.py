"""Illustrations."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Drawing, Look, from_ink
from farthing.documents.synthetic.textures import hatching, smooth_noise


def draw_illustration(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """An engraving."""
    tone = smooth_noise(rng, width, height, rng.uniform(0.1, 0.4) * min(width, height))
    ink = hatching(rng, tone, period=rng.uniform(2, 4), angle=rng.uniform(0, np.pi), waviness=1.0)
    ink[[0, -1]] = ink[:, [0, -1]] = 1
    return from_ink(ink, look.ink)
