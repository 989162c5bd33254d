from __future__ import annotations

from pathlib import Path

import pytest
import torch

from farthing.base.errors import ConfigError
from farthing.documents.adaptation.pretrain import PretrainConfig, pretrain_backbone
from farthing.documents.net.architectures import build_detector
from farthing.documents.training.runs import train_detector
from farthing.train.folder import RunFolder
from tests.documents.plainpages import small_config, write_pages

SHORT = PretrainConfig(num_images=64, batch_size=8, warmup_steps=2, num_evals=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("pages") / "data", 24)


@pytest.mark.slow
def test_hidden_squares_are_told_better_and_a_training_starts_from_it(data: Path, tmp_path: Path) -> None:
    config = small_config()
    result = pretrain_backbone(data / "images", config, tmp_path / "run", config=SHORT, device="cpu")
    assert result.history[-1]["told"] > result.history[0]["told"]
    weights = RunFolder(tmp_path / "run" / "float", {}).best_weights()
    assert weights
    assert all(name.startswith("backbone.") for name in weights)
    fresh = build_detector(config).state_dict()
    name = next(name for name, value in weights.items() if value.ndim == 4)
    assert not torch.equal(weights[name], fresh[name])
    assert not (tmp_path / "run" / "pages").exists()
    started = train_detector([data], config, tmp_path / "trained", device="cpu", init=tmp_path / "run")
    plain = train_detector([data], config, tmp_path / "plain", device="cpu")
    assert started.history[0]["train_loss"] != plain.history[0]["train_loss"]


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again(data: Path, tmp_path: Path) -> None:
    first = pretrain_backbone(data / "images", small_config(), tmp_path, config=SHORT, device="cpu")
    assert (
        pretrain_backbone(data / "images", small_config(), tmp_path, config=SHORT, device="cpu", resume=True) == first
    )
    with pytest.raises(ConfigError, match="--resume"):
        pretrain_backbone(data / "images", small_config(), tmp_path, config=SHORT, device="cpu")


@pytest.mark.parametrize(("name", "value"), [("num_images", 0), ("share", 0.0), ("share", 1.0), ("batch_size", 1)])
def test_settings_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        PretrainConfig(**{name: value})  # type: ignore[arg-type]
