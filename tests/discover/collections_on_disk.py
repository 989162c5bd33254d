"""Small folders of images that hold a few kinds of strokes, and settings that sort them in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from farthing.discover.csvfiles import write_rows

SETTINGS = (
    "features.dictionary.side=16",
    "features.dictionary.atoms=24",
    "features.dictionary.views=1",
    "features.dictionary.components=40",
    "features.dictionary.dim=16",
)
OPTIONS = [word for setting in SETTINGS for word in ("--set", setting)]
STROKES = ("bar", "beam", "cross", "ring")
SIZES = {"bar": 24, "beam": 18, "cross": 12, "ring": 10}
NUM_IMAGES = sum(SIZES.values())


def draw(stroke: str, generator: np.random.Generator) -> Image.Image:
    """16 x 16 grey: an upright bar, a level beam, both, or a ring, a little displaced and noisy."""
    rows, columns = np.mgrid[:16, :16] - 7.5 - generator.uniform(-1.5, 1.5, (2, 1, 1))
    shown = {
        "bar": np.abs(columns) < 1.5,
        "beam": np.abs(rows) < 1.5,
        "cross": (np.abs(columns) < 1.5) | (np.abs(rows) < 1.5),
        "ring": np.abs(np.hypot(rows, columns) - 5) < 1.2,
    }[stroke]
    pixels = 200.0 - 150 * shown + generator.normal(0, 8, shown.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def make_collection(folder: Path, *, seed: int = 0) -> Path:
    """`folder`/images, labels.csv and truth.csv: bar and cross are known, half of their images are labelled."""
    generator = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    strokes = generator.permutation([stroke for stroke, size in SIZES.items() for _ in range(size)])
    truth, seen = [], dict.fromkeys(STROKES, 0)
    for number, stroke in enumerate(strokes.tolist()):
        draw(stroke, generator).save(folder / "images" / f"{number:03}.png")
        is_known = stroke in {"bar", "cross"}
        truth.append((f"{number:03}.png", stroke, int(is_known), int(is_known and seen[stroke] % 2 == 0)))
        seen[stroke] += 1
    write_rows(folder / "truth.csv", ["image", "label", "known", "labelled"], truth)
    write_rows(folder / "labels.csv", ["image", "label"], [(name, label * seen) for name, label, _, seen in truth])
    return folder
