"""Settings that cannot be are refused."""

from __future__ import annotations

import pytest

from farthing.base.config import apply_overrides
from farthing.base.errors import ConfigError
from farthing.discover.config import DiscoverConfig


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("heads=[]", "heads must be one name or more"),
        ("shrinkages=0", r"shrinkages must be one number or more in \(0, 1\]"),
        ("least=0", "least must be >= 1 or none, got 0"),
        ("folds.num_folds=0", "num_folds must be >= 1, got 0"),
        ("folds.hidden=1", r"hidden must be in \(0, 1\), got 1"),
        ("folds.withheld=0", r"withheld must be in \(0, 1\), got 0"),
        ("folds.max_images=9", "max_images must be >= 100, got 9"),
    ],
)
def test_bad_values(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        apply_overrides(DiscoverConfig(), [override])


def test_overrides() -> None:
    config = apply_overrides(DiscoverConfig(), ["heads=linkage,kmeans", "folds.num_folds=2", "least=3"])
    assert (config.heads, config.folds.num_folds, config.least) == (("linkage", "kmeans"), 2, 3)
