"""From logits to probabilities, and how good those are: ranking, decisions, likelihood, calibration."""

from __future__ import annotations

import numpy as np
import sklearn.metrics
from jaxtyping import Float, Shaped

from farthing.base.errors import DataError

NUM_CALIBRATION_BINS = 15


def click_probability(logit: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """1 / (1 + exp(-logit)), f64: the only sigmoid between a model and what is said of a row.

    Not torch's: its last bit depends on whether a row is among eight others or left over at the end.
    """
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def evaluate(
    label: Float[np.ndarray, " n"],
    probability: Float[np.ndarray, " n"],
    group: Shaped[np.ndarray, " n"] | None = None,
) -> dict[str, float]:
    """`auc`, `accuracy` at 0.5, `log_loss` in nats, `ece`, and `gauc` where groups are given.

    Args:
        label: 0 or 1.
        probability: of label 1, in [0, 1].
        group: who each row belongs to (a user, a request).

    Raises:
        DataError: the labels hold one class only.
    """
    if label.min(initial=1) == label.max(initial=0):
        raise DataError(
            f"all {len(label)} labels are {int(label[0]) if len(label) else 'missing'}; AUC needs both 0 and 1"
        )
    metrics = {
        "auc": float(sklearn.metrics.roc_auc_score(label, probability)),
        "accuracy": float(np.mean((probability >= 0.5) == (label == 1))),
        "log_loss": float(sklearn.metrics.log_loss(label, probability)),
        "ece": expected_calibration_error(label, probability),
    }
    if group is not None:
        metrics["gauc"] = grouped_auc(label, probability, group)
    return metrics


def calibration_bins(
    label: Float[np.ndarray, " n"], probability: Float[np.ndarray, " n"]
) -> list[tuple[float, float, int]]:
    """For each non-empty one of 15 equally wide bins of the probability: its mean, the share of 1s, the rows."""
    bins = np.minimum((probability * NUM_CALIBRATION_BINS).astype(int), NUM_CALIBRATION_BINS - 1)
    count = np.bincount(bins, minlength=NUM_CALIBRATION_BINS)
    predicted = np.bincount(bins, weights=probability, minlength=NUM_CALIBRATION_BINS)
    positive = np.bincount(bins, weights=label, minlength=NUM_CALIBRATION_BINS)
    return [
        (float(predicted[b] / count[b]), float(positive[b] / count[b]), int(count[b])) for b in np.flatnonzero(count)
    ]


def expected_calibration_error(label: Float[np.ndarray, " n"], probability: Float[np.ndarray, " n"]) -> float:
    """The sum over 15 equally wide bins of (rows / n) |share of 1s - mean probability|.

    Source: Naeini et al., AAAI 2015; Guo et al., https://arxiv.org/abs/1706.04599, equation 3, for binary labels.
    """
    bins = calibration_bins(label, probability)
    return sum(count * abs(share - mean) for mean, share, count in bins) / len(label)


def grouped_auc(
    label: Float[np.ndarray, " n"], probability: Float[np.ndarray, " n"], group: Shaped[np.ndarray, " n"]
) -> float:
    """The AUC within each group, averaged with the groups' rows as weights; groups of one class are left out.

    Computed from ranks within groups: AUC = (sum of the ranks of the 1s - p (p + 1) / 2) / (p q) for p ones and q
    zeros, ties sharing their mean rank.

    Raises:
        DataError: no group holds both classes.

    Source: Zhou et al., Deep Interest Network, https://arxiv.org/abs/1706.06978, equation 8 (impressions as weights).
    """
    _, member = np.unique(group, return_inverse=True)
    order = np.lexsort((probability, member))
    rank = _mean_ranks(member[order], probability[order])
    positives = np.bincount(member, weights=label)
    rows = np.bincount(member)
    rank_sum = np.bincount(member[order], weights=rank * label[order])
    both = (positives > 0) & (positives < rows)
    if not both.any():
        raise DataError("no group holds both labels 0 and 1; choose another group column")
    p, q = positives[both], (rows - positives)[both]
    auc = (rank_sum[both] - p * (p + 1) / 2) / (p * q)
    return float(np.average(auc, weights=rows[both]))


def _mean_ranks(member: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Ranks from 1 within each run of equal `member`, sorted by `value`; equal values share their mean rank."""
    n = len(member)
    is_start = np.r_[True, member[1:] != member[:-1]]
    position = np.arange(n) - np.flatnonzero(is_start)[np.cumsum(is_start) - 1]
    is_new = is_start | np.r_[True, value[1:] != value[:-1]]
    tie = np.cumsum(is_new) - 1
    mean = np.bincount(tie, weights=position) / np.bincount(tie)
    return np.asarray(mean[tie] + 1)


def roc_points(
    label: Float[np.ndarray, " n"], probability: Float[np.ndarray, " n"], *, at_most: int = 200
) -> list[list[float]]:
    """The ROC curve as [false positive rate, true positive rate] pairs, thinned evenly along the curve."""
    fpr, tpr, _ = sklearn.metrics.roc_curve(label, probability)
    keep = np.unique(np.searchsorted(fpr + tpr, np.linspace(0, 2, at_most)).clip(max=len(fpr) - 1))
    return [[float(fpr[i]), float(tpr[i])] for i in keep]
