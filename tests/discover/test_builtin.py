"""The built-in features tell shapes apart, depend on one image alone, and come back from their state bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from farthing.base.errors import ConfigError
from farthing.discover.builtin import DictionaryConfig, DictionaryExtractor
from farthing.discover.features import unit_length
from tests.discover.pictures import draw_shapes

CONFIG = DictionaryConfig(side=16, patch=4, atoms=16, grid=2, views=3, components=40, dim=16)


@pytest.fixture(scope="module")
def extractor() -> DictionaryExtractor:
    return DictionaryExtractor.fit(draw_shapes(12)[0], CONFIG, seed=0)


def test_new_images_lie_near_those_of_their_shape(extractor: DictionaryExtractor) -> None:
    images, numbers = draw_shapes(12)
    others, other_numbers = draw_shapes(12, seed=1)
    features, new = (unit_length(extractor.transform(list(pictures))) for pictures in (images, others))
    found = np.array(numbers)[(new @ features.T).argmax(1)]
    assert (found == other_numbers).mean() > 0.95


def test_views_help(extractor: DictionaryExtractor) -> None:
    """Images of one shape are nearer, compared with others, than without the discriminant."""
    plain = DictionaryExtractor.fit(draw_shapes(12)[0], replace(CONFIG, shrinkage=1.0), seed=0)
    images, numbers = draw_shapes(12, seed=2)
    same = np.equal.outer(numbers, numbers)
    contrasts = []
    for each in (extractor, plain):
        features = unit_length(each.transform(images))
        similarities = features @ features.T
        contrasts.append((similarities[same].mean() - similarities[~same].mean()) / similarities[~same].std())
    assert contrasts[0] > contrasts[1]


def test_a_feature_depends_on_its_image_alone(extractor: DictionaryExtractor) -> None:
    images, _ = draw_shapes(10)
    together = extractor.transform(images)
    alone = np.concatenate([extractor.transform([image]) for image in images[:5]])
    np.testing.assert_allclose(alone, together[:5], atol=1e-3 * np.abs(together).max())


def test_the_same_seed_gives_the_same_bits(extractor: DictionaryExtractor) -> None:
    images, _ = draw_shapes(12)
    again = DictionaryExtractor.fit(images, CONFIG, seed=0)
    assert np.array_equal(again.transform(images), extractor.transform(images))
    other = DictionaryExtractor.fit(images, CONFIG, seed=1)
    assert not np.array_equal(other.transform(images), extractor.transform(images))


def test_the_state_is_all_of_it(extractor: DictionaryExtractor) -> None:
    images, _ = draw_shapes(3)
    restored = DictionaryExtractor.from_state(*extractor.state())
    assert np.array_equal(restored.transform(images), extractor.transform(images))
    assert restored.max_side == extractor.max_side


@pytest.mark.parametrize("name", ["patch", "grid"])
@pytest.mark.parametrize("value", [-1, 0, 2**64])
def test_a_state_whose_parts_differ_is_refused(extractor: DictionaryExtractor, name: str, value: int) -> None:
    description, tensors = extractor.state()
    with pytest.raises(ConfigError, match=f"patch and grid must be >= 1 and those of the tensors, got .*{value}"):
        DictionaryExtractor.from_state(description | {name: value}, tensors)


def test_one_image_and_images_of_any_size(extractor: DictionaryExtractor) -> None:
    blank = np.full((1, 300, 3), 255, np.uint8)
    assert np.isfinite(extractor.transform([blank])).all()
    alone = DictionaryExtractor.fit([blank], CONFIG, seed=0)
    assert unit_length(alone.transform([blank])).shape == (1, 1)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"side": 11}, "side must be >= 12"),
        ({"views": 0}, "views must be >= 1"),
        ({"strength": 0.0}, "strength must be > 0"),
        ({"shrinkage": 1.5}, r"shrinkage must be in \[0, 1\]"),
        ({"patch": 9, "side": 12}, "patch must be <= half of side"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, float], rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        DictionaryConfig(**change)  # type: ignore[arg-type]
