"""Labelled pages that look like a collection, made once for an adaptation."""

from __future__ import annotations

import shutil
from pathlib import Path

from farthing.documents.filtering.progress import PageProgress
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.fit import fit_collection
from farthing.documents.synthetic.write import RECIPE_FILE, write_pages


def make_lookalikes(
    location: str,
    folder: Path,
    num_pages: int,
    *,
    classes: tuple[str, ...],
    seed: int,
    jobs: int,
    progress: PageProgress,
) -> Path:
    """The folder, with synthetic pages that look like those of a collection; finished ones are not made again.

    Args:
        location: of the collection, as `open_collection` takes it.
        folder: of the pages.
        num_pages: to make.
        classes: that they show.
        seed: of the pages.
        jobs: processes.
        progress: told about every page.

    Raises:
        DataError: no page of the collection can be read, or `folder` cannot be written.
    """
    if not (folder / RECIPE_FILE).exists():
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted call left
        like = fit_collection(location)
        config = SynthesisConfig(classes=classes)
        write_pages(folder, num_pages, config=config, seed=seed, like=like, jobs=jobs, progress=progress)
    return folder
