"""Folders of synthetic pages: JPEG images and one COCO file."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import msgspec
import numpy as np

from farthing.base.errors import ConfigError
from farthing.base.files import write_json
from farthing.documents.detections import PageLabels
from farthing.documents.filtering.progress import NoProgress, PageProgress
from farthing.documents.formats import Annotations, write_annotations
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.fit import LOOK_FILE, FittedLook
from farthing.documents.synthetic.page import SyntheticPage, synthesize_page

IMAGE_FOLDER = "images"
RECIPE_FILE = "synthesis.json"
JPEG_QUALITY = 88
_PAGES_PER_TASK = 16


class Synthesis(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder of synthetic pages was made from (`synthesis.json`).

    Attributes:
        num_pages: pages.
        seed: of the first page; page n has the seed (seed, n).
        config: what pages are made of.
        num_boxes: per class, objects on all pages.
        num_bare: pages without an object.
        like: in one sentence, the collection that they were fitted to; None if there was none.
    """

    num_pages: int
    seed: int
    config: SynthesisConfig
    num_boxes: dict[str, int]
    num_bare: int
    like: str | None


def write_pages(
    out: Path,
    num_pages: int,
    *,
    config: SynthesisConfig | None = None,
    seed: int = 0,
    like: FittedLook | None = None,
    jobs: int = 1,
    progress: PageProgress | None = None,
) -> Synthesis:
    """Writes `out/images/*.jpg`, `out/annotations.json` (COCO) and `out/synthesis.json`.

    The same arguments and fonts give the same bytes, whatever `jobs` is.

    Args:
        out: a new or empty folder.
        num_pages: from 1.
        config: what pages are made of.
        seed: from 0.
        like: the collection that pages are to look like, as `fit_collection` measures it; its numbers are written to
            `out/look.json`.
        jobs: processes, from 1.
        progress: told about every page.

    Raises:
        ConfigError: a number is out of range, or `out` holds something already.
        DataError: `out` cannot be written.
    """
    config = config or SynthesisConfig()
    for name, value, least in (("pages", num_pages, 1), ("seed", seed, 0), ("jobs", jobs, 1)):
        if value < least:
            raise ConfigError(f"{name} must be >= {least}, got {value}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: exists and is not an empty folder; choose another one")
    progress = progress or NoProgress()
    progress.start("pages", total=num_pages)
    (out / IMAGE_FOLDER).mkdir(parents=True)
    pages: list[PageLabels] = []
    for labels in _made(partial(_write_some, out, _Recipe(seed=seed, config=config, like=like)), num_pages, jobs):
        pages.extend(labels)
        progress.advance(len(labels))
    write_annotations(Annotations(pages=tuple(pages), classes=config.classes), out, "coco")
    names = [name for page in pages for name in page.labels]
    result = Synthesis(
        num_pages=num_pages,
        seed=seed,
        config=config,
        num_boxes={name: names.count(name) for name in config.classes},
        num_bare=sum(not page.labels for page in pages),
        like=like.look.summary() if like else None,
    )
    if like:
        write_json(out / LOOK_FILE, like.look)
    write_json(out / RECIPE_FILE, result)
    return result


def make_page(
    seed: int, number: int, config: SynthesisConfig | None = None, *, like: FittedLook | None = None
) -> SyntheticPage:
    """Page `number`, from 0, of the folder that `write_pages` makes with this seed, config and look."""
    name = f"{IMAGE_FOLDER}/page-{number:06d}.jpg"
    return synthesize_page(np.random.SeedSequence([seed, number]), config, like=like, name=name)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Recipe:
    """What every process needs to make pages."""

    seed: int
    config: SynthesisConfig
    like: FittedLook | None


def _made(write: partial[list[PageLabels]], num_pages: int, jobs: int) -> Iterator[list[PageLabels]]:
    starts = range(0, num_pages, _PAGES_PER_TASK)
    tasks = [range(start, min(start + _PAGES_PER_TASK, num_pages)) for start in starts]
    if jobs == 1:
        yield from map(write, tasks)
        return
    # Spawned: a forked child inherits locks of the threads that torch and OpenCV keep.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_use_one_thread) as pool:
        yield from pool.map(write, tasks)


def _use_one_thread() -> None:
    cv2.setNumThreads(1)


def _write_some(out: Path, recipe: _Recipe, numbers: range) -> list[PageLabels]:
    labels = []
    for number in numbers:
        made = make_page(recipe.seed, number, recipe.config, like=recipe.like)
        bgr = cv2.cvtColor(made.page.pixels, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        (out / made.page.id).write_bytes(data.tobytes())
        labels.append(made.labels)
    return labels
