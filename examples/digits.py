"""Writes scikit-learn's handwritten digits as a folder per class: a collection that needs no download.

python examples/digits.py OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SIDE = 32  # pixels; the digits have 8


def main(out: Path) -> None:
    digits = load_digits()
    for index, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        folder = out / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray((255 - pixels * 15.9).astype(np.uint8))
        image.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{index:04}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
