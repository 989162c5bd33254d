"""What a peer of the packed model is: other engines, the same trained weights, the same rows in, logits out."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from farthing.base.errors import ConfigError
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.model import Dlrm
from farthing.recommend.modelfolder import ClickModel

# The call that is timed: f32 [rows], the logit of each row of the batch that it was made for.
Scores = Callable[[], Tensor]

# A network that an engine has loaded: takes a batch in the engine's own form, outside of the clock.
Network = Callable[[ClickBatch], Scores]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What every engine is given.

    Attributes:
        model: the packed model.
        plain: the same values in float32 (`floats.float_network`).
        sample: rows to calibrate with.
        threads: for engines that do not follow torch's setting.
    """

    model: ClickModel
    plain: Dlrm
    sample: ClickBatch
    threads: int


# Loads the subject into an engine, once for each of its variants.
Build = Callable[[Subject], Mapping[str, Network]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """An engine to compare with.

    Attributes:
        module: where its `build` is; imported when it is asked for.
        packages: what must be importable.
        install: arguments of `pip install` that make it so.
        tolerance: how far its logits may be from the full-precision ones, root mean square, in their standard
            deviations: weights and inputs of 8 bits cost some hundredths, wrong weights or a wrong order 1 or more.
    """

    module: str
    packages: tuple[str, ...] = ()
    install: str = ""
    tolerance: float

    def build(self) -> Build:
        """The function that loads a model into this engine."""
        build: Build = importlib.import_module(self.module).build
        return build

    def missing(self) -> str | None:
        """The line that installs what is not importable, or None."""
        if all(importlib.util.find_spec(package) for package in self.packages):
            return None
        return f"{sys.executable} -m pip install {self.install}"


_FLOAT, _ROUNDED = 1e-3, 0.25

PEERS: Final[Mapping[str, Peer]] = {
    "torch": Peer(module="farthing.recommend.peers.eager", tolerance=_FLOAT),
    "torch-int8": Peer(module="farthing.recommend.peers.int8", tolerance=_ROUNDED),
    "onnxruntime": Peer(
        module="farthing.recommend.peers.ort",
        packages=("onnx", "onnxruntime"),
        install="onnx onnxruntime",
        tolerance=_ROUNDED,
    ),
    "fbgemm": Peer(
        module="farthing.recommend.peers.fbgemm",
        packages=("fbgemm_gpu",),
        # Its metadata asks for a torch of its own; --no-deps keeps the one that is here.
        install="--no-deps fbgemm-gpu-cpu==1.8.0",
        tolerance=_ROUNDED,
    ),
}


def find_peers(names: Sequence[str]) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers of these names that can run, and for the others the line that installs each.

    Raises:
        ConfigError: a name that no peer has.
    """
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise ConfigError(f"--peers takes {', '.join(PEERS)}, got {unknown[0]!r}")
    lines = {name: PEERS[name].missing() for name in names}
    absent = {name: line for name, line in lines.items() if line is not None}
    return {name: PEERS[name] for name in names if name not in absent}, absent
