"""Learning-rate schedules, gradient norms and parameter groups."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from farthing.train.sparse import merge_rows

Schedule = Literal["constant", "cosine"]


def schedule_factor(schedule: Schedule, *, step: int, total_steps: int, warmup_steps: int) -> float:
    """What the base learning rate is multiplied with at `step`, in [0, 1].

    With W = `warmup_steps` and T = `total_steps`, step t = 0, 1, ..., T - 1 has the factor
        (t + 1) / W                                     for t < W    (linear warm-up)
        1                                               for t >= W   (constant)
        (1 + cos(pi (t - W) / (T - W))) / 2             for t >= W   (cosine; 1 at t = W, near 0 at the last step)

    Source: Loshchilov and Hutter, SGDR, equation 5 without restarts, https://arxiv.org/abs/1608.03983
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    return (1 + math.cos(math.pi * (step - warmup_steps) / max(1, total_steps - warmup_steps))) / 2


def scale_learning_rates(optimizers: Sequence[Optimizer], factor: float) -> None:
    """Sets every group's `lr` to its `initial_lr`, which is its `lr` at the first call, times `factor`."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor


def clip_grad_norm(parameters: Iterable[nn.Parameter], max_norm: float) -> float:
    """Scales all gradients so that their joint L2 norm is at most `max_norm`; returns the norm before.

    A sparse gradient first gets every row once (`merge_rows`), so that its norm is that of the dense gradient it stands
    for. Its optimizer needs this form anyway and does not make it again.

    Args:
        parameters: those with a gradient count; dense and sparse ones may be mixed.
        max_norm: > 0.

    Source: as `torch.nn.utils.clip_grad_norm_`, which refuses sparse gradients and adds 1e-6 to the norm it divides by.
    """
    values: list[Tensor] = []
    for parameter in parameters:
        if parameter.grad is None:
            continue
        if parameter.grad.is_sparse:
            parameter.grad = merge_rows(parameter.grad)
            values.append(parameter.grad.values())
        else:
            values.append(parameter.grad)
    if not values:
        return 0.0
    norm = float(torch.stack([torch.linalg.vector_norm(value) for value in values]).norm())
    if norm > max_norm:
        torch._foreach_mul_(values, max_norm / norm)
    return norm


def decay_groups(module: nn.Module, *, weight_decay: float) -> list[dict[str, object]]:
    """Two parameter groups: matrices with `weight_decay`; biases, norms and quantizer scales (1 or 0 axes) without."""
    matrices = [parameter for parameter in module.parameters() if parameter.ndim >= 2]
    vectors = [parameter for parameter in module.parameters() if parameter.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
