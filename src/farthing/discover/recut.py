"""Another number of classes without another fit: the tree of a run, kept and cut again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from farthing.base.errors import FormatError
from farthing.discover.csvfiles import read_rows
from farthing.discover.heads.linkage import Dendrogram
from farthing.discover.kept import kept_features
from farthing.discover.modelfolder import load_model
from farthing.discover.problem import UNSORTED, Labels, Problem
from farthing.discover.robust import cut_robustly
from farthing.discover.rows import Given
from farthing.discover.rundata import GIVEN_FILE, MODEL_FOLDER, TREE_FILE, read_given
from farthing.train.checkpoint import load_state, save_state

Cut = Callable[[int], Labels]

_ARRAYS = ("leaves", "merges", "similarities")


def keep_tree(run: Path, dendrogram: Dendrogram, *, least: int) -> None:
    """Writes the tree of a run.

    Args:
        run: the folder.
        dendrogram: of the readable images, in their order.
        least: images that form a new class.

    Raises:
        DataError: the folder cannot be written or the disk is full.
    """
    tree = {name: torch.from_numpy(np.ascontiguousarray(getattr(dendrogram, name))) for name in _ARRAYS}
    save_state(run / TREE_FILE, {"least": least, "num_known": dendrogram.num_known, "tree": tree})


def read_cut(run: Path) -> Cut | None:
    """What gives the class of every image of a run, [0, num_known) known, for a number of classes; None without a tree.

    Every image gets a class but those that could not be read.

    Raises:
        FormatError: a file of the run is damaged.
    """
    path = run / TREE_FILE
    if not path.is_file():
        return None
    state = load_state(path)
    try:
        arrays = {name: state["tree"][name].numpy() for name in _ARRAYS}
        dendrogram = Dendrogram(**arrays, num_known=int(state["num_known"]))
        least = int(state["least"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"{path}: not what this version of farthing writes ({error!r})") from error
    found, _ = kept_features(run)
    images = [row["image"] for row in read_rows(run / GIVEN_FILE, ["image"])]
    given = Given(images=images, labels=read_given(run))
    problem = Problem(
        features=load_model(run / MODEL_FOLDER).classifier.whitening.transform(found.features),
        labels=given.numbers(found.names),
        num_known=len(given.known(found.names)),
    )
    place = {image: number for number, image in enumerate(images)}
    places = np.array([place[name] for name in found.names])

    def cut(num_classes: int) -> Labels:
        classes = np.full(len(images), UNSORTED, np.int64)
        count = min(max(num_classes, problem.num_known, 1), len(found.names))
        classes[places] = cut_robustly(dendrogram, problem, count, least=least).classes
        return classes

    return cut
