"""Where a training runs, and in what arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from farthing.base.errors import ConfigError

Device = Literal["auto", "cpu", "cuda"]

_CPU_FACTS = Path("/proc/cpuinfo")


def choose_device(device: Device) -> torch.device:
    """The device of this name; "auto" is a GPU where there is one.

    Raises:
        ConfigError: "cuda" without a GPU that torch can use.
    """
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ConfigError("--device cuda: torch finds no GPU it can use; take --device cpu or auto")
    return torch.device("cuda" if has_gpu and device != "cpu" else "cpu")


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether a small net trains quicker with products of bfloat16 than of float32 there.

    True of CPUs with matrix tiles (AMX). Other CPUs emulate the type, which is slow, and a GPU spends its time on
    starting the kernels of such a net, not in them.
    """
    is_readable = device.type == "cpu" and _CPU_FACTS.is_file()
    return is_readable and "amx_bf16" in _CPU_FACTS.read_text(encoding="utf-8", errors="replace")
