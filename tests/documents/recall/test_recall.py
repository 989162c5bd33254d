"""The promise is true as often as it says, for any ranking, and says what it cannot promise."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.base.errors import ConfigError, DataError
from farthing.documents.recall.recall import Calibration, choose_threshold, round_error
from farthing.documents.recall.sampling import draw


def _calibrate(
    scores: np.ndarray, truth: np.ndarray, *, labels: int, recall: float, seed: int, round: int = 1
) -> Calibration:
    sampled = draw(len(scores), labels, seed)
    return choose_threshold(scores, sampled, truth[sampled], recall=recall, confidence=0.95, round=round)


@pytest.mark.parametrize("kind", ["good", "random", "reversed", "tied"])
def test_promises_hold_for_any_ranking(kind: str) -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(500) < 0.3
    noise = rng.random(500)
    scores = {"good": truth + noise, "random": noise, "reversed": noise - truth, "tied": np.round(truth + noise, 1)}[
        kind
    ]
    broken = 0
    for seed in range(300):
        threshold = _calibrate(scores, truth, labels=150, recall=0.9, seed=seed).threshold
        broken += int(np.mean(scores[truth] >= threshold) < 0.9)
    assert broken <= 22  # 300 draws at 4.5 %: 13.5 expected at most; 22 or fewer with 99 %


def test_a_good_ranking_keeps_little_more_than_needed() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(724) < 0.28
    scores = rng.normal(3.0 * truth)
    best = np.mean(scores >= np.quantile(scores[truth], 0.1))
    kept = [_calibrate(scores, truth, labels=200, recall=0.9, seed=seed).kept / 724 for seed in range(50)]
    assert np.mean(kept) <= 1.5 * best


def test_what_is_promised_when_labels_do_not_suffice() -> None:
    scores = np.linspace(0, 1, 400)
    result = _calibrate(scores, scores > 0.95, labels=60, recall=0.95, seed=0)
    assert not result.is_reached
    assert result.kept == 400
    assert 0 < result.recall_lower_bound < 0.95
    assert result.best_threshold > 0.95
    assert result.best_kept < 20
    assert result.more_labels_wanted in (60, 180, 340)
    enough = _calibrate(scores, scores > 0.95, labels=400, recall=0.95, seed=0, round=2)
    assert enough.is_reached
    assert enough.more_labels_wanted == 0
    assert enough.recall_lower_bound == 0.95


def test_nothing_found_promises_nothing() -> None:
    result = _calibrate(np.linspace(0, 1, 50), np.zeros(50, np.bool_), labels=20, recall=0.9, seed=0)
    assert (result.is_reached, result.recall_lower_bound, result.recall_estimate) == (False, 0.0, None)
    assert (result.kept, result.threshold) == (50, 0.0)


def test_a_higher_recall_or_confidence_keeps_more() -> None:
    rng = np.random.default_rng(2)
    truth = rng.random(400) < 0.4
    scores = rng.normal(2.0 * truth)
    by_recall = [_calibrate(scores, truth, labels=120, recall=recall, seed=0).kept for recall in (0.5, 0.8, 0.9, 0.95)]
    assert by_recall == sorted(by_recall)
    sampled = draw(400, 120, 0)
    by_confidence = [
        choose_threshold(scores, sampled, truth[sampled], recall=0.9, confidence=confidence).kept
        for confidence in (0.5, 0.9, 0.99)
    ]
    assert by_confidence == sorted(by_confidence)


def test_rounds_share_the_error() -> None:
    spent = [round_error(0.95, number) for number in range(1, 20)]
    assert spent[0] == pytest.approx(0.045)
    assert sum(spent) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recall": 1.0}, "recall: must lie between 0 and 1"),
        ({"confidence": 0.0}, "confidence: must lie"),
        ({"round": 0}, "round: counts from 1"),
    ],
)
def test_settings_out_of_range(change: dict[str, float], message: str) -> None:
    arguments = {"recall": 0.9, "confidence": 0.95, "round": 1, **change}
    with pytest.raises(ConfigError, match=message):
        choose_threshold(np.ones(3), np.array([0]), np.array([True]), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "sampled", "message"),
    [
        (np.array([]), np.array([0]), "needs pages with a score"),
        (np.ones(3), np.array([], np.int64), "needs pages with a score"),
        (np.array([1.0, np.nan]), np.array([0]), "1 that are not"),
        (np.ones(3), np.array([1, 1]), "a page twice"),
    ],
)
def test_unusable_samples(scores: np.ndarray, sampled: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        choose_threshold(scores, sampled, np.ones(len(sampled), np.bool_), recall=0.9)
