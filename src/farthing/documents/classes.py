"""The kinds of object that pages are searched for."""

from __future__ import annotations

CLASSES = (
    "illustration",
    "decoration",
    "drop_capital",
    "stamp",
    "seal",
    "signature",
    "table",
    "music",
    "map",
)
