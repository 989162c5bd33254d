"""A DLRM forward pass in plain loops over numpy arrays, one sample at a time; it shares no code with the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Weights = Mapping[str, np.ndarray]


def logit(
    weights: Weights, dense: Sequence[float], bags: Sequence[Sequence[int]], *, num_bottom: int, num_top: int
) -> float:
    """The logit of one sample in evaluation mode, ReLU activations.

    Args:
        weights: the model's state dict as arrays.
        dense: numeric columns; empty for a model without a bottom MLP.
        bags: table rows of every field.
        num_bottom: linear layers of the bottom MLP.
        num_top: linear layers of the top MLP.
    """
    table = weights["embedding.weight"].astype(np.float64)
    fields = [sum(table[row] for row in bag) for bag in bags]
    vectors = list(fields)
    if num_bottom:
        x = np.asarray(dense, dtype=np.float64)
        for i in range(num_bottom):
            x = np.maximum(_norm(weights, f"bottom.norm{i}", _linear(weights, f"bottom.linear{i}", x)), 0)
        vectors = [x, *fields]
    passed_on = list(vectors[0]) if num_bottom else [value for vector in vectors for value in vector]
    products = [float(np.dot(vectors[i], vectors[j])) for i in range(len(vectors)) for j in range(i)]
    x = np.asarray([*passed_on, *products])
    for i in range(num_top):
        x = _linear(weights, f"top.linear{i}", x)
        if i < num_top - 1:
            x = np.maximum(_norm(weights, f"top.norm{i}", x), 0)
    return float(x[0])


def _linear(weights: Weights, name: str, x: np.ndarray) -> np.ndarray:
    matrix, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return np.asarray([sum(matrix[o][i] * x[i] for i in range(len(x))) + bias[o] for o in range(len(bias))])


def _norm(weights: Weights, name: str, x: np.ndarray) -> np.ndarray:
    mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    return (x - mean) / np.sqrt(variance + 1e-5) * weights[f"{name}.weight"] + weights[f"{name}.bias"]
