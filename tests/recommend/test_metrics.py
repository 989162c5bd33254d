from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError
from farthing.recommend.metrics import (
    calibration_bins,
    click_probability,
    evaluate,
    expected_calibration_error,
    grouped_auc,
    roc_points,
)

LABEL = np.array([0.0, 0.0, 1.0, 1.0])
PROBABILITY = np.array([0.1, 0.4, 0.35, 0.8])


def test_hand_computed_values() -> None:
    """3 of 4 pairs are in order; 3 of 4 decisions right; log loss and calibration by hand."""
    metrics = evaluate(LABEL, PROBABILITY)
    assert metrics["auc"] == pytest.approx(0.75)
    assert metrics["accuracy"] == pytest.approx(0.75)
    assert metrics["log_loss"] == pytest.approx(-(np.log(0.9) + np.log(0.6) + np.log(0.35) + np.log(0.8)) / 4)
    assert metrics["ece"] == pytest.approx((0.1 + 0.4 + 0.65 + 0.2) / 4 - 0.0)
    assert "gauc" not in metrics


def test_calibration_bins_are_means_and_shares() -> None:
    bins = calibration_bins(np.array([0.0, 1.0, 1.0]), np.array([0.02, 0.04, 1.0]))
    assert bins == [(pytest.approx(0.03), 0.5, 2), (1.0, 1.0, 1)]


def test_perfectly_calibrated() -> None:
    label = np.array([0.0, 1.0, 1.0, 1.0])
    assert expected_calibration_error(label, np.full(4, 0.75)) == pytest.approx(0.0)


def test_grouped_auc_by_hand() -> None:
    """Group a: AUC 1 over 2 rows; group b: AUC 0 over 2 rows, c: one class, left out; d: a tie over 4 rows, 1/2."""
    group = np.array(list("aabbccdddd"))
    label = np.array([0, 1, 0, 1, 1, 1, 0, 1, 0, 1], dtype=float)
    probability = np.array([0.1, 0.9, 0.9, 0.1, 0.5, 0.6, 0.5, 0.5, 0.5, 0.5])
    assert grouped_auc(label, probability, group) == pytest.approx((2 * 1 + 2 * 0 + 4 * 0.5) / 8)


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 5)), min_size=4, max_size=40),
)
def test_grouped_auc_equals_one_auc_per_group(rows: list[tuple[int, bool, int]]) -> None:
    group, label, probability = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    parts = [group == g for g in np.unique(group)]
    kept = [part for part in parts if 0 < label[part].mean() < 1]
    if not kept:
        with pytest.raises(DataError, match="no group"):
            grouped_auc(label, probability, group)
        return
    values = [sklearn.metrics.roc_auc_score(label[part], probability[part]) for part in kept]
    weights = [part.sum() for part in kept]
    assert grouped_auc(label, probability, group) == pytest.approx(np.average(values, weights=weights))


def test_roc_points_keep_the_curve() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 5000).astype(float)
    probability = np.clip(label * 0.2 + rng.random(5000) * 0.8, 0, 1)
    points = np.array(roc_points(label, probability))
    assert len(points) <= 200
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(evaluate(label, probability)["auc"], abs=1e-3)


@pytest.mark.parametrize("label", [np.zeros(3), np.ones(3)])
def test_one_class_is_an_error(label: np.ndarray) -> None:
    with pytest.raises(DataError, match="AUC needs both"):
        evaluate(label, np.full(3, 0.5))


def test_probabilities_of_logits() -> None:
    logits = np.array([0.0, np.log(3.0), -np.log(3.0), 1e4, -1e4])
    assert click_probability(logits).tolist() == pytest.approx([0.5, 0.75, 0.25, 1.0, 0.0])
    many = np.random.default_rng(0).normal(size=1000)
    alone = [click_probability(many[i : i + 1])[0] for i in range(len(many))]
    assert click_probability(many).tolist() == alone
