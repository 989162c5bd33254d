"""The native extension: whether it is there, and which of its tiers is in use. Nothing else imports it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from farthing.base.errors import KernelError

_module: ModuleType | None
try:
    from farthing import _native as _module
except ImportError:  # the package works without the extension; `farthing doctor` says so
    _module = None

TIER_VARIABLE = "FARTHING_KERNELS"


@cache
def extension() -> ModuleType | None:
    """The extension with the tier in use that the environment asks for, or None where it is not built.

    Raises:
        KernelError: FARTHING_KERNELS names a tier that this machine cannot run.
    """
    if _module is not None and (name := os.environ.get(TIER_VARIABLE)):
        _use(_module, name, f"{TIER_VARIABLE} is")
    return _module


def required() -> ModuleType:
    """The extension, for what cannot do without it.

    Raises:
        KernelError: it is not built, or FARTHING_KERNELS names a tier that this machine cannot run.
    """
    module = extension()
    if module is None:
        raise KernelError("the native extension is not built; `make install` builds it")
    return module


def info() -> dict[str, Any] | None:  # Any: what the extension tells about itself
    """CPU `features`, usable `tiers` and the `tier` in use, or None where the extension is not built."""
    module = extension()
    if module is None:
        return None
    return {"features": module.cpu_features(), "tiers": module.usable_tiers(), "tier": module.active_tier()}


@contextmanager
def use_tier(name: str) -> Iterator[None]:
    """Runs the kernels of one tier, in all threads, until the block ends.

    Raises:
        KernelError: the extension is not built, or this machine cannot run the tier.
    """
    module = required()
    before = module.active_tier()
    _use(module, name, "tier is")
    try:
        yield
    finally:
        module.use_tier(before)


def _use(module: ModuleType, name: str, what: str) -> None:
    usable = module.usable_tiers()
    if name not in usable:
        raise KernelError(f"{what} {name!r}, which this machine cannot run; it can run {', '.join(usable)}")
    module.use_tier(name)
