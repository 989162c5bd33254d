"""The page detector: a small backbone, a pyramid, and one head that finds objects on every map of it.

Each point of a map, the centre of a square of `stride` pixels, says per class how sure it is that an object lies
around it (as the overlap to be expected of its box), and how far the object's four sides are.

Source: FCOS, https://arxiv.org/abs/1904.01355. Differences: the class score is the expected overlap itself, as in
    Generalized Focal Loss, https://arxiv.org/abs/2006.04388, so there is no centre-ness; points and objects are
    assigned as in TOOD, https://arxiv.org/abs/2108.07755 (`targets.py`).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from farthing.documents.config import ModelConfig
from farthing.documents.net.candidates import Candidates, Detector
from farthing.documents.training.criterion import detection_loss
from farthing.documents.training.targets import Objects
from farthing.vision.backbones import Backbone, ConvNorm

STRIDES = (8, 16, 32, 64)
FIRST_SCORE = 0.01  # what an untrained head says, so that the many empty points do not drown the first steps
LARGEST_LOG_DISTANCE = 4.0  # 55 strides: more than a page


class PageNet(Detector):
    """From grey pages to `Candidates`.

    Args:
        config: widths and depths.
        num_classes: >= 1.
    """

    def __init__(self, config: ModelConfig, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.backbone = Backbone(1, config.widths, config.blocks)
        self.laterals = nn.ModuleList(ConvNorm(width, config.neck, kernel=1) for width in config.widths[1:])
        self.trunk = ConvNorm(config.neck, config.neck)
        self.class_branch = ConvNorm(config.neck, config.neck)
        self.box_branch = ConvNorm(config.neck, config.neck)
        self.class_head = nn.Conv2d(config.neck, num_classes, 3, padding=1)
        self.box_head = nn.Conv2d(config.neck, 4, 3, padding=1)
        self.page_head = nn.Conv2d(config.widths[-1], num_classes, 1)
        for head in (self.class_head, self.box_head, self.page_head):
            nn.init.normal_(head.weight, std=0.01)
        _set_bias(self.class_head, -math.log(1 / FIRST_SCORE - 1))
        _set_bias(self.box_head, math.log(2.0))
        _set_bias(self.page_head, 0.0)

    def forward(self, images: Float[Tensor, "batch 1 height width"]) -> Candidates:
        """What is said at every point.

        Args:
            images: normalised grey values (`transforms.py`); height and width are multiples of 32.
        """
        maps = self.backbone(images)
        outputs = [self._head(level) for level in self._pyramid(maps[1:])]
        centers, strides = points_of([logits.shape[-2:] for logits, _ in outputs], device=images.device)
        logits = torch.cat([logits.flatten(2) for logits, _ in outputs], 2).transpose(1, 2)
        raw = torch.cat([distances.flatten(2) for _, distances in outputs], 2).transpose(1, 2)
        return Candidates(
            logits=logits,
            boxes=boxes_of(raw, centers, strides),
            centers=centers,
            page_logits=self.page_head(maps[-1]).flatten(2).amax(2).float(),
        )

    def loss(self, images: Float[Tensor, "batch 1 height width"], objects: Objects) -> Float[Tensor, ""]:
        """What there is to pay for what is said; see `criterion.py`."""
        return detection_loss(self(images), objects)

    def _pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """The maps at strides 8, 16 and 32, each with what the coarser ones know, and one at 64.

        Source: Feature Pyramid Networks, https://arxiv.org/abs/1612.03144, figure 3.
        """
        levels = [lateral(level) for lateral, level in zip(self.laterals, maps, strict=True)]
        for index in (1, 0):
            levels[index] = levels[index] + F.interpolate(levels[index + 1], size=levels[index].shape[-2:])
        return [*levels, F.max_pool2d(levels[-1], 3, stride=2, padding=1)]

    def _head(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """Class logits [batch, classes, h, w] and the logarithms of the distances in strides [batch, 4, h, w].

        Both are f32, also where autocast computes in another type: losses and boxes need the digits.
        """
        shared = self.trunk(level)
        return self.class_head(self.class_branch(shared)).float(), self.box_head(self.box_branch(shared)).float()


def _set_bias(head: nn.Conv2d, value: float) -> None:
    assert head.bias is not None, "a head has a bias"
    nn.init.constant_(head.bias, value)


def points_of(
    sizes: list[torch.Size], *, device: torch.device
) -> tuple[Float[Tensor, "points 2"], Float[Tensor, " points"]]:
    """Centres in canvas pixels and strides of the points of maps with these (height, width), row by row."""
    centers, strides = [], []
    for (height, width), stride in zip(sizes, STRIDES, strict=True):
        y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
        centers.append((torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((height * width,), float(stride), device=device))
    return torch.cat(centers), torch.cat(strides)


def boxes_of(
    raw: Float[Tensor, "batch points 4"], centers: Float[Tensor, "points 2"], strides: Float[Tensor, " points"]
) -> Float[Tensor, "batch points 4"]:
    """(x - l, y - t, x + r, y + b) with (l, t, r, b) = stride exp(raw), at most a page away."""
    distances = raw.clamp(max=LARGEST_LOG_DISTANCE).exp() * strides[:, None]
    return torch.cat([centers - distances[..., :2], centers + distances[..., 2:]], -1)
