from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.pens import SCRIPTS, Script, make_hand, write_line


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_line_fills_its_width_on_its_band(script: Script) -> None:
    rng = np.random.default_rng(3)
    line = write_line(rng, make_hand(rng, script), 300, 8.0)
    assert line.shape == (24, 300)
    assert line.dtype == np.float32
    inked = np.flatnonzero(line.max(axis=0) > 0.3)
    assert inked[0] < 40
    assert inked[-1] > 250
    # Most ink is between the top of small letters and the base line.
    rows = line.sum(axis=1)
    assert rows[8:17].sum() > 0.5 * rows.sum()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_hand_writes_alike_and_hands_differ(script: Script) -> None:
    hand, other = make_hand(np.random.default_rng(0), script), make_hand(np.random.default_rng(1), script)
    first, again, foreign = (write_line(np.random.default_rng(5), each, 200, 7.0) for each in (hand, hand, other))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, foreign)


def test_a_part_of_the_width_can_be_filled() -> None:
    rng = np.random.default_rng(0)
    line = write_line(rng, make_hand(rng, "bastarda"), 300, 8.0, fill=0.3)
    assert line[:, 130:].max() == 0
    assert line[:, :90].max() > 0.5


def test_where_no_letter_fits_nothing_is_written() -> None:
    rng = np.random.default_rng(0)
    assert write_line(rng, make_hand(rng, "textura"), 3, 8.0).sum() == 0


def test_textura_is_blacker_than_cursive() -> None:
    def coverage(script: Script) -> float:
        lines = []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            lines.append(write_line(rng, make_hand(rng, script), 200, 8.0).mean())
        return float(np.mean(lines))

    assert coverage("textura") > 1.15 * coverage("cursive")
