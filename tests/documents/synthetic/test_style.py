"""Styles drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.drawing import Era
from farthing.documents.synthetic.style import choose_capture, choose_era, sample_style


@pytest.mark.parametrize("era", ["manuscript", "print", "typescript"])
def test_text_has_room_and_is_darker_than_paper(era: Era) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        style = sample_style(rng, era, choose_capture(rng, era), 400, 560)
        area = style.area
        assert 0 <= area.x0 < area.x1 <= 400
        assert 0 <= area.y0 < area.y1 <= 560
        assert area.width > 200
        assert 5.5 <= style.pitch <= area.height / 6 + 1e-6
        assert 0.4 <= style.look.body_px / style.pitch <= 1
        assert sum(style.look.ink) <= 0.6 * sum(style.look.paper)
        assert style.look.is_bitonal == (style.capture == "bitonal")


def test_eras_come_in_their_shares() -> None:
    rng, config = np.random.default_rng(0), SynthesisConfig(manuscript_share=0.5, typescript_share=0.2)
    eras = [choose_era(rng, config) for _ in range(2000)]
    assert eras.count("manuscript") / 2000 == pytest.approx(0.5, abs=0.04)
    assert eras.count("typescript") / 2000 == pytest.approx(0.2, abs=0.04)
