from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.config import ModelConfig
from farthing.documents.net.detector import PageNet
from farthing.documents.query.query import LIKENESS_WEIGHT, QueryNet, mean_inside

CPU = torch.device("cpu")


def small_net(num_classes: int = 3) -> tuple[PageNet, QueryNet]:
    detector = PageNet(ModelConfig(long_side=64, widths=(8, 8, 8, 8), blocks=(0, 0, 0, 0), neck=8), num_classes).eval()
    return detector, QueryNet(detector, device=CPU).eval()


@given(seed=st.integers(0, 200))
def test_the_mean_inside_a_box_is_that_of_the_cells_it_touches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 7, 2)
    maps = torch.from_numpy(rng.normal(size=(2, 3, height, width)).astype(np.float32))
    boxes = torch.from_numpy(rng.uniform(-3, 9, (2, 5, 4)).astype(np.float32))
    told = mean_inside(maps, boxes)
    for page in range(2):
        for place in range(5):
            x0, y0, x1, y1 = boxes[page, place].tolist()
            left, top = (int(np.clip(np.floor(low), 0, size - 1)) for low, size in ((x0, width), (y0, height)))
            right, bottom = (
                max(int(np.clip(np.ceil(high), 0, size)), low + 1)
                for high, size, low in ((x1, width, left), (y1, height, top))
            )
            wanted = maps[page, :, top:bottom, left:right].mean((1, 2))
            torch.testing.assert_close(told[page, place], wanted, atol=1e-5, rtol=1e-5)


def test_only_the_head_is_trained_and_the_detector_says_what_it_said() -> None:
    detector, net = small_net()
    assert {name.split(".")[0] for name, _ in net.named_parameters()} == {"head"}
    images = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(net.look(images).candidates.logits, detector(images).logits)
        found = net(images)
        torch.testing.assert_close(found.boxes, detector(images).boxes)
    assert found.logits.shape == (2, len(found.centers), 1)


def test_the_head_sees_the_branches_and_what_they_say() -> None:
    detector, net = small_net()
    images = torch.randn(1, 1, 64, 96)
    sight = net.look(images)
    assert [level.shape[1:] for level in sight.branches] == [(19, 8, 12), (19, 4, 6), (19, 2, 3), (19, 1, 2)]
    said = torch.cat([level[:, -3:].flatten(2) for level in sight.branches], 2).transpose(1, 2)
    torch.testing.assert_close(said, detector(images).logits)


def test_hooks_do_not_stay() -> None:
    detector, net = small_net()
    net.look(torch.zeros(1, 1, 64, 64))
    assert not any(module._forward_hooks for module in detector.modules())


@torch.no_grad()
def test_what_equals_an_example_costs_nothing_and_its_opposite_the_whole_weight() -> None:
    _, net = small_net()
    images = torch.randn(1, 1, 64, 64)
    sight = net.look(images)
    without = net(images).logits
    mine = net.contents(sight, sight.candidates.boxes)[0, :1]
    net.learn_examples(mine)
    torch.testing.assert_close(net(images).logits[0, 0], without[0, 0], atol=1e-4, rtol=0)
    net.learn_examples(-mine)
    torch.testing.assert_close(net(images).logits[0, 0], without[0, 0] - LIKENESS_WEIGHT, atol=1e-4, rtol=0)
    net.learn_examples(torch.cat([-mine, mine]))
    assert torch.allclose(net(images).logits[0, 0], without[0, 0], atol=1e-4)


@torch.no_grad()
def test_contents_are_standardised_for_the_collection() -> None:
    _, net = small_net()
    sight = net.look(torch.randn(4, 1, 64, 64))
    boxes = torch.rand(4, 50, 2).mul(40)
    boxes = torch.cat([boxes, boxes + 20], 2)
    raw = net.contents(sight, boxes).flatten(0, 1)
    net.learn_collection(raw)
    again = net.contents(sight, boxes).flatten(0, 1)
    varied = raw.std(0) > 1e-4
    torch.testing.assert_close(again.mean(0)[varied], torch.zeros(int(varied.sum())), atol=1e-3, rtol=0)
    torch.testing.assert_close(again.std(0)[varied], torch.ones(int(varied.sum())), atol=1e-3, rtol=0)


@torch.no_grad()
def test_kin_speaks_with_the_weight_of_the_head_and_scores_keep_their_size() -> None:
    detector, net = small_net()
    images = torch.randn(7, 1, 64, 64)
    before, said = net(images).logits[..., 0], detector(images).logits[..., 2]
    own, theirs = before.amax(1), said.amax(1)
    net.learn_kin(2, own, theirs)
    wanted = (before + own.mean() + own.std() / theirs.std() * (said - theirs.mean())) / 2
    torch.testing.assert_close(net(images).logits[..., 0], wanted, atol=1e-4, rtol=1e-4)
