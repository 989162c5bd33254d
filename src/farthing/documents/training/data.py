"""Labelled pages as training batches and as a held-out part to choose by."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farthing.base.errors import DataError
from farthing.documents.formats import read_annotations
from farthing.documents.net.transforms import canvas_of
from farthing.documents.training.cache import LabelledPage, PageCache
from farthing.documents.training.targets import Objects

PORTRAIT_RATIO = 0.75  # of the short to the long side of the canvas that upright and wide pages are trained on
SQUARE_BAND = 1.25  # pages whose sides differ by less than this factor get a square one

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class PageBatch:
    """Training pages as they are stored.

    Attributes:
        pixels: u8 [batch, 1, height, width], each page top left.
        sizes: f32 [batch, 2], (height, width) of each page.
        objects: with boxes in these pixels.
        canvas: (height, width) of what the net is to see.
        seed: of the variations.
    """

    pixels: UInt8[Tensor, "batch 1 h w"]
    sizes: Float[Tensor, "batch 2"]
    objects: Objects
    canvas: tuple[int, int]
    seed: int

    @property
    def num_rows(self) -> int:
        """Pages."""
        return len(self.pixels)


def read_pages(folders: Sequence[Path], classes: Sequence[str]) -> list[LabelledPage]:
    """The labelled pages of all data sets, in their order; what is odd about them is logged.

    Args:
        folders: folders or files that `formats.read_annotations` reads.
        classes: what is looked for; boxes of other classes are left out.

    Raises:
        DataError: a data set cannot be read, or no page has an object of `classes`.
    """
    pages: list[LabelledPage] = []
    for folder in folders:
        root = folder if folder.is_dir() else folder.parent
        known = frozenset(read_annotations(folder).classes)
        annotations = read_annotations(folder, classes)
        for warning in annotations.warnings:
            _log.warning("%s: %s", folder, warning)
        pages.extend(LabelledPage(root / labels.page, labels, known) for labels in annotations.pages)
    if not any(page.labels.labels for page in pages):
        raise DataError(f"{', '.join(map(str, folders))}: no page shows any of {', '.join(classes)}")
    return pages


def fingerprint(pages: Sequence[LabelledPage]) -> str:
    """A SHA-256 of names, file sizes and objects of all pages."""
    digest = hashlib.sha256()
    for page in pages:
        labels = page.labels
        size = page.path.stat().st_size if page.path.exists() else 0
        digest.update(msgspec.json.encode([labels.page, size, labels.width, labels.height, labels.labels]))
        digest.update(np.ascontiguousarray(labels.boxes, dtype=np.float32).tobytes())
    return digest.hexdigest()


def split_pages(num_pages: int, *, share: float, at_most: int, seed: int) -> tuple[list[int], list[int]]:
    """Positions of the pages to train on and of those held out, both ascending, at least one each.

    Raises:
        DataError: there are fewer than two pages.
    """
    if num_pages < 2:
        raise DataError(f"training takes at least 2 pages, one of them held out, got {num_pages}")
    held_out = min(at_most, max(1, round(num_pages * share)))
    order = np.random.default_rng([seed, 1]).permutation(num_pages)
    return sorted(order[held_out:].tolist()), sorted(order[:held_out].tolist())


def scaled_boxes(page: LabelledPage, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """f32 [n, 4]: the boxes of a page in the pixels of its copy of this (height, width)."""
    labels = page.labels
    ratio = np.array([shape[1] / labels.width, shape[0] / labels.height] * 2, np.float32)
    return np.asarray(labels.boxes.reshape(-1, 4) * ratio, dtype=np.float32)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class TrainBatches:
    """An endless stream of shuffled pages, cut into epochs of equal length, as `fit` wants it.

    Every page comes once before any comes again. Within an epoch pages of one format are put together, so that little
    of a canvas is empty.

    Attributes:
        cache: the pages.
        indices: those of them to train on.
        classes: what is looked for.
        batch_size: pages per step.
        num_batches: steps per epoch.
        long_side: of the canvas.
        seed: of the order and of the variations.
    """

    cache: PageCache
    indices: Sequence[int]
    classes: tuple[str, ...]
    batch_size: int
    num_batches: int
    long_side: int
    seed: int

    def epoch(self, epoch: int, start_batch: int) -> Iterator[PageBatch]:
        """The batches of `epoch` from `start_batch` on."""
        size = self.num_batches * self.batch_size
        drawn = self._stream(epoch * size, size)
        formats = np.array([_format_of(*self.cache.shapes[index]) for index in drawn])
        batches = drawn[np.argsort(formats, kind="stable")].reshape(self.num_batches, self.batch_size)
        order = np.random.default_rng([self.seed, 2, epoch]).permutation(self.num_batches)
        for number in range(start_batch, self.num_batches):
            seed = int(np.random.default_rng([self.seed, 3, epoch, number]).integers(2**31))
            yield self._batch(batches[order[number]].tolist(), seed)

    def _stream(self, start: int, size: int) -> npt.NDArray[np.int64]:
        """The pages at places `start` to `start + size` of the endless stream."""
        count = len(self.indices)
        first, last = start // count, -(-(start + size) // count)
        passes = [np.random.default_rng([self.seed, 4, number]).permutation(count) for number in range(first, last)]
        places = np.concatenate(passes)[start - first * count :][:size]
        return np.asarray(self.indices, dtype=np.int64)[places]

    def _batch(self, indices: Sequence[int], seed: int) -> PageBatch:
        shapes = [self.cache.shapes[index] for index in indices]
        pixels = np.zeros((len(indices), 1, max(h for h, _ in shapes), max(w for _, w in shapes)), np.uint8)
        for place, (index, (height, width)) in enumerate(zip(indices, shapes, strict=True)):
            pixels[place, 0, :height, :width] = self.cache.pixels(index)
        return PageBatch(
            pixels=torch.from_numpy(pixels),
            sizes=torch.tensor(shapes, dtype=torch.float32),
            objects=self._objects(indices),
            canvas=_canvas(_format_of(*shapes[len(shapes) // 2]), self.long_side),
            seed=seed,
        )

    def _objects(self, indices: Sequence[int]) -> Objects:
        pages = [self.cache.pages[index] for index in indices]
        most = max(len(page.labels.labels) for page in pages)
        boxes, labels = np.zeros((len(pages), most, 4), np.float32), np.zeros((len(pages), most), np.int64)
        for place, (page, index) in enumerate(zip(pages, indices, strict=True)):
            count = len(page.labels.labels)
            boxes[place, :count] = scaled_boxes(page, self.cache.shapes[index])
            labels[place, :count] = [self.classes.index(name) for name in page.labels.labels]
        counts = torch.tensor([len(page.labels.labels) for page in pages])
        return Objects(
            boxes=torch.from_numpy(boxes),
            labels=torch.from_numpy(labels),
            is_real=torch.arange(most) < counts[:, None],
            is_known=torch.tensor([[name in page.known for name in self.classes] for page in pages]),
        )


def _format_of(height: int, width: int) -> int:
    """0 for an upright page, 1 for a square one, 2 for a wide one."""
    return 0 if height >= SQUARE_BAND * width else 2 if width >= SQUARE_BAND * height else 1


def _canvas(format: int, long_side: int) -> tuple[int, int]:
    """(height, width) of the canvas for pages of a format."""
    short = canvas_of(round(PORTRAIT_RATIO * long_side), 1)[0]
    return ((long_side, short), (long_side, long_side), (short, long_side))[format]
