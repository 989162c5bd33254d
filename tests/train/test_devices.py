from __future__ import annotations

from pathlib import Path

import pytest
import torch

from farthing.base.errors import ConfigError
from farthing.train import devices
from farthing.train.devices import choose_device, has_fast_bfloat16


def test_no_gpu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match="no GPU"):
        choose_device("cuda")


@pytest.mark.parametrize(("flags", "is_fast"), [("avx2 avx512_bf16 amx_bf16 amx_tile", True), ("avx2", False)])
def test_a_cpu_with_tiles_is_quick_in_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, is_fast: bool
) -> None:
    facts = tmp_path / "cpuinfo"
    facts.write_text(f"model name : some\nflags : {flags}\n")
    monkeypatch.setattr(devices, "_CPU_FACTS", facts)
    assert has_fast_bfloat16(torch.device("cpu")) is is_fast


def test_a_system_that_says_nothing_of_its_cpu_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_CPU_FACTS", tmp_path / "absent")
    assert not has_fast_bfloat16(torch.device("cpu"))
