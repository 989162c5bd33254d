"""Sizes as people write them."""

from __future__ import annotations

import re

from farthing.base.errors import ConfigError

_UNITS = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20}


def parse_bytes(text: str) -> int:
    """`500kB`, `1MB`, `2MiB` or a plain number as bytes, at least 1.

    Raises:
        ConfigError: it is none of these.
    """
    found = re.fullmatch(r"(\d{1,12}) ?([A-Za-z]*)", text)
    if found is None or found[2] not in _UNITS or int(found[1]) == 0:
        raise ConfigError(f"a size is a number above 0 with a unit ({', '.join(filter(None, _UNITS))}), got {text!r}")
    return int(found[1]) * _UNITS[found[2]]
