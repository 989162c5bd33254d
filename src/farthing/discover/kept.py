"""The features of a run, kept with what made them, so that going on does not compute them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from farthing.base.errors import ConfigError, FormatError
from farthing.discover.csvfiles import read_rows
from farthing.discover.features import Extractor, FeatureSet
from farthing.discover.modelfolder import put_together, take_apart
from farthing.discover.problem import Features
from farthing.discover.rundata import FEATURES_FILE, GIVEN_FILE
from farthing.train.checkpoint import load_state, save_state


def keep_features(run: Path, found: FeatureSet, extractor: Extractor | None) -> None:
    """Writes the features of a collection and their extractor into one file.

    Raises:
        DataError: the folder cannot be written or the disk is full.
    """
    state = {
        "features": torch.from_numpy(found.features),
        "names": list(found.names),
        "unreadable": list(found.unreadable),
        "made_by": dict(found.made_by),
        "extractor": None,
    }
    if extractor is not None:
        kind, description, tensors = take_apart(extractor)
        state["extractor"] = {"kind": kind, "state": description, "tensors": tensors}
    save_state(run / FEATURES_FILE, state)


def kept_features(run: Path) -> tuple[FeatureSet, Extractor | None]:
    """What `keep_features` wrote.

    Raises:
        FormatError: the file is missing or damaged.
    """
    path = run / FEATURES_FILE
    state = load_state(path)
    try:
        found = FeatureSet(
            names=tuple(state["names"]),
            features=state["features"].numpy(),
            unreadable=tuple(state["unreadable"]),
            made_by=state["made_by"],
        )
        stored = state["extractor"]
        return found, None if stored is None else put_together(stored["kind"], stored["state"], stored["tensors"])
    except (KeyError, TypeError, AttributeError, ConfigError) as error:
        raise FormatError(f"{path}: not what this version of farthing writes ({error!r})") from error


def read_features(run: Path) -> Features:
    """f32 [n, dim]: the feature of every image of a run in the order of its tables; zeros where it has none.

    Raises:
        FormatError: the file is missing or damaged.
    """
    found, _ = kept_features(run)
    place = {name: number for number, name in enumerate(found.names)}
    images = [row["image"] for row in read_rows(run / GIVEN_FILE, ["image"])]
    features = np.zeros((len(images), found.features.shape[1]), np.float32)
    here = [number for number, image in enumerate(images) if image in place]
    features[here] = found.features[[place[images[number]] for number in here]]
    return features
