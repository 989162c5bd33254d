"""Variations of training pages, drawn on the CPU and computed on the device for a whole batch."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from farthing.documents.config import AugmentConfig
from farthing.documents.training.targets import Objects

LEAST_VISIBLE = 0.3  # of its area: what is cut off further is no longer an example of its class
LEAST_SIDE = 3.0  # pixels
MAX_BLUR_SIGMA = 1.2
LEAST_SHARPENING, MOST_SHARPENING = 0.3, 2.0
_BINOMIAL = (0.0625, 0.25, 0.375, 0.25, 0.0625)  # about a Gaussian of one pixel
BLUR_TAPS = 7
NUM_CUTOUTS, LARGEST_CUTOUT = 3, 0.2
SHADE_KNOTS = 4
NOISY_SHARE = 0.5


class Augmenter:
    """Varies one batch; all chance comes from `seed`, so the same seed varies alike on every device but for noise.

    Args:
        config: which variations.
        seed: of this batch.
    """

    def __init__(self, config: AugmentConfig, seed: int) -> None:
        self._config = config
        self._rng = np.random.default_rng(seed)
        self._seed = seed

    def place(
        self,
        pages: Float[Tensor, "batch 1 h w"],
        sizes: Float[Tensor, "batch 2"],
        objects: Objects,
        canvas: tuple[int, int],
    ) -> tuple[Float[Tensor, "batch 1 h2 w2"], Bool[Tensor, "batch 1 h2 w2"], Objects]:
        """Every page at a random size and place on a canvas: its pixels, where it is, and its objects there.

        Args:
            pages: grey values, each page top left.
            sizes: (height, width) of each page in these pixels.
            objects: with boxes in these pixels.
            canvas: (height, width) to make.
        """
        batch, device = len(pages), pages.device
        config, wanted = self._config, torch.tensor(canvas, dtype=torch.float32, device=device)
        fit = (wanted / sizes).amin(1)
        change = self._draw(batch, -math.log(config.scale), math.log(config.scale)).exp()
        stretch = self._draw(batch, -config.aspect, config.aspect).exp().sqrt()
        scale = torch.stack([stretch, 1 / stretch], 1).to(device) * (fit * change.to(device))[:, None]
        room = wanted - sizes * scale
        offset = room * torch.stack([self._draw(batch, 0.0, 1.0), self._draw(batch, 0.0, 1.0)], 1).to(device)
        is_flipped = (self._draw(batch, 0.0, 1.0) < config.flip).to(device)
        images = _warped(pages, sizes, canvas, scale=scale, offset=offset, is_flipped=is_flipped)
        inside = _inside(canvas, offset, offset + sizes * scale)
        return images, inside, _moved(objects, sizes, canvas, scale=scale, offset=offset, is_flipped=is_flipped)

    def shade(self, images: Float[Tensor, "batch 1 h w"]) -> Float[Tensor, "batch 1 h w"]:
        """Grey values in [0, 1] under other light, sharper or less sharp, noisier, with parts missing."""
        config, batch, device = self._config, len(images), images.device
        gamma = self._draw(batch, -math.log1p(config.gamma), math.log1p(config.gamma)).exp().to(device)
        images = images.clamp(1e-3, 1) ** gamma[:, None, None, None]
        if config.shade:
            knots = self._draw(batch * SHADE_KNOTS**2, -config.shade, config.shade).to(device)
            field = knots.view(batch, 1, SHADE_KNOTS, SHADE_KNOTS)
            images = images * (1 + F.interpolate(field, size=images.shape[-2:], mode="bilinear", align_corners=True))
        images = self._blurred(self._sharpened(self._textured(self._inked(images))))
        images = self._noisy(images)
        return self._cut_out(images).clamp_(0, 1)

    def _draw(self, count: int, low: float, high: float) -> Tensor:
        """f32 [count], uniform."""
        return torch.from_numpy(self._rng.uniform(low, high, count).astype(np.float32))

    def _some(self, batch: int, share: float) -> Tensor:
        """Positions of a random `share` of the batch."""
        return torch.from_numpy(np.flatnonzero(self._rng.random(batch) < share))

    def _inked(self, images: Tensor) -> Tensor:
        """Strokes thicker or thinner, as more or less ink, another threshold or another press make them."""
        some = self._some(len(images), self._config.ink)
        if len(some) == 0:
            return images
        amount = self._draw(len(some), -1.0, 1.0).to(images.device)[:, None, None, None]
        some = some.to(images.device)
        chosen = images[some]
        sign = amount.sign()  # less ink is the lightest pixel around, more ink the darkest
        return images.index_copy(0, some, torch.lerp(chosen, sign * _largest_around(sign * chosen), amount.abs()))

    def _textured(self, images: Tensor) -> Tensor:
        """A random filter that keeps the mean, blended in (RandConv, https://arxiv.org/abs/2007.13003)."""
        some = self._some(len(images), self._config.texture)
        if len(some) == 0:
            return images
        kernel = torch.from_numpy(self._rng.normal(0, 1 / 3, (len(some), 1, 3, 3)).astype(np.float32))
        kernel = (kernel + (1 - kernel.sum((2, 3), keepdim=True)) / 9).to(images.device)
        share = self._draw(len(some), 0.0, 0.7).to(images.device)[:, None, None, None]
        some = some.to(images.device)
        chosen = images[some]
        padded = F.pad(chosen, (1, 1, 1, 1), mode="replicate").transpose(0, 1)
        filtered = F.conv2d(padded, kernel, groups=len(some)).transpose(0, 1)
        return images.index_copy(0, some, torch.lerp(chosen, filtered, share).clamp(0, 1))

    def _sharpened(self, images: Tensor) -> Tensor:
        """Unsharp masking: x + amount (x - blurred x), as scanners and their software do."""
        some = self._some(len(images), self._config.sharpen)
        if len(some) == 0:
            return images
        amount = self._draw(len(some), LEAST_SHARPENING, MOST_SHARPENING).to(images.device)[:, None, None, None]
        some = some.to(images.device)
        chosen = images[some]
        taps = torch.tensor(_BINOMIAL, device=images.device)
        blurred = F.pad(chosen, (2, 2, 2, 2), mode="replicate").transpose(0, 1)  # as channels of one page: far quicker
        for shape in ((len(some), 1, 5, 1), (len(some), 1, 1, 5)):
            blurred = F.conv2d(blurred, taps.expand(len(some), 5).reshape(shape), groups=len(some))
        blurred = blurred.transpose(0, 1)
        return images.index_copy(0, some, (chosen + amount * (chosen - blurred)).clamp(0, 1))

    def _blurred(self, images: Tensor) -> Tensor:
        some = self._some(len(images), self._config.blur)
        if len(some) == 0:
            return images
        sigma = self._draw(len(some), 0.3, MAX_BLUR_SIGMA)
        taps = torch.arange(BLUR_TAPS) - BLUR_TAPS // 2
        kernel = (-0.5 * (taps / sigma[:, None]) ** 2).exp()
        kernel = (kernel / kernel.sum(1, keepdim=True)).to(images.device)
        some = some.to(images.device)
        chosen = images[some].transpose(0, 1)
        for shape in ((len(some), 1, BLUR_TAPS, 1), (len(some), 1, 1, BLUR_TAPS)):
            padding = (shape[2] // 2, shape[3] // 2)
            chosen = F.conv2d(chosen, kernel.view(shape), padding=padding, groups=len(some))
        return images.index_copy(0, some, chosen.transpose(0, 1))

    def _noisy(self, images: Tensor) -> Tensor:
        some = self._some(len(images), NOISY_SHARE if self._config.noise else 0.0)
        if len(some) == 0:
            return images
        strength = self._draw(len(some), 0.0, self._config.noise).to(images.device)[:, None, None, None]
        generator = torch.Generator(images.device).manual_seed(self._seed)
        some = some.to(images.device)
        noise = torch.randn((len(some), *images.shape[1:]), generator=generator, device=images.device)
        return images.index_add(0, some, noise * strength)

    def _cut_out(self, images: Tensor) -> Tensor:
        some = self._some(len(images), self._config.cutout)
        height, width = images.shape[-2:]
        for index in some.tolist():
            for _ in range(NUM_CUTOUTS):
                share_y, share_x = self._rng.uniform(0.02, LARGEST_CUTOUT, 2)
                y, x = self._rng.uniform(0, 1 - share_y) * height, self._rng.uniform(0, 1 - share_x) * width
                rows, columns = slice(int(y), int(y + share_y * height)), slice(int(x), int(x + share_x * width))
                images[index, 0, rows, columns] = float(self._rng.random())
        return images


def _largest_around(images: Tensor) -> Tensor:
    """The largest of 3 x 3 pixels around each, as F.max_pool2d gives, which takes ten times as long on a CPU."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = torch.maximum(torch.maximum(padded[..., :-2, :], padded[..., 1:-1, :]), padded[..., 2:, :])
    return torch.maximum(torch.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])


def _warped(
    pages: Tensor,
    sizes: Tensor,
    canvas: tuple[int, int],
    *,
    scale: Tensor,
    offset: Tensor,
    is_flipped: Tensor,
) -> Tensor:
    """The canvas whose point (y, x) shows the page's point (y, x) / scale - offset / scale, mirrored where asked."""
    source = torch.tensor(pages.shape[-2:], dtype=torch.float32, device=pages.device)
    wanted = torch.tensor(canvas, dtype=torch.float32, device=pages.device)
    gain = wanted / (source * scale)  # affine_grid speaks of coordinates from -1 to 1 on both sides
    shift = gain - 2 * offset / (source * scale) - 1
    mirrored = 2 * (sizes[:, 1] / source[1] - 1) - shift[:, 1]
    theta = torch.zeros(len(pages), 2, 3, device=pages.device)
    theta[:, 0, 0] = torch.where(is_flipped, -gain[:, 1], gain[:, 1])
    theta[:, 0, 2] = torch.where(is_flipped, mirrored, shift[:, 1])
    theta[:, 1, 1], theta[:, 1, 2] = gain[:, 0], shift[:, 0]
    grid = F.affine_grid(theta, [len(pages), 1, *canvas], align_corners=False)
    return F.grid_sample(pages, grid, align_corners=False)


def _inside(canvas: tuple[int, int], low: Tensor, high: Tensor) -> Bool[Tensor, "batch 1 h w"]:
    """Where on the canvas lies the rectangle from `low` to `high`, both [batch, 2] (y, x)."""
    y = torch.arange(canvas[0], device=low.device) + 0.5
    x = torch.arange(canvas[1], device=low.device) + 0.5
    rows = (y >= low[:, :1]) & (y < high[:, :1])
    columns = (x >= low[:, 1:]) & (x < high[:, 1:])
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def _moved(
    objects: Objects,
    sizes: Tensor,
    canvas: tuple[int, int],
    *,
    scale: Tensor,
    offset: Tensor,
    is_flipped: Tensor,
) -> Objects:
    """The objects where the page now shows them, without those that lie mostly outside the canvas."""
    boxes = objects.boxes
    width = sizes[:, 1, None]
    x0 = torch.where(is_flipped[:, None], width - boxes[..., 2], boxes[..., 0])
    x1 = torch.where(is_flipped[:, None], width - boxes[..., 0], boxes[..., 2])
    whole = torch.stack([x0, boxes[..., 1], x1, boxes[..., 3]], -1)
    whole = whole * scale.flip(1).repeat(1, 2)[:, None] + offset.flip(1).repeat(1, 2)[:, None]
    limit = torch.tensor([canvas[1], canvas[0]] * 2, dtype=torch.float32, device=boxes.device)
    visible = whole.clamp_min(0).minimum(limit)
    sides, whole_sides = visible[..., 2:] - visible[..., :2], whole[..., 2:] - whole[..., :2]
    is_seen = sides.prod(-1) >= LEAST_VISIBLE * whole_sides.prod(-1)
    is_real = objects.is_real & is_seen & (sides.amin(-1) >= LEAST_SIDE)
    return Objects(boxes=visible, labels=objects.labels, is_real=is_real, is_known=objects.is_known)
