"""Drop capitals."""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Drawing, Look, from_ink

_LETTERS = "ABCDEFGHILMNOPQRSTUV"


def draw_plain(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A big letter."""
    letter = _LETTERS[rng.integers(len(_LETTERS))]
    ink = np.zeros((height, width), np.uint8)
    cv2.putText(
        ink, letter, (0, height - 2), cv2.FONT_HERSHEY_TRIPLEX, height / 24, 255, max(1, height // 16), cv2.LINE_AA
    )
    return from_ink(np.float32(1 / 255) * ink.astype(np.float32), look.ink)
