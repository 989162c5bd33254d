"""Small pages of lines and dark rectangles, to train detectors on within seconds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from farthing.documents.config import DocumentsConfig, ModelConfig, TrainConfig

NAMES = ("illustration", "stamp")


def draw_page(
    rng: np.random.Generator, *, height: int = 128, width: int = 96
) -> tuple[npt.NDArray[np.uint8], list[tuple[str, list[float]]]]:
    """A page with up to two objects: a dark block is an illustration, a grey one with a light middle a stamp."""
    page = rng.integers(215, 235, (height, width)).astype(np.uint8)
    page[8 : height - 8 : 6, 8 : width - 8] = 90
    objects: list[tuple[str, list[float]]] = []
    for name in NAMES:
        if rng.random() < 0.5:
            w, h = (int(side) for side in rng.integers(24, 48, 2))
            x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
            if all(abs(x - other[0]) > 48 or abs(y - other[1]) > 48 for _, other in objects):
                page[y : y + h, x : x + w] = 30 if name == "illustration" else 120
                if name == "stamp":
                    page[y + 6 : y + h - 6, x + 6 : x + w - 6] = 240
                objects.append((name, [float(x), float(y), float(w), float(h)]))
    return page, objects


def write_pages(folder: Path, count: int, *, seed: int = 0) -> Path:
    """A COCO folder of `count` such pages."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(count):
        page, objects = draw_page(rng)
        name = f"images/{number:04d}.png"
        Image.fromarray(page).save(folder / name)
        images.append({"id": number, "file_name": name, "width": page.shape[1], "height": page.shape[0]})
        for label, box in objects:
            annotations.append({"image_id": number, "category_id": NAMES.index(label), "bbox": box})
    for number, annotation in enumerate(annotations):
        annotation |= {"id": number, "area": 1.0, "iscrowd": 0}
    categories = [{"id": index, "name": name} for index, name in enumerate(NAMES)]
    coco = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "annotations.json").write_text(json.dumps(coco), encoding="utf-8")
    return folder


def small_config(**train: int | float) -> DocumentsConfig:
    """Settings that learn these pages within seconds."""
    settings: dict[str, int | float] = {
        "num_images": 64,
        "num_quantized_images": 32,
        "batch_size": 8,
        "cache_side": 64,
        "num_evals": 2,
        "warmup_steps": 2,
    }
    return DocumentsConfig(
        preset="tiny",
        classes=NAMES,
        model=ModelConfig(long_side=64, widths=(8, 16, 16, 16), blocks=(0, 0, 0, 1), neck=8),
        train=TrainConfig(**settings | train),  # type: ignore[arg-type]
    )
