"""The optimizers of a recommender: one for the rows of its table, one for everything dense."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Adam, Optimizer

from farthing.lowbit.quantizers import Quantizer
from farthing.recommend.config import TrainConfig
from farthing.recommend.model import Dlrm
from farthing.train.sparse import RowAdam


def build_optimizers(model: Dlrm, config: TrainConfig, *, weight_decay: float) -> list[Optimizer]:
    """RowAdam for the embedding table, Adam for the rest; the quantizers' scales learn more slowly."""
    scales = [
        parameter for module in model.modules() if isinstance(module, Quantizer) for parameter in module.parameters()
    ]
    known = {id(parameter) for parameter in [*scales, model.embedding.weight]}
    dense: list[nn.Parameter] = [parameter for parameter in model.parameters() if id(parameter) not in known]
    groups: list[dict[str, Any]] = [{"params": dense}]
    if scales:
        groups.append({"params": scales, "lr": config.lr * config.scale_lr_factor})
    return [
        Adam(groups, lr=config.lr),
        RowAdam([model.embedding.weight], lr=config.lr, weight_decay=weight_decay),
    ]
