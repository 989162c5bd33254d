"""Distractors of type: what looks like an ornament and is text."""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Drawing, Look, from_ink


def draw_display_type(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A line of large type."""
    ink = np.zeros((height, width), np.uint8)
    text = "".join(rng.choice(list("ABCDEFGHILMNOPQRSTUV "), 24))
    cv2.putText(
        ink, text, (0, height - 2), cv2.FONT_HERSHEY_TRIPLEX, height / 30, 255, max(1, height // 20), cv2.LINE_AA
    )
    return from_ink(np.float32(1 / 255) * ink.astype(np.float32), look.ink)
