"""Parametric prototypes on fixed features: one direction per class, learned from two views of each image.

The few thousand numbers of a head are fitted here and not by the training loop: a head runs many times in one
discovery, in seconds, and leaves neither checkpoints nor a log.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from farthing.base.errors import ConfigError
from farthing.discover.problem import UNLABELLED, Features, Problem
from farthing.train.optim import scale_learning_rates, schedule_factor


@dataclass(frozen=True, kw_only=True, slots=True)
class PrototypeConfig:
    """How prototypes are learned.

    Attributes:
        num_steps: >= 1.
        batch_size: images of a step, >= 1.
        lr: of the first step, > 0; falls to 0 along a cosine.
        view_noise: length of what is added to a feature of length 1 to get another view of it, >= 0.
        balance: e, the weight of the mean prediction's distance from the prior, >= 0.
        power: of the prior, >= 0; 0 makes it uniform, above 1 asks for a longer tail than it has.
        supervised: l, the share of the labelled images' loss, in [0, 1].
        refresh: share of the steps between two estimates of the prior, in (0, 1].

    Raises:
        ConfigError: a value out of range.
    """

    num_steps: int = 600
    batch_size: int = 512
    lr: float = 0.1
    view_noise: float = 0.3
    balance: float = 2.0
    power: float = 1.1
    supervised: float = 0.35
    refresh: float = 0.05

    def __post_init__(self) -> None:
        rules = {
            "num_steps": (self.num_steps >= 1, ">= 1"),
            "batch_size": (self.batch_size >= 1, ">= 1"),
            "lr": (self.lr > 0, "> 0"),
            "view_noise": (self.view_noise >= 0, ">= 0"),
            "balance": (self.balance >= 0, ">= 0"),
            "power": (self.power >= 0, ">= 0"),
            "supervised": (0 <= self.supervised <= 1, "in [0, 1]"),
            "refresh": (0 < self.refresh <= 1, "in (0, 1]"),
        }
        for name, (holds, rule) in rules.items():
            if not holds:
                raise ConfigError(f"{name} must be {rule}, got {getattr(self, name)!r}")


# Of the paper: of predictions, of targets at first and later, and the share of the training that is "at first".
_TEMPERATURE = 0.1
_TARGET_TEMPERATURES = (0.07, 0.04)
_WARMUP = 0.15
_MOMENTUM, _WEIGHT_DECAY, _INITIAL_SCALE = 0.9, 5e-5, 0.02


def learn_prototypes(
    problem: Problem, num_classes: int, seed: int, *, config: PrototypeConfig, prior_of: Callable[[Features], Features]
) -> Features:
    """f32 [num_classes, dim], of length 1.

    Args:
        problem: features, some of them labelled.
        num_classes: known and new together; prototype k is that of known class k.
        seed: of the start, the batches and the views.
        config: how they are learned.
        prior_of: f32 [num_classes] that adds up to 1, from the prototypes so far; asked for again at every refresh.
    """
    generator = torch.Generator().manual_seed(seed)
    features, labels = torch.from_numpy(problem.features), torch.from_numpy(problem.labels)
    weight = _INITIAL_SCALE * torch.randn(num_classes, features.shape[1], generator=generator)
    weight.requires_grad_()
    optimizer = torch.optim.SGD([weight], lr=config.lr, momentum=_MOMENTUM, weight_decay=_WEIGHT_DECAY)
    period = max(1, round(config.refresh * config.num_steps))
    for step in range(config.num_steps):
        if step % period == 0:
            prior = torch.from_numpy(prior_of(_unit(weight)))
        chosen = torch.randint(len(features), (config.batch_size,), generator=generator)
        views = [_view(features[chosen], config.view_noise, generator) for _ in range(2)]
        prototypes = F.normalize(weight, dim=1)
        loss = prototype_loss(
            [view @ prototypes.T for view in views],
            labels[chosen],
            prior**config.power,
            target_temperature=_target_temperature(step / config.num_steps),
            balance=config.balance,
            supervised=config.supervised,
        )
        factor = schedule_factor("cosine", step=step, total_steps=config.num_steps, warmup_steps=0)
        scale_learning_rates([optimizer], factor)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return _unit(weight)


def prototype_loss(
    cosines: list[Tensor],
    labels: Tensor,
    prior: Tensor,
    *,
    target_temperature: float,
    balance: float,
    supervised: float,
) -> Tensor:
    """(1 - l) [CE(q', p) + e (log K + sum r log r)] + l CE(labels, p), r = (mean p / prior) / sum (mean p / prior).

    p = softmax(cos / .1); q' = softmax(cos / t) of the other view. The term of e is 0 where predictions follow the
    prior, and positive elsewhere; a uniform prior leaves r = mean p, and it is SimGCD's.

    Args:
        cosines: [batch, num_classes] of each of two views.
        labels: i64 [batch], `UNLABELLED` where there is none.
        prior: f32 [num_classes], > 0, of any sum.
        target_temperature: t, of what is learned from; no gradient flows through it.
        balance: e.
        supervised: l.

    Source: Wen, Zhao, Qi, Parametric Classification for Generalized Category Discovery, ICCV 2023,
        https://arxiv.org/abs/2211.11727, equations 3 to 6; with a prior, Bai et al., NeurIPS 2023,
        https://arxiv.org/abs/2310.01376, as in the published code.
    """
    logs = [F.log_softmax(view / _TEMPERATURE, dim=1) for view in cosines]
    targets = [F.softmax(view.detach() / target_temperature, dim=1) for view in cosines]
    across = -(targets[1] * logs[0] + targets[0] * logs[1]).sum(1).mean() / 2
    weighed = torch.cat(logs).exp().mean(0) / prior
    evened = weighed / weighed.sum()
    unevenness = torch.special.xlogy(evened, evened).sum() + math.log(len(evened))
    loss: Tensor = (1 - supervised) * (across + balance * unevenness)
    labelled = labels != UNLABELLED
    if labelled.any():
        certain = torch.cat([labels[labelled]] * 2)
        loss = loss + supervised * F.nll_loss(torch.cat([view[labelled] for view in logs]), certain)
    return loss


def _target_temperature(progress: float) -> float:
    first, last = _TARGET_TEMPERATURES
    return first + (last - first) * min(1.0, progress / _WARMUP)


def _view(features: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Features as of another image like this one: moved by about `noise`, of length 1 again."""
    scale = noise / features.shape[1] ** 0.5
    view: Tensor = F.normalize(features + scale * torch.randn(features.shape, generator=generator), dim=1)
    return view


def _unit(weight: Tensor) -> Features:
    unit: Features = F.normalize(weight.detach(), dim=1).numpy().astype(np.float32)
    return unit
