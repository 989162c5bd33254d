"""What a synthesis can be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.base.errors import ConfigError
from farthing.documents.synthetic.config import SynthesisConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": ("illustration", "dog")}, "got dog"),
        ({"classes": ()}, "got none"),
        ({"min_side": 100}, "min_side must be in"),
        ({"min_side": 900, "max_side": 800}, "min_side must be in"),
        ({"max_side": 4000}, "max_side at most 2048"),
        ({"bare_share": 1.5}, "bare_share must be in"),
        ({"like_share": -0.1}, "like_share must be in"),
        ({"manuscript_share": 0.7, "typescript_share": 0.4}, "must be <= 1"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SynthesisConfig(**settings)
