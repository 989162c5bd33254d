from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.adaptation.masked import (
    SHRUNK,
    SQUARE,
    MaskedNet,
    MaskedTask,
    contrast_in_squares,
    draw_squares,
)
from farthing.documents.config import AugmentConfig
from farthing.documents.training.data import PageBatch
from farthing.documents.training.targets import Objects
from farthing.vision.backbones import Backbone

WIDTHS, BLOCKS = (8, 8, 8, 8), (0, 0, 0, 0)


def batch_of(pages: int = 2, seed: int = 3) -> PageBatch:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 255, (pages, 1, 96, 64), generator=generator, dtype=torch.uint8)
    nothing = Objects(
        boxes=torch.zeros(pages, 0, 4),
        labels=torch.zeros(pages, 0, dtype=torch.int64),
        is_real=torch.zeros(pages, 0, dtype=torch.bool),
        is_known=torch.zeros(pages, 0, dtype=torch.bool),
    )
    sizes = torch.tensor([[96.0, 64.0]] * pages)
    return PageBatch(pixels=pixels, sizes=sizes, objects=nothing, canvas=(96, 64), seed=seed)


@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_every_page_hides_the_same_number_of_squares(rows: int, columns: int, share: float, seed: int) -> None:
    hidden = draw_squares((rows * SQUARE, columns * SQUARE), 3, share, seed=seed)
    assert hidden.shape == (3, 1, rows, columns)
    assert hidden.sum((1, 2, 3)).tolist() == [max(1, round(share * rows * columns))] * 3
    assert torch.equal(hidden, draw_squares((rows * SQUARE, columns * SQUARE), 3, share, seed=seed))


def test_squares_lose_their_mean_and_contrast() -> None:
    page = torch.zeros(1, 1, SQUARE, 2 * SQUARE)
    page[..., :8, :] = 1.0
    page[..., SQUARE:] = 0.5 + 3 * page[..., SQUARE:]
    told = contrast_in_squares(page)
    assert told.shape == (1, 1, SQUARE // SHRUNK, 2 * SQUARE // SHRUNK)
    left, right = told.split(SQUARE // SHRUNK, 3)
    torch.testing.assert_close(left, right, atol=0.06, rtol=0)
    assert float(left.mean()) == pytest.approx(0, abs=1e-5)
    assert float(left.var(correction=0)) == pytest.approx(1, abs=0.1)


def test_bare_paper_has_nothing_to_tell() -> None:
    assert float(contrast_in_squares(torch.full((1, 1, SQUARE, SQUARE), 0.7)).abs().max()) < 1e-5


def test_what_is_told_has_a_quarter_of_the_resolution() -> None:
    net = MaskedNet(Backbone(1, WIDTHS, BLOCKS), WIDTHS)
    assert net(torch.zeros(2, 1, 96, 64)).shape == (2, 1, 24, 16)


def test_only_hidden_squares_are_paid_for_and_they_are_not_seen() -> None:
    class Spy(MaskedNet):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.seen = images
            told: torch.Tensor = super().forward(images)
            self.told = told
            told.retain_grad()
            return told

    net = Spy(Backbone(1, WIDTHS, BLOCKS), WIDTHS)
    still = AugmentConfig(scale=1.0, aspect=0.0, flip=0.0)
    task = MaskedTask(net, held_out=[batch_of()], augment=still, share=0.5, lr=1e-3, weight_decay=0.0)
    batch = batch_of()
    task.loss(batch).backward()
    hidden = draw_squares(batch.canvas, 2, 0.5, seed=batch.seed)
    pixels = hidden.repeat_interleave(SQUARE, 2).repeat_interleave(SQUARE, 3)
    assert float(net.seen[pixels].abs().max()) == 0
    assert net.told.grad is not None
    cells = hidden.repeat_interleave(SQUARE // SHRUNK, 2).repeat_interleave(SQUARE // SHRUNK, 3)
    assert float(net.told.grad[~cells].abs().max()) == 0
    assert float(net.told.grad[cells].abs().max()) > 0


def test_evaluation_is_the_share_that_is_told_right() -> None:
    net = MaskedNet(Backbone(1, WIDTHS, BLOCKS), WIDTHS)
    torch.nn.init.zeros_(net.tell[1].weight)  # type: ignore[arg-type]
    torch.nn.init.zeros_(net.tell[1].bias)  # type: ignore[arg-type]
    still = AugmentConfig(scale=1.0, aspect=0.0, flip=0.0)
    task = MaskedTask(net.eval(), held_out=[batch_of()], augment=still, share=0.5, lr=1e-3, weight_decay=0.0)
    with torch.no_grad():
        assert task.evaluate()["told"] == pytest.approx(0, abs=0.2)  # telling nothing explains nothing
