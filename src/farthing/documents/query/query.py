"""A detector that finds one new kind of object, known by a few examples, with the eyes of a trained one.

The trained detector stays as it is, in whatever bits it has. What its branches see at each point, and what they say
there, is read by a small new head; and what the backbone sees inside each point's box is compared with the examples.
Where the examples are of a class that it knows, what it says of that class counts as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from farthing.documents.net.candidates import Candidates
from farthing.documents.net.detector import FIRST_SCORE, PageNet

HIDDEN = 48
COARSE_MAPS, COARSE_STRIDES = (-2, -1), (16, 32)  # of the backbone: what a box holds, rather than where its edges are
LIKENESS_WEIGHT = 3.0  # logits between a box that has nothing in common with any example and one that equals one

_TINY = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Sight:
    """What a trained detector sees on a batch.

    Attributes:
        branches: f32 [batch, channels, h, w] for each map that objects are found on.
        coarse: f32 [batch, width, h, w], the backbone's maps at `COARSE_STRIDES`.
        candidates: what it says itself.
    """

    branches: tuple[Tensor, ...]
    coarse: tuple[Tensor, ...]
    candidates: Candidates


class QueryHead(nn.Module):
    """From what a detector's branches see to one logit per point.

    Args:
        channels: of what is seen.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))
        self.hidden = nn.Conv2d(channels, HIDDEN, 3, padding=1)
        self.out = nn.Conv2d(HIDDEN, 1, 3, padding=1)
        nn.init.normal_(self.out.weight, std=0.01)
        assert self.out.bias is not None, "a convolution has a bias"
        nn.init.constant_(self.out.bias, -math.log(1 / FIRST_SCORE - 1))

    def standardise(self, seen: Float[Tensor, "channels points"]) -> None:
        """Takes mean and deviation of each channel from what is seen at points of some pages."""
        self.mean.copy_(seen.mean(1)[:, None, None])
        self.deviation.copy_(seen.std(1).clamp_min(_TINY)[:, None, None])

    def forward(self, seen: Sequence[Float[Tensor, "batch channels _ _"]]) -> Float[Tensor, "batch points 1"]:
        """The logits of all points, map after map."""
        logits = [self.out(F.relu(self.hidden((level - self.mean) / self.deviation))) for level in seen]
        return torch.cat([level.flatten(2) for level in logits], 2).transpose(1, 2)


class QueryNet(nn.Module):
    """From pages to `Candidates` of one class.

    Args:
        detector: a trained detector, in evaluation mode; it is not changed.
        device: that it is on.
    """

    center: Tensor
    spread: Tensor
    examples: Tensor
    own: Tensor
    kin: Tensor
    shift: Tensor

    def __init__(self, detector: PageNet, *, device: torch.device) -> None:
        super().__init__()
        self._eyes = (detector,)  # in a tuple: its weights are not this module's
        sight = self.look(torch.zeros(1, 1, 64, 64, device=device))
        width = sum(level.shape[1] for level in sight.coarse)
        self.head = QueryHead(sight.branches[0].shape[1])
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.register_buffer("examples", torch.zeros(0, width))
        self.register_buffer("own", torch.ones(()))
        self.register_buffer("kin", torch.zeros(sight.candidates.logits.shape[2]))
        self.register_buffer("shift", torch.zeros(()))
        self.to(device)

    @torch.no_grad()
    def look(self, images: Float[Tensor, "batch 1 height width"]) -> Sight:
        """What the trained detector sees."""
        (detector,) = self._eyes
        with _recorded(detector.trunk, detector.class_branch, detector.class_head, detector.backbone) as seen:
            candidates: Candidates = detector(images)
        branches = tuple(torch.cat(level, 1) for level in zip(*seen[:-1], strict=True))
        (maps,) = seen[-1]
        return Sight(branches=branches, coarse=tuple(maps[place] for place in COARSE_MAPS), candidates=candidates)

    def forward(self, images: Float[Tensor, "batch 1 height width"]) -> Candidates:
        """What looks like the examples: the head's logits, less where a box looks unlike all of them, and its kin's."""
        return self.judge(self.look(images))

    def judge(self, sight: Sight) -> Candidates:
        """The same of what was seen already."""
        logits = self.logits(sight)
        if len(self.examples):
            logits = logits + LIKENESS_WEIGHT / 2 * (self.likeness(sight)[..., None] - 1)
        logits = self.own * logits + (sight.candidates.logits @ self.kin)[..., None] + self.shift
        return replace(sight.candidates, logits=logits, page_logits=logits.amax(1))

    def logits(self, sight: Sight) -> Float[Tensor, "batch points 1"]:
        """The head's logits."""
        logits: Tensor = self.head(sight.branches)
        return logits

    def likeness(self, sight: Sight) -> Float[Tensor, "batch points"]:
        """Cosine of what each point's box holds and the example that it is most alike, in [-1, 1]."""
        inside = F.normalize(self.contents(sight, sight.candidates.boxes), dim=2)
        return (inside @ self.examples.T).amax(2)

    def contents(self, sight: Sight, boxes: Float[Tensor, "batch n 4"]) -> Float[Tensor, "batch n width"]:
        """What boxes hold: the means of the coarse maps inside, standardised for this collection."""
        parts = [mean_inside(level, boxes / stride) for level, stride in zip(sight.coarse, COARSE_STRIDES, strict=True)]
        return (torch.cat(parts, 2) - self.center) / self.spread

    def learn_collection(self, contents: Float[Tensor, "n width"]) -> None:
        """Takes centre and spread from what boxes anywhere in the collection hold."""
        self.center.add_(contents.mean(0) * self.spread)
        self.spread.mul_(contents.std(0).clamp_min(_TINY))

    def learn_examples(self, contents: Float[Tensor, "examples width"]) -> None:
        """Takes what the examples hold."""
        self.examples = F.normalize(contents, dim=1)

    def learn_kin(self, kin: int, own: Float[Tensor, " pages"], theirs: Float[Tensor, " pages"]) -> None:
        """Lets a class of the detector count as much as the head from now on.

        Both are made equal in mean and deviation over the best of each page, so that scores keep their size.

        Args:
            kin: index of the class.
            own: the best logit of this net on each page.
            theirs: the best logit of the detector for the class.
        """
        scale = float(own.std() / theirs.std().clamp_min(_TINY))
        self.own.fill_(0.5)
        self.kin[kin] = 0.5 * scale
        self.shift.fill_(0.5 * float(own.mean() - scale * theirs.mean()))


def mean_inside(
    maps: Float[Tensor, "batch channels h w"], boxes: Float[Tensor, "batch n 4"]
) -> Float[Tensor, "batch n channels"]:
    """The mean of each channel over the cells that a box touches, at least one.

    Args:
        maps: any values.
        boxes: (x0, y0, x1, y1) in cells.

    Source: sums over rectangles from an integral image, Crow, https://doi.org/10.1145/800031.808600.
    """
    height, width = maps.shape[2:]
    sums = F.pad(maps.double().cumsum(2).cumsum(3), (1, 0, 1, 0)).flatten(2)
    x0, y0 = boxes[..., 0].floor().clamp(0, width - 1), boxes[..., 1].floor().clamp(0, height - 1)
    x1 = torch.maximum(boxes[..., 2].ceil().clamp(max=width), x0 + 1)
    y1 = torch.maximum(boxes[..., 3].ceil().clamp(max=height), y0 + 1)

    def at(y: Tensor, x: Tensor) -> Tensor:
        places = (y * (width + 1) + x).long()[:, None].expand(-1, maps.shape[1], -1)
        return sums.gather(2, places)

    total = at(y1, x1) - at(y0, x1) - at(y1, x0) + at(y0, x0)
    return (total / ((x1 - x0) * (y1 - y0))[:, None]).to(maps.dtype).transpose(1, 2)


@contextmanager
def _recorded(*modules: nn.Module) -> Iterator[list[list[Any]]]:  # Any: what a module gives out
    """What each module gives out, call after call, while the block runs."""
    outputs: list[list[Any]] = [[] for _ in modules]
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output, into=into: into.append(output))
        for module, into in zip(modules, outputs, strict=True)
    ]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()
