"""The built-in features: a patch dictionary over several distorted views, projected to what tells images apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any  # JSON

import msgspec
import torch
from torch import Tensor

from farthing.base.config import from_dict
from farthing.base.errors import ConfigError
from farthing.discover.dictionary import Dictionary, learn_dictionary
from farthing.discover.exemplars import Projection, fit_exemplars
from farthing.discover.pixels import Canvas, choose_canvas, to_tensor
from farthing.discover.problem import Features
from farthing.vision.images import Pixels
from farthing.vision.views import draw_warps, warp

_IMAGES_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class DictionaryConfig:
    """How the built-in features are made.

    Attributes:
        side: of the square with the area that images are brought to, px, >= 12.
        patch: side of a patch, px, >= 2.
        atoms: of the dictionary, >= 1; time is proportional to it.
        grid: cells along each side that activations are pooled in, >= 1.
        views: distorted views of each image beside itself, >= 1; time is proportional to it.
        strength: of the distortions, > 0.
        components: principal directions that the discriminant starts from, >= 1.
        shrinkage: of the covariance of views towards a round one, in [0, 1].
        dim: of the features at most, >= 1.
        fit_images: images that everything is learned from, drawn at random, >= 1.
    """

    side: int = 28
    patch: int = 7
    atoms: int = 200
    grid: int = 3
    views: int = 8
    strength: float = 1.0
    components: int = 800
    shrinkage: float = 0.1
    dim: int = 96
    fit_images: int = 3000

    def __post_init__(self) -> None:
        least = {"side": 12, "patch": 2, "atoms": 1, "grid": 1, "views": 1, "components": 1, "dim": 1, "fit_images": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ConfigError(f"{name} must be >= {lowest}, got {getattr(self, name)}")
        if 2 * self.patch > self.side:  # the shorter side of a canvas is at least half of it
            raise ConfigError(f"patch must be <= half of side, got {self.patch} and {self.side}")
        if not self.strength > 0:
            raise ConfigError(f"strength must be > 0, got {self.strength}")
        if not 0 <= self.shrinkage <= 1:
            raise ConfigError(f"shrinkage must be in [0, 1], got {self.shrinkage}")


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class DictionaryExtractor:
    """Features of images by a learned dictionary; a feature depends on its image alone.

    feature = ((1 / V) sum over views v of describe(v(image)) - mean) @ weight, the image itself being one of the views.

    Attributes:
        canvas: the shape that images are brought to.
        dictionary: what patches are compared with.
        warps: f32 [views, height, width, 2], the distorted views.
        projection: to what tells images apart.
    """

    canvas: Canvas
    dictionary: Dictionary
    warps: Tensor
    projection: Projection

    @classmethod
    def fit(cls, images: Sequence[Pixels], config: DictionaryConfig, *, seed: int) -> DictionaryExtractor:
        """Learns dictionary and projection from images without labels.

        Args:
            images: u8 [h, w, 3] RGB of any sizes, at least one.
            config: how.
            seed: of everything that is drawn.
        """
        generator = torch.Generator().manual_seed(seed)
        canvas = choose_canvas(images, side=config.side)
        placed = to_tensor(images, canvas).to(torch.float32)
        dictionary = learn_dictionary(
            placed, patch=config.patch, atoms=config.atoms, grid=config.grid, generator=generator
        )
        size = (canvas.height, canvas.width)
        views = torch.empty(1 + config.views, len(placed), config.atoms * config.grid**2)
        for start in range(0, len(placed), _IMAGES_AT_ONCE):
            part = placed[start : start + _IMAGES_AT_ONCE]
            views[0, start : start + len(part)] = dictionary.describe(part)
            for view in views[1:]:  # other distortions for each image: their covariance is of all there can be
                grids = draw_warps(len(part), size, strength=config.strength, generator=generator)
                view[start : start + len(part)] = dictionary.describe(warp(part, grids))
        projection = fit_exemplars(views, components=config.components, shrinkage=config.shrinkage, dim=config.dim)
        warps = draw_warps(config.views, size, strength=config.strength, generator=generator)
        return cls(canvas=canvas, dictionary=dictionary, warps=warps, projection=projection)

    @property
    def max_side(self) -> int:
        """Long side in pixels beyond which detail of an image is not used."""
        return 2 * max(self.canvas.height, self.canvas.width)

    def transform(self, images: Sequence[Pixels]) -> Features:
        """f32 [n, dim] features of RGB images of any sizes, of any length."""
        placed = to_tensor(images, self.canvas)
        parts = [self._describe(part.to(torch.float32)) for part in placed.split(_IMAGES_AT_ONCE)]
        features: Features = self.projection(torch.cat(parts)).numpy()
        return features

    def _describe(self, images: Tensor) -> Tensor:
        """The mean description over all views."""
        total = self.dictionary.describe(images)
        for grid in self.warps:
            total += self.dictionary.describe(warp(images, grid[None]))
        return total / (1 + len(self.warps))

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:  # Any: JSON
        """All of it as JSON and tensors, for `from_state`."""
        dictionary = self.dictionary
        description = {"canvas": asdict(self.canvas), "patch": dictionary.patch, "grid": dictionary.grid}
        tensors = {
            "dictionary.mean": dictionary.mean,
            "dictionary.whitening": dictionary.whitening,
            "dictionary.atoms": dictionary.atoms,
            "warps": self.warps,
            "projection.mean": self.projection.mean,
            "projection.weight": self.projection.weight,
        }
        return description, {name: tensor.contiguous() for name, tensor in tensors.items()}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> DictionaryExtractor:
        """The extractor that `state` took apart.

        Raises:
            ConfigError: patch or grid are not those of the tensors.
        """
        canvas = from_dict(Canvas, description["canvas"])
        patch, grid = msgspec.convert((description["patch"], description["grid"]), tuple[int, int])
        sizes = (canvas.channels * patch**2, len(tensors["dictionary.atoms"]) * grid**2)
        expected = (len(tensors["dictionary.mean"]), len(tensors["projection.mean"]))
        if min(patch, grid) < 1 or sizes != expected:
            raise ConfigError(f"patch and grid must be >= 1 and those of the tensors, got {patch} and {grid}")
        return cls(
            canvas=canvas,
            dictionary=Dictionary(
                patch=patch,
                grid=grid,
                mean=tensors["dictionary.mean"],
                whitening=tensors["dictionary.whitening"],
                atoms=tensors["dictionary.atoms"],
            ),
            warps=tensors["warps"],
            projection=Projection(mean=tensors["projection.mean"], weight=tensors["projection.weight"]),
        )
