"""All settings of a fit, each part with its own defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from farthing.discover.codes import FeatureBits
from farthing.discover.config import DiscoverConfig
from farthing.discover.sources import FeatureConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class FitConfig:
    """How a collection is sorted.

    Attributes:
        features: how features are made.
        bits: that each number of a feature is kept in: 32, 8 or 1.
        sorting: what the folds choose from.
    """

    features: FeatureConfig = field(default_factory=FeatureConfig)
    bits: FeatureBits = 32
    sorting: DiscoverConfig = field(default_factory=DiscoverConfig)
