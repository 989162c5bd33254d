from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from farthing.base.errors import ConfigError
from farthing.documents.config import DocumentsConfig, ModelConfig, Precision, TrainConfig
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.modelfolder import load_model, save_model
from farthing.documents.net.predict import PageDetector
from farthing.documents.page import Page
from farthing.documents.training.targets import Objects
from tests.documents.plainpages import NAMES

FLOAT = Precision(weight=32, edge=32, activation=32)
CONFIG = DocumentsConfig(
    preset="accurate", classes=NAMES, model=ModelConfig(architecture="dfine", long_side=64), precision=FLOAT
)


def test_transformers_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ConfigError, match="needs transformers"):
        build_detector(CONFIG)


def test_dfine_is_float_only() -> None:
    with pytest.raises(ConfigError, match="precision must be float"):
        replace(CONFIG, precision=Precision())


@pytest.mark.slow
def test_dfine_learns_and_survives_its_folder(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    model = build_detector(CONFIG)
    images = torch.randn(2, 1, 64, 64)
    objects = Objects(
        boxes=torch.tensor([[[8.0, 8.0, 40.0, 40.0]], [[0.0, 0.0, 0.0, 0.0]]]),
        labels=torch.zeros(2, 1, dtype=torch.int64),
        is_real=torch.tensor([[True], [False]]),
        is_known=torch.ones(2, 2, dtype=torch.bool),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        loss = model.loss(images, objects)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    model.eval()
    save_model(tmp_path / "model", model, CONFIG, metrics={})
    loaded = load_model(tmp_path / "model")
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(images).logits, model(images).logits, rtol=1e-3, atol=1e-4)
    page = Page(id="a", document="", pixels=np.full((64, 48, 3), 200, np.uint8), width=480, height=640)
    found = PageDetector(loaded).detect([page])[0]
    assert (found.boxes <= [480, 640] * 2).all()
    assert set(found.page_scores()) == set(NAMES)


def test_the_preset_trains_longer() -> None:
    from farthing.documents.presets import build_preset

    config = build_preset("accurate")
    assert config.precision.is_float
    assert config.train.num_images > TrainConfig().num_images
