"""Hostile model folders that were found: each once ended in an error that was not ours, or took seconds to refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.base.errors import FormatError
from farthing.recommend.service import ServedModel

HOSTILE = Path(__file__).resolve().parents[1] / "golden" / "hostile"
RULES = {
    "deviation-of-nearly-zero": "a mean is not finite, or a standard deviation not above 0",
    "layers-without-end": "top must be at most 64 widths, got 10000",
    "value-twice": "a field has a value twice",
    "layer-of-no-size": "bottom must be widths from 1 to 65536",
}


@pytest.mark.parametrize("folder", sorted(HOSTILE.iterdir()), ids=lambda folder: folder.name)
def test_what_fuzzing_found_is_refused_with_its_rule(folder: Path) -> None:
    with pytest.raises(FormatError, match=RULES[folder.name]):
        ServedModel.load(folder)
