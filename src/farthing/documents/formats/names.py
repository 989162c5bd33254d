"""What the objects are called elsewhere."""

from __future__ import annotations


def class_name(written: str) -> str | None:
    """Our name for a class as another program writes it; None for one that is no object (text, rules, noise)."""
    return written
