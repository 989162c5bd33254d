"""`farthing discover gallery`: serves the gallery page over a run until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from farthing.base.errors import DataError
from farthing.discover.gallery.app import create_app
from farthing.discover.gallery.decisions import open_decisions
from farthing.discover.gallery.gallery import Cut, Gallery
from farthing.discover.gallery.images import ImageFiles
from farthing.discover.gallery.messages import FactsMessage
from farthing.discover.outputs import ASSIGNMENTS_FILE, read_assignments
from farthing.discover.problem import Features
from farthing.discover.rundata import FEATURES_FILE, MODEL_FOLDER, read_given, read_info, read_summary
from farthing.web.server import Address, serve


def serve_gallery(
    run: Path,
    *,
    port: int = 8000,
    images: Path | None = None,
    cut: Cut | None = None,
    announce: Callable[[str], None],
) -> None:
    """Serves the gallery page to this computer until Ctrl-C or SIGTERM.

    Args:
        run: what `fit` wrote.
        port: TCP port; 0 takes a free one.
        images: the folder of images, if it has moved since.
        cut: sorts into another number of classes; None where the run cannot.
        announce: told the address to open.

    Raises:
        FormatError: the folder has no finished run, or a file in it is damaged.
        DataError: the images are not there.
        ConfigError: the port is taken.
    """
    read_summary(run)
    files = ImageFiles(find_images(run, images))
    with open_gallery(run, features=kept_space(run), cut=cut) as gallery:
        serve(lambda token: create_app(gallery, files, token=token), address=Address(port=port), announce=announce)


@contextmanager
def open_gallery(run: Path, *, features: Features | None = None, cut: Cut | None = None) -> Iterator[Gallery]:
    """The gallery of a run, as `serve_gallery` serves it; its store is closed when the block ends.

    Raises:
        FormatError: the folder has no finished run, or a file in it is damaged.
    """
    info, summary = read_info(run), read_summary(run)
    rows = read_assignments(run / ASSIGNMENTS_FILE)
    facts = FactsMessage(
        name=Path(info.images).name or info.images,
        num_images=len(rows),
        num_known=summary.num_known,
        k=summary.k,
        k_low=summary.k_low,
        k_high=summary.k_high,
        can_recut=cut is not None,
    )
    with open_decisions(run) as store:
        yield Gallery(store, rows, facts=facts, given=frozenset(read_given(run)), features=features, cut=cut)


def find_images(run: Path, images: Path | None) -> Path:
    """The folder of images: where it was when the run was made, or where it is said to be now.

    Raises:
        DataError: there is no such folder.
    """
    root = Path(read_info(run).images) if images is None else images
    if not root.is_dir():
        raise DataError(f"{root}: the images are not there (any more); say with --images where they are")
    return root


def kept_space(run: Path) -> Features | None:
    """The features of a run as its classes see them, f32 [n, dim], zeros for an image without; None if none are kept.

    Raises:
        FormatError: a file of the run is damaged.
    """
    if not (run / FEATURES_FILE).is_file():
        return None
    from farthing.discover.kept import read_features  # brings torch
    from farthing.discover.modelfolder import load_model

    features = read_features(run)
    has_feature = features.any(axis=1)
    whitened = np.zeros_like(features)
    whitened[has_feature] = load_model(run / MODEL_FOLDER).classifier.whitening.transform(features[has_feature])
    return whitened
