from __future__ import annotations

import importlib.util
import sys

import pytest

from farthing.base.errors import ConfigError
from farthing.recommend.peers.engine import PEERS, find_peers


def test_torch_is_always_there() -> None:
    present, absent = find_peers(["torch-int8", "torch"])
    assert list(present) == ["torch-int8", "torch"]
    assert absent == {}


def test_an_absent_peer_comes_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "fbgemm_gpu" else object())
    present, absent = find_peers(list(PEERS))
    assert list(present) == ["torch", "torch-int8", "onnxruntime"]
    assert absent == {"fbgemm": f"{sys.executable} -m pip install --no-deps fbgemm-gpu-cpu==1.8.0"}


def test_a_name_that_no_peer_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="--peers takes torch, torch-int8, onnxruntime, fbgemm, got 'tensorflow'"):
        find_peers(["torch", "tensorflow"])
