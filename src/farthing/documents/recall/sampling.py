"""Which pages a person is asked about: a uniform draw that can be made larger, kept beside the results.

The draw is uniform and without replacement, and looks at no score: with the exact bound of `recall`, drawing more of
the pages with high or middling scores keeps no fewer pages in the end (docs/recall.md has the comparison), and a sample
that no model had a hand in goes on being one when the model changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError, DataError
from farthing.base.files import read_json, write_json

SAMPLE_FILE = "calibration-sample.json"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The pages drawn from a collection so far.

    Attributes:
        seed: of the draw.
        num_pages: that it was drawn from.
        sizes: of the sample after each round, rising.
        pages: names, in the order in which they were drawn; the first `sizes[j]` are the sample of round j + 1.
    """

    seed: int
    num_pages: int
    sizes: tuple[int, ...]
    pages: tuple[str, ...]

    @property
    def round(self) -> int:
        """How many times pages were drawn, from 1."""
        return len(self.sizes)


def draw(num_pages: int, num_labels: int, seed: int) -> npt.NDArray[np.int64]:
    """i64 [labels] distinct positions below `num_pages`, uniform; a larger draw with the same seed begins with them.

    Raises:
        ConfigError: fewer than one label, or a negative seed.
        DataError: there are no pages.
    """
    if num_labels < 1:
        raise ConfigError(f"sample: must be at least 1 page, got {num_labels}; 200 is usual")
    if seed < 0:
        raise ConfigError(f"seed: must not be negative, got {seed}")
    if num_pages < 1:
        raise DataError("there is no page that could be read; nothing can be sampled")
    return np.random.default_rng(seed).permutation(num_pages)[:num_labels]


def draw_sample(pages: Sequence[str], num_labels: int, *, seed: int) -> Sample:
    """A first sample of `num_labels` of the pages, or of all where there are fewer.

    Args:
        pages: names of all pages that have a score; their order does not matter.
        num_labels: how many to look at.
        seed: equal seeds draw equal samples.

    Raises:
        ConfigError: as `draw`.
        DataError: as `draw`.
    """
    names = sorted(pages)
    chosen = draw(len(names), num_labels, seed)
    return Sample(
        seed=seed, num_pages=len(names), sizes=(len(chosen),), pages=tuple(names[position] for position in chosen)
    )


def extend_sample(sample: Sample, pages: Sequence[str]) -> Sample:
    """The next round: the sample doubled, or grown to all pages.

    The size of a round is fixed in advance, and not by what was answered: that is what keeps promises of later rounds
    true (`recall.round_error`).

    Raises:
        DataError: the collection is not the one that the sample was drawn from, or is sampled whole.
    """
    check_collection(sample, pages)
    if len(sample.pages) == len(pages):
        raise DataError(f"all {len(pages)} pages are in the sample already; there is nothing more to draw")
    larger = draw_sample(pages, 2 * len(sample.pages), seed=sample.seed)
    return msgspec.structs.replace(larger, sizes=(*sample.sizes, len(larger.pages)))


def check_collection(sample: Sample, pages: Sequence[str]) -> None:
    """Checks that the sample was drawn from these pages.

    Raises:
        DataError: their number differs, or a drawn page is not among them.
    """
    missing = set(sample.pages).difference(pages)
    if len(pages) != sample.num_pages or missing:
        raise DataError(
            f"{SAMPLE_FILE}: was drawn from {sample.num_pages} pages, now there are {len(pages)}, and "
            f"{len(missing)} drawn pages are gone; draw again with --sample"
        )


def read_sample(folder: Path) -> Sample | None:
    """The sample that was drawn for the filter in `folder`; None if there is none.

    Raises:
        FormatError: the file is damaged.
    """
    path = folder / SAMPLE_FILE
    return read_json(path, Sample) if path.exists() else None


def write_sample(folder: Path, sample: Sample) -> None:
    """Keeps the sample beside the results in `folder`."""
    write_json(folder / SAMPLE_FILE, sample)
