from __future__ import annotations

import pytest
import torch

from farthing.documents.config import ModelConfig
from farthing.documents.net.detector import STRIDES, PageNet, boxes_of, points_of
from farthing.documents.presets import build_preset

SMALL = ModelConfig(long_side=64, widths=(4, 8, 8, 8), blocks=(0, 0, 0, 1), neck=8)


def test_the_shipped_net_is_small() -> None:
    config = build_preset("tiny")
    net = PageNet(config.model, len(config.classes))
    assert sum(parameter.numel() for parameter in net.parameters()) <= 1_500_000


def test_there_is_a_point_for_every_square_of_every_map() -> None:
    candidates = PageNet(SMALL, 3)(torch.randn(2, 1, 64, 96))
    num_points = sum(-(-64 // stride) * -(-96 // stride) for stride in STRIDES)
    assert candidates.logits.shape == (2, num_points, 3)
    assert candidates.boxes.shape == (2, num_points, 4)
    assert candidates.centers.shape == (num_points, 2)
    assert candidates.page_logits.shape == (2, 3)


def test_an_untrained_net_finds_next_to_nothing_around_every_point() -> None:
    candidates = PageNet(SMALL, 3)(torch.randn(2, 1, 64, 64))
    assert candidates.logits.sigmoid().mean().item() == pytest.approx(0.01, abs=0.005)
    _, strides = points_of([torch.Size([64 // stride] * 2) for stride in STRIDES], device=torch.device("cpu"))
    sides = candidates.boxes[0, :, 2:] - candidates.boxes[0, :, :2]
    torch.testing.assert_close(sides / strides[:, None], torch.full_like(sides, 4.0), rtol=0.2, atol=0)


def test_points_by_hand() -> None:
    sizes = [torch.Size(size) for size in ((2, 3), (1, 2), (1, 1), (1, 1))]
    centers, strides = points_of(sizes, device=torch.device("cpu"))
    assert centers.tolist()[:4] == [[4, 4], [12, 4], [20, 4], [4, 12]]
    assert centers.tolist()[6:] == [[8, 8], [24, 8], [16, 16], [32, 32]]
    assert strides.tolist() == [8] * 6 + [16] * 2 + [32, 64]


def test_boxes_by_hand() -> None:
    raw = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]).log()
    boxes = boxes_of(raw, torch.tensor([[20.0, 30.0]]), torch.tensor([8.0]))
    torch.testing.assert_close(boxes, torch.tensor([[[12.0, 14.0, 44.0, 62.0]]]))
    assert boxes_of(raw + 100, torch.tensor([[20.0, 30.0]]), torch.tensor([8.0])).isfinite().all()


def test_a_page_does_not_see_its_neighbours() -> None:
    net = PageNet(SMALL, 3).eval()
    pages = torch.randn(3, 1, 64, 64)
    together, alone = net(pages), net(pages[1:2])
    torch.testing.assert_close(together.logits[1:2], alone.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together.boxes[1:2], alone.boxes, rtol=1e-4, atol=1e-3)
