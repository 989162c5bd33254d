"""A local transformers model gives features; nothing is fetched, no code runs, no pickle is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from farthing.base.errors import DataError, FormatError
from farthing.discover.transformersextractor import TransformersExtractor
from tests.discover.pictures import draw_shapes

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny vision transformer with random weights."""
    path = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=16, patch_size=8
    )
    transformers.ViTModel(config).save_pretrained(path)
    (path / "preprocessor_config.json").write_text(
        json.dumps({"size": {"height": 16, "width": 16}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    )
    return path


def test_features_are_the_class_token(folder: Path) -> None:
    image = np.full((16, 16, 3), 200, np.uint8)
    extractor = TransformersExtractor.open(folder)
    model = transformers.ViTModel.from_pretrained(folder).eval()
    with torch.no_grad():
        pixels = torch.full((1, 3, 16, 16), (200 / 255 - 0.5) / 0.5)
        expected = model(pixel_values=pixels).last_hidden_state[:, 0]
    np.testing.assert_allclose(extractor.transform([image]), expected.numpy(), atol=1e-5)
    assert extractor.max_side == 32


def test_any_size_and_the_way_back(folder: Path) -> None:
    images, _ = draw_shapes(5)
    extractor = TransformersExtractor.open(folder)
    restored = TransformersExtractor.from_state(*extractor.state())
    assert np.array_equal(restored.transform(images), extractor.transform(images))
    assert extractor.transform(images).shape == (20, 16)


def test_a_net_of_maps_is_averaged_over_places(tmp_path: Path) -> None:
    config = transformers.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic", num_channels=3
    )
    transformers.ResNetModel(config).save_pretrained(tmp_path)
    extractor = TransformersExtractor.open(tmp_path)
    assert extractor.side == 224
    assert extractor.transform(draw_shapes(1)[0]).shape == (4, 8)


def test_what_is_no_model_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match=r"has no config\.json"):
        TransformersExtractor.open(tmp_path)
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(DataError, match="holds no vision model"):
        TransformersExtractor.open(tmp_path)
    with pytest.raises(FormatError, match="put it back"):
        TransformersExtractor.from_state({"folder": str(tmp_path / "gone")}, {})
