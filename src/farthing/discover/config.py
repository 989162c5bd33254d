"""The settings of a discovery: what the folds may choose from, how many folds, what forms a class."""

from __future__ import annotations

from dataclasses import dataclass, field

from farthing.base.errors import ConfigError


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise ConfigError(f"{name} must be {rule}, got {value!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldConfig:
    """How known classes are hidden to see what finds them again.

    Attributes:
        num_folds: how often, >= 1.
        hidden: share of the known classes that a fold hides, in (0, 1).
        withheld: share of the labels of the other known classes that it hides too, in (0, 1).
        max_images: folds are made of this many images of a larger collection, >= 100.
    """

    num_folds: int = 6
    hidden: float = 0.5
    withheld: float = 0.5
    max_images: int = 5_000

    def __post_init__(self) -> None:
        _require(self.num_folds >= 1, "num_folds", ">= 1", self.num_folds)
        _require(0 < self.hidden < 1, "hidden", "in (0, 1)", self.hidden)
        _require(0 < self.withheld < 1, "withheld", "in (0, 1)", self.withheld)
        _require(self.max_images >= 100, "max_images", ">= 100", self.max_images)


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscoverConfig:
    """How images are sorted into classes once they have features.

    Attributes:
        heads: what the folds choose from, by name, in order of preference; the first is taken where there are no
            folds, or where nothing is clearly better.
        even_head: of these, what comes first where the known classes are of nearly equal size; None changes no order.
        shrinkages: of the within-class covariance, each in (0, 1]; the first is taken where there are no folds.
        folds: how the choice is made.
        least: images that form a new class, >= 1; None takes the labelled images of the known class with the fewest.
    """

    heads: tuple[str, ...] = ("robust", "robust+kmeans", "simgcd+kmeans")
    even_head: str | None = "simgcd+kmeans"
    shrinkages: tuple[float, ...] = (0.3, 0.6, 0.1, 0.2)
    folds: FoldConfig = field(default_factory=FoldConfig)
    least: int | None = None

    def __post_init__(self) -> None:
        _require(len(self.heads) >= 1, "heads", "one name or more", self.heads)
        inside = all(0 < shrinkage <= 1 for shrinkage in self.shrinkages)
        _require(len(self.shrinkages) >= 1 and inside, "shrinkages", "one number or more in (0, 1]", self.shrinkages)
        _require(self.least is None or self.least >= 1, "least", ">= 1 or none", self.least)
