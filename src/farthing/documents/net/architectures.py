"""The kinds of detector there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from farthing.documents.config import Architecture, DocumentsConfig, ModelConfig
from farthing.documents.net.candidates import Detector
from farthing.documents.net.detector import PageNet


def _dfine(config: ModelConfig, num_classes: int) -> Detector:
    from farthing.documents.net.dfine import DFineNet  # transformers is optional, and slow to import

    return DFineNet(config, num_classes)


ARCHITECTURES: Mapping[Architecture, Callable[[ModelConfig, int], Detector]] = {"tiny": PageNet, "dfine": _dfine}


def build_detector(config: DocumentsConfig, *, seed: int = 0) -> Detector:
    """A float detector with random weights; the same seed gives the same ones.

    Raises:
        ConfigError: the architecture needs a package that is not installed.
    """
    torch.manual_seed(seed)
    return ARCHITECTURES[config.model.architecture](config.model, len(config.classes))
