"""Soft assignments to classes, told slowly: one image, one class, one number at a time, without blocks or offsets."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, log, sqrt

Vector = Sequence[float]
Table = list[list[float]]


def dot(first: Vector, second: Vector) -> float:
    return fsum(a * b for a, b in zip(first, second, strict=True))


def shares(scores: Vector) -> list[float]:
    """Softmax by its definition; the scores of tests are small enough for it."""
    powers = [exp(score) for score in scores]
    return [power / fsum(powers) for power in powers]


def responsibilities(
    images: Sequence[Vector], labels: Sequence[int], means: Sequence[Vector], kappa: float, prior: Vector
) -> Table:
    """The E-step of a seeded mixture: p(c | x), 1 or 0 where the class is known."""
    table = []
    for image, label in zip(images, labels, strict=True):
        soft = shares([kappa * dot(image, mean) + log(weight) for mean, weight in zip(means, prior, strict=True)])
        table.append(soft if label < 0 else [float(label == one) for one in range(len(means))])
    return table


def maximise(images: Sequence[Vector], table: Table) -> tuple[Table, float, list[float]]:
    """The M-step: unit means, the concentration that they share, the prior of all images."""
    count, dim = len(images), len(images[0])
    sums = [
        [fsum(row[one] * image[axis] for row, image in zip(table, images, strict=True)) for axis in range(dim)]
        for one in range(len(table[0]))
    ]
    lengths = [sqrt(dot(total, total)) for total in sums]
    cosine = fsum(lengths) / count
    means = [[value / length for value in total] for total, length in zip(sums, lengths, strict=True)]
    prior = [fsum(row[one] for row in table) / count for one in range(len(table[0]))]
    return means, cosine * (dim - cosine**2) / (1 - cosine**2), prior


def sinkhorn(scores: Table, rows: Vector, columns: Vector, rounds: int) -> Table:
    """The matrix diag(u) exp(scores) diag(v) with the given row and column sums, by scaling them in turn."""
    plan = [[exp(score) for score in line] for line in scores]
    for _ in range(rounds):
        for place, due in enumerate(columns):
            total = fsum(line[place] for line in plan)
            for line in plan:
                line[place] *= due / total
        for line, due in zip(plan, rows, strict=True):
            total = fsum(line)
            line[:] = [value * due / total for value in line]
    return plan


def prototype_loss(
    views: Sequence[Table], labels: Sequence[int], prior: Vector, *, target: float, balance: float, supervised: float
) -> float:
    """SimGCD's loss on cosines with prototypes, term by term; `prior` divides the mean prediction as in BaCon."""
    first, second = ([shares([value / 0.1 for value in line]) for line in view] for view in views)
    taught = [[shares([value / target for value in line]) for line in view] for view in views]
    count, classes = len(labels), len(prior)

    def cross(targets: Table, predicted: Table) -> float:
        entropies = [
            -fsum(q * log(p) for q, p in zip(one, other, strict=True))
            for one, other in zip(targets, predicted, strict=True)
        ]
        return fsum(entropies) / count

    distilled = (cross(taught[0], second) + cross(taught[1], first)) / 2
    mean = [fsum(line[one] for line in [*first, *second]) / (2 * count) / prior[one] for one in range(classes)]
    mean = [value / fsum(mean) for value in mean]
    unevenness = log(classes) + fsum(value * log(value) for value in mean)
    named = [
        -log(line[label]) for view in (first, second) for line, label in zip(view, labels, strict=True) if label >= 0
    ]
    certain = fsum(named) / len(named) if named else 0.0
    return (1 - supervised) * (distilled + balance * unevenness) + supervised * certain
