"""Runs to look at, as `fit` writes them, and a server over one that a test starts and stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from PIL import Image
from starlette.testclient import TestClient

from farthing.base.files import write_json
from farthing.discover.csvfiles import write_rows
from farthing.discover.gallery.app import create_app
from farthing.discover.gallery.images import ImageFiles
from farthing.discover.gallery.server import find_images, open_gallery
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, write_assignments
from farthing.discover.problem import Features, Labels
from farthing.discover.rundata import Choice, RunInfo, Summary
from farthing.web.server import Address, listen

HOST = "127.0.0.1:8000"
START_S = 20.0
CLASSES = ("cat", "owl", "new-01", "new-02", "unsorted")
SIZES = (6, 4, 8, 5, 2)
"""Images 0-5 are cats, 6-9 owls, 10-17 of new-01, 18-22 of new-02, 23 and 24 of none; 0 and 6 came with labels."""
TINT = {
    "cat": (200, 60, 40),
    "owl": (60, 120, 200),
    "new-01": (60, 170, 90),
    "new-02": (60, 180, 110),
    "unsorted": (9, 9, 9),
}


def sorted_images() -> list[SortedImage]:
    """The rows of assignments.csv; the first image of a class is its most probable one."""
    rows: list[SortedImage] = []
    for label, size in zip(CLASSES, SIZES, strict=True):
        for place in range(size):
            number = len(rows)
            is_new = label.startswith("new")
            rows.append(
                SortedImage(
                    image=f"box{number % 3}/{number:03}.png",
                    label=label,
                    is_new=is_new,
                    probability=round(0.95 - place / 50, 3),
                    novelty=0.1 + 0.6 * is_new + place / 100,
                    second_label="new-02" if label == "new-01" else "new-01",
                    second_probability=0.04,
                )
            )
    return rows


def features_of(rows: Sequence[SortedImage]) -> Features:
    """f32 [n, 6]: a direction per class, and half of each class leans to one more; new-01 and new-02 lie close."""
    base = np.eye(6, dtype=np.float32)
    base[3] = base[2] + 0.5 * base[3]
    lean = [0.3 * base[5] if number % 2 else 0 * base[5] for number in range(len(rows))]
    features = np.stack([base[CLASSES.index(row.label)] + more for row, more in zip(rows, lean, strict=True)])
    unit: Features = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit.astype(np.float32)


def cut(num_classes: int) -> Labels:
    """Known classes stay; all else goes round robin into the others."""
    labels = [CLASSES.index(row.label) for row in sorted_images()]
    new = num_classes - 2
    return np.array([label if label < 2 else (2 + n % new if new else n % 2) for n, label in enumerate(labels)])


def make_run(folder: Path, rows: Sequence[SortedImage] | None = None, **facts: Any) -> Path:  # Any: of Summary
    """A finished run in `folder/run` over images in `folder/images`; `facts` overrule the summary's."""
    rows = sorted_images() if rows is None else rows
    run, images = folder / "run", folder / "images"
    run.mkdir(parents=True)
    images.mkdir()
    for number, row in enumerate(rows):
        if "\0" in row.image or len(row.image) > 200 or "/" in row.image.strip("/")[5:]:
            continue
        (images / row.image).parent.mkdir(exist_ok=True)
        pixels = np.full((24, 20, 3), TINT.get(row.label, (90, 90, 90)), np.uint8)
        pixels[4 + number % 8 : 12, 5:15] = 240
        Image.fromarray(pixels).save(images / row.image, "PNG")
    write_assignments(run / ASSIGNMENTS_FILE, rows)
    write_rows(
        run / "images.csv",
        ["image", "label"],
        [(row.image, row.label if n in {0, 6} else "") for n, row in enumerate(rows)],
    )
    info = RunInfo(
        images=str(images), labels=None, source="builtin", num_classes=None, seed=0, settings={}, collection="x"
    )
    write_json(run / "discovery.json", info)
    write_json(run / "summary.json", summary_of(rows, **facts))
    return run


def summary_of(rows: Sequence[SortedImage], **facts: Any) -> Summary:  # Any: of Summary
    values = {
        "k": 4,
        "k_low": 3,
        "k_high": 9,
        "ece": 0.031,
        "novelty_auroc": 0.93,
        "seconds": 41.2,
        "choice": Choice(head="linkage", settings={}, why="It won.", scores={"linkage": 81.2, "kmeans": 55.0}),
        "seed": 0,
        "features": {"source": "builtin", "dim": 6},
        "num_images": len(rows),
        "num_labelled": 2,
        "num_known": 2,
        "num_unsorted": 2,
        "num_unreadable": 0,
        "calibration": [(0.1, 0.12, 5), (0.5, 0.55, 9), (0.9, 0.88, 70)],
    }
    return Summary(**{**values, **facts})


@contextmanager
def opened(run: Path, *, is_rich: bool = True) -> Iterator[TestClient]:
    """A client of the application over a run, behaving as a browser on its page.

    Args:
        run: what `make_run` made.
        is_rich: with features and with a tree to cut.
    """
    rich: dict[str, Any] = {"features": features_of(sorted_images()), "cut": cut} if is_rich else {}  # Any: keywords
    with open_gallery(run, **rich) as gallery:
        app = create_app(gallery, ImageFiles(find_images(run, None)))
        with TestClient(app, base_url=f"http://{HOST}", headers={"Origin": f"http://{HOST}"}) as client:
            yield client


@contextmanager
def served(run: Path, *, is_rich: bool = True) -> Iterator[str]:
    """The address of a running server over a run; it ends with the block."""
    rich: dict[str, Any] = {"features": features_of(sorted_images()), "cut": cut} if is_rich else {}  # Any: keywords
    with open_gallery(run, **rich) as gallery, listen(Address(port=0)) as listener:
        app = create_app(gallery, ImageFiles(find_images(run, None)))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + START_S
        while not server.started and thread.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()
