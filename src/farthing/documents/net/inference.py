"""Running a detector over pages: batches of one canvas size, so that no answer depends on a page's company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import nn

from farthing.documents.detections import Detections
from farthing.documents.net.decode import decode
from farthing.documents.net.transforms import canvas_of, normalise, resize, to_batch
from farthing.vision.images import Pixels

BATCH_SIZE = 8  # maps of more pages leave the cache of a core


ModuleT = TypeVar("ModuleT", bound=nn.Module)


def place_on(model: ModuleT, device: torch.device) -> ModuleT:
    """`model` on a device, its convolutions laid out channels last, as `detect_greys` hands pages over."""
    placed: ModuleT = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return placed


def detect_greys(
    model: nn.Module,
    greys: Sequence[Pixels],
    sizes: Sequence[tuple[int, int]],
    *,
    classes: tuple[str, ...],
    long_side: int,
    device: torch.device,
) -> list[Detections]:
    """What `model`, in evaluation mode, finds on grey pages.

    Args:
        model: from normalised pages to `Candidates`.
        greys: u8 [height, width] each.
        sizes: (height, width) of each page in page pixels, which boxes are told in.
        classes: what the model knows.
        long_side: of a page as the net sees it.
        device: of the model.
    """
    small = [resize(grey, long_side) for grey in greys]
    found: dict[int, Detections] = {}
    for members in _same_canvas(small):
        images, inside = to_batch([small[index] for index in members])
        images = normalise(images.to(device), inside.to(device)).contiguous(memory_format=torch.channels_last)
        shapes = torch.tensor([small[index].shape for index in members], dtype=torch.float32, device=device)
        detections = decode(model(images), shapes, [sizes[index] for index in members], classes)
        found.update(zip(members, detections, strict=True))
    return [found[index] for index in range(len(greys))]


def _same_canvas(pages: Sequence[Pixels]) -> Iterator[list[int]]:
    """Positions of pages whose canvases are equal, `BATCH_SIZE` at a time."""
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, page in enumerate(pages):
        members[canvas_of(*page.shape)].append(index)
    for same in members.values():
        for start in range(0, len(same), BATCH_SIZE):
            yield same[start : start + BATCH_SIZE]
