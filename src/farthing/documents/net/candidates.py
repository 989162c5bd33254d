"""What a detector is: from pages to candidates, and what it pays for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from farthing.documents.training.targets import Objects


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Candidates:
    """What a detector says before anything is chosen.

    Attributes:
        logits: f32 [batch, points, classes].
        boxes: f32 [batch, points, 4] (x0, y0, x1, y1) in pixels of the canvas.
        centers: f32 [points, 2] (x, y) of the places that speak; zeros where no place is meant.
        page_logits: f32 [batch, classes], that the page shows one at all.
    """

    logits: Float[Tensor, "batch points classes"]
    boxes: Float[Tensor, "batch points 4"]
    centers: Float[Tensor, "points 2"]
    page_logits: Float[Tensor, "batch classes"]


class Detector(nn.Module, ABC):
    """From normalised grey pages [batch, 1, height, width], sides multiples of 32, to `Candidates`."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "batch 1 height width"]) -> Candidates:
        """What is said about each page."""

    @abstractmethod
    def loss(self, images: Float[Tensor, "batch 1 height width"], objects: Objects) -> Float[Tensor, ""]:
        """The scalar to minimise, with gradient."""
