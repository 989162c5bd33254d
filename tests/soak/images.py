"""5: image files that are none, and small ones of a billion pixels."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
from PIL import Image

from farthing.base.errors import FarthingError
from farthing.vision.images import decode_image
from tests.soak.artifacts import changed_bytes
from tests.soak.outcome import Budget, Outcome
from tests.vision.hostile import drawing, encoded, png_bomb

MAX_SECONDS, MAX_GROWTH_MB = 2.0, 400.0
KINDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("JPEG", {"quality": 90}),
    ("JPEG", {"quality": 90, "progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("JPEG2000", {}),
)


def images_cannot_take_it_down(budget: Budget, _: Path) -> Outcome:
    """Decodes malformed images and bombs; only our own errors, in bounded time and memory."""
    wholes = [encoded(drawing(200, 300), kind, **options) for kind, options in KINDS]
    wholes.append(encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (120, 90, 3), np.uint8)), "JPEG"))
    bombs = [png_bomb(side) for side in (8_000, 20_000, 30_000)]
    before = _peak_mb()
    slowest, counts, others = 0.0, {"malformed": 0, "bombs": 0}, []
    for number in budget.rounds():
        is_bomb = number % 50 == 0
        whole = bombs[number // 50 % len(bombs)] if is_bomb else budget.random.choice(wholes)
        content = whole if is_bomb else changed_bytes(whole, budget.random)
        start = time.monotonic()
        try:
            decode_image(content, name="x", max_side=budget.random.choice((None, 64, 512)))
        except FarthingError:
            pass
        except Exception as error:  # noqa: BLE001  it is what this looks for
            others.append(f"{type(error).__name__}: {error}"[:200])
        slowest = max(slowest, time.monotonic() - start)
        counts["bombs" if is_bomb else "malformed"] += 1
    grown = _peak_mb() - before
    first = f"; first: {others[0]}" if others else ""
    figure = (
        f"{counts['malformed']:,} malformed images and {counts['bombs']:,} bombs decoded or refused: 0 crashes, "
        f"{len(others)} foreign errors{first}, slowest {slowest:.2f} s, {grown:.0f} MB more memory"
    )
    return Outcome(figure, not others and slowest <= MAX_SECONDS and grown <= MAX_GROWTH_MB)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
