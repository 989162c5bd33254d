"""The features of a run, kept with what made them, so that going on does not compute them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any  # trees of tensors and JSON scalars, as in train.checkpoint

import numpy as np
import torch

from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.discover.codes import FeatureBits, FeatureCodes, encode
from farthing.discover.csvfiles import read_rows
from farthing.discover.features import Extractor, FeatureSet
from farthing.discover.modelfolder import put_together, take_apart
from farthing.discover.problem import Features
from farthing.discover.rundata import FEATURES_FILE, GIVEN_FILE
from farthing.train.checkpoint import load_state, save_state


def keep_features(run: Path, found: FeatureSet, extractor: Extractor | None, *, bits: FeatureBits = 32) -> None:
    """Writes the features of a collection and their extractor into one file.

    Args:
        run: the folder.
        found: the features.
        extractor: what made them, where it can be kept.
        bits: that each number is kept in.

    Raises:
        DataError: the folder cannot be written or the disk is full.
    """
    state: dict[str, Any] = {
        "features": _packed(found.features, bits),
        "names": list(found.names),
        "unreadable": list(found.unreadable),
        "made_by": {**found.made_by, "bits": bits},
        "extractor": None,
    }
    if extractor is not None:
        kind, description, tensors = take_apart(extractor)
        state["extractor"] = {"kind": kind, "state": description, "tensors": tensors}
    save_state(run / FEATURES_FILE, state)


def kept_features(run: Path) -> tuple[FeatureSet, Extractor | None]:
    """What `keep_features` wrote, rounded where it was kept in fewer bits.

    Raises:
        FormatError: the file is missing or damaged.
    """
    path = run / FEATURES_FILE
    state = load_state(path)
    try:
        found = FeatureSet(
            names=tuple(state["names"]),
            features=_unpacked(state["features"]),
            unreadable=tuple(state["unreadable"]),
            made_by=state["made_by"],
        )
        stored = state["extractor"]
        return found, None if stored is None else put_together(stored["kind"], stored["state"], stored["tensors"])
    except (KeyError, TypeError, AttributeError, RuntimeError, ConfigError, DataError) as error:
        raise FormatError(f"{path}: not what this version of farthing writes ({error!r})") from error


def _packed(features: Features, bits: FeatureBits) -> dict[str, Any]:
    if bits == 32:
        return {"values": torch.from_numpy(features)}
    codes = encode(features, bits)
    return {"bits": bits, "packed": codes.packed, "scale": codes.scale, "offset": codes.offset}


def _unpacked(stored: dict[str, Any]) -> Features:
    return stored["values"].numpy() if "values" in stored else FeatureCodes(**stored).decode()


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
