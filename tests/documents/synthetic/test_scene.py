"""Pages in the image of a scan."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.drawing import from_ink
from farthing.documents.synthetic.layers import Placed, Rect
from farthing.documents.synthetic.scene import assemble, moved, sample_frame
from farthing.documents.synthetic.style import CAPTURES, Capture


@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("is_spread", [False, True])
def test_pages_lie_in_their_frame(capture: Capture, is_spread: bool) -> None:
    for seed in range(40):
        frame = sample_frame(np.random.default_rng(seed), capture, long_side=400, is_spread=is_spread)
        assert max(frame.width, frame.height) == 400
        assert len(frame.pages) == 1 + is_spread
        for page in frame.pages:
            assert 0 <= page.x0 < page.x1 <= frame.width
            assert 0 <= page.y0 < page.y1 <= frame.height
            assert page.width > 0.25 * frame.width
        if frame.strip is not None:
            assert not frame.strip.overlaps(frame.pages[0])


def test_scenes_show_page_ground_and_strip() -> None:
    seen = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        frame = sample_frame(rng, "colour", long_side=300, is_spread=False)
        place = frame.pages[0]
        page = np.full((int(place.height), int(place.width), 3), 123, np.uint8)
        strip = None
        if frame.strip is not None:
            strip = np.full((int(frame.strip.height), int(frame.strip.width), 3), 200, np.uint8)
            seen.add("strip")
        scene = assemble(rng, frame, [page], strip)
        assert scene.shape == (frame.height, frame.width, 3)
        middle = scene[int(place.y0) + 40 : int(place.y1) - 40, int(place.x0 + place.width * 0.4) : -frame.width // 3]
        assert np.abs(middle.astype(int) - 123).max() <= 60
        if place.y0 > 3:
            seen.add("ground")
    assert seen == {"strip", "ground"}


def test_a_drawing_ends_at_the_edge_of_its_page() -> None:
    drawing = from_ink(np.ones((20, 30), np.float32), (0, 0, 0))
    page = Rect(100, 50, 200, 150)
    alpha, rect = moved(Placed(drawing=drawing, x=10, y=20, name="stamp"), page)
    assert (alpha.shape, rect) == ((20, 30), Rect(110, 70, 140, 90))
    alpha, rect = moved(Placed(drawing=drawing, x=-10, y=95, name="stamp"), page)
    assert (alpha.shape, rect) == ((5, 20), Rect(100, 145, 120, 150))
    alpha, _ = moved(Placed(drawing=drawing, x=300, y=0, name="stamp"), page)
    assert alpha.size == 0
