from __future__ import annotations

from collections import Counter

import pytest
import torch

from farthing.lowbit.quantizers import Quantizer
from farthing.recommend.config import ModelConfig, RecommendConfig, TrainConfig
from farthing.recommend.model import Dlrm
from farthing.recommend.optimizers import build_optimizers
from farthing.recommend.precision import build_model
from farthing.recommend.presets import PRESETS, seed_binary

CONFIGS = [*(make() for make in PRESETS.values()), seed_binary()]
TRAIN = TrainConfig(lr=0.01, scale_lr_factor=0.1)


def model_of(config: RecommendConfig, num_dense: int) -> Dlrm:
    size = ModelConfig(embedding_dim=4, bottom=(8,), top=(8, 8), activation=config.model.activation)
    return build_model(num_dense=num_dense, table_rows=(5, 40), model=size, precision=config.precision)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.preset)
@pytest.mark.parametrize("num_dense", [0, 3])
def test_every_parameter_is_in_exactly_one_group(config: RecommendConfig, num_dense: int) -> None:
    model = model_of(config, num_dense)
    optimizers = build_optimizers(model, TRAIN, weight_decay=0.5)
    held = Counter(
        id(parameter) for optimizer in optimizers for group in optimizer.param_groups for parameter in group["params"]
    )
    assert held == Counter(id(parameter) for parameter in model.parameters())


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.preset)
def test_scales_learn_slowly_and_only_the_table_is_held_back(config: RecommendConfig) -> None:
    model = model_of(config, 3)
    scales = {id(p) for module in model.modules() if isinstance(module, Quantizer) for p in module.parameters()}
    for optimizer in build_optimizers(model, TRAIN, weight_decay=0.5):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                assert group["lr"] == pytest.approx(0.001 if id(parameter) in scales else 0.01)
                assert group["weight_decay"] == (0.5 if parameter is model.embedding.weight else 0)


def test_rows_that_no_batch_names_stay_where_they_are() -> None:
    model = model_of(PRESETS["int4"](), 0)
    before = model.embedding.weight.detach().clone()
    for _ in range(3):
        optimizers = build_optimizers(model, TRAIN, weight_decay=0.5)
        model(torch.zeros(2, 0), torch.tensor([1, 7, 3, 7]), torch.arange(5)).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    moved = (model.embedding.weight != before).any(1).nonzero().flatten().tolist()
    assert moved == [1, 3, 7]
