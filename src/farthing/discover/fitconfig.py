"""All settings of a fit, each part with its own defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from farthing.discover.config import DiscoverConfig
from farthing.discover.sources import FeatureConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class FitConfig:
    """How a collection is sorted.

    Attributes:
        features: how features are made.
        sorting: what the folds choose from.
    """

    features: FeatureConfig = field(default_factory=FeatureConfig)
    sorting: DiscoverConfig = field(default_factory=DiscoverConfig)
