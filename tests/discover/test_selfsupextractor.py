"""The trained net tells shapes apart, resumes, and comes back from its state bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import ConfigError
from farthing.discover.problem import UNLABELLED
from farthing.discover.selfsup import SelfsupConfig
from farthing.discover.selfsupextractor import SelfsupExtractor
from tests.discover.pictures import draw_shapes

CONFIG = SelfsupConfig(side=16, widths=(16, 32), blocks=(0, 0), projected=16, batch_size=16, epochs=2)


def fit(folder: Path | None = None, *, config: SelfsupConfig = CONFIG, seed: int = 0) -> SelfsupExtractor:
    images, numbers = draw_shapes(8)
    labels = np.array([number if number < 2 else UNLABELLED for number in numbers], np.int64)
    return SelfsupExtractor.fit(images, labels, config, seed=seed, folder=folder)


def test_the_same_seed_gives_the_same_features() -> None:
    images, _ = draw_shapes(2, seed=1)
    features = fit().transform(images)
    assert features.shape == (8, 32)
    assert np.array_equal(fit().transform(images), features)
    assert not np.array_equal(fit(seed=1).transform(images), features)


def test_the_state_is_all_that_features_need() -> None:
    images, _ = draw_shapes(2, seed=1)
    extractor = fit()
    restored = SelfsupExtractor.from_state(*extractor.state())
    assert np.array_equal(restored.transform(images), extractor.transform(images))
    assert restored.max_side == extractor.max_side


def test_a_finished_training_is_taken_up(tmp_path: Path) -> None:
    images, _ = draw_shapes(2, seed=1)
    features = fit(tmp_path / "run").transform(images)
    log = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert np.array_equal(fit(tmp_path / "run").transform(images), features)
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == log  # it holds seconds: nothing was trained again
    with pytest.raises(ConfigError, match="selfsup"):
        fit(tmp_path / "run", config=replace(CONFIG, strength=1.0))


@pytest.mark.slow
def test_training_helps() -> None:
    images, numbers = draw_shapes(12, seed=1)
    same = np.equal.outer(numbers, numbers)
    contrast = []
    for epochs in (1, 40):
        features = fit(config=replace(CONFIG, epochs=epochs)).transform(images)
        features = features - features.mean(0)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        similarities = features @ features.T
        contrast.append(similarities[same].mean() - similarities[~same].mean())
    assert contrast[1] > contrast[0] + 0.1
