"""Lloyd's iterations are scikit-learn's; labels hold; no class stays empty."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from farthing.base.errors import ConfigError
from farthing.discover.heads.kmeans import KMeansConfig, lloyd, nearest_means, sort_by_kmeans, spread_starts
from farthing.discover.means import class_sums
from farthing.discover.problem import UNLABELLED, Problem
from tests.discover.problems import long_tailed


def test_lloyd_equals_scikit_learn() -> None:
    problem = long_tailed(sizes=(60, 50, 40, 30), num_known=0, noise=0.9).problem
    starts = problem.features[:4]
    expected = KMeans(4, init=starts, n_init=1, max_iter=100, tol=0, algorithm="lloyd").fit(problem.features)
    found = lloyd(problem.features, starts, 100)
    np.testing.assert_array_equal(found.classes, expected.labels_)
    np.testing.assert_allclose(found.means, expected.cluster_centers_, atol=1e-5)
    assert found.inertia == pytest.approx(expected.inertia_, rel=1e-4)


def test_each_iteration_is_the_rule_with_labels() -> None:
    problem = long_tailed(sizes=(15, 12, 9), num_known=2, noise=1.2).problem
    features, labels = problem.features.astype(np.float64), problem.labels
    means = features[:3]
    for iterations in range(1, 5):
        found = lloyd(problem.features, problem.features[:3], iterations, labels=labels)
        nearest = np.linalg.norm(features[:, None] - means, axis=2).argmin(1)
        classes = np.where(labels == UNLABELLED, nearest, labels)
        means = np.stack([features[classes == one].mean(0) for one in range(3)])
        np.testing.assert_allclose(found.means, means, atol=1e-5)


def test_labelled_images_stay_in_their_class() -> None:
    problem = long_tailed(sizes=(30, 30, 30), num_known=2, noise=2.25).problem
    labelled = problem.labels != UNLABELLED
    found = sort_by_kmeans(problem, 3, 0)
    np.testing.assert_array_equal(found.classes[labelled], problem.labels[labelled])


def test_classes_are_found() -> None:
    known = long_tailed(sizes=(40, 30, 20, 10), num_known=2, noise=0.075)
    problem, truth = known.problem, known.truth
    found = sort_by_kmeans(problem, 4, 0)
    assert adjusted_rand_score(found.classes, truth) == 1
    assert (found.classes[truth < 2] == truth[truth < 2]).all()


def test_starts_may_compete_on_a_part_of_the_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farthing.discover.heads.kmeans._MAX_TRIAL_IMAGES", 100)
    known = long_tailed(sizes=(400, 300, 200, 100), num_known=2, noise=0.1)
    found = sort_by_kmeans(known.problem, 4, 0)
    assert adjusted_rand_score(found.classes, known.truth) == 1
    labelled = known.problem.labels != UNLABELLED
    np.testing.assert_array_equal(found.classes[labelled], known.problem.labels[labelled])


def test_known_classes_keep_their_place_where_a_part_holds_none_of_their_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("farthing.discover.heads.kmeans._MAX_TRIAL_IMAGES", 20)
    known = long_tailed(sizes=(300, *(4,) * 8), num_known=9, noise=0.1)
    found = sort_by_kmeans(known.problem, 9, 0, config=KMeansConfig(max_iterations=2))
    np.testing.assert_array_equal(found.classes, known.truth)


def test_more_starts_come_no_further_from_the_means() -> None:
    problem = long_tailed(sizes=(20,) * 8, num_known=0, noise=1.05).problem

    def inertia(num_starts: int) -> float:
        config = KMeansConfig(num_starts=num_starts, tolerance=0)
        found = sort_by_kmeans(problem, 8, 1, config=config)
        means = class_sums(problem.features, found.classes, 8) / np.bincount(found.classes)[:, None]
        return float(np.square(problem.features - means[found.classes]).sum())

    assert inertia(20) < inertia(1)


def test_the_same_seed_gives_the_same_classes_and_another_seed_others() -> None:
    problem = long_tailed(sizes=(30,) * 6, num_known=1, noise=1.5).problem
    config = KMeansConfig(num_starts=1)
    first, again, other = (sort_by_kmeans(problem, 6, seed, config=config).classes for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert adjusted_rand_score(first, other) < 1


def test_no_class_stays_empty() -> None:
    problem = long_tailed(sizes=(50, 50), num_known=0, noise=0.45).problem
    far = np.tile(-problem.features.mean(0), (4, 1))
    starts = np.concatenate([problem.features[:2], far]).astype(np.float32)
    assert (np.bincount(lloyd(problem.features, starts, 50).classes, minlength=6) > 0).all()


def test_starts_are_drawn_by_squared_distance() -> None:
    # Squared distances from the mean at (1, 0): 0, 2 and 4, so that the opposite image is drawn twice as often.
    features = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    rng = np.random.default_rng(0)
    drawn = np.stack([spread_starts(features, features[:1], 1, rng)[0] for _ in range(3000)])
    counts = [(drawn == image).all(1).sum() for image in features]
    np.testing.assert_allclose(counts, [0, 1000, 2000], atol=80)


def test_the_second_start_is_another_image_than_the_first() -> None:
    features = np.repeat(np.eye(3, dtype=np.float32), [50, 1, 1], axis=0)
    for seed in range(20):
        starts = spread_starts(features, np.empty((0, 3), np.float32), 3, np.random.default_rng(seed))
        np.testing.assert_array_equal(np.sort(starts.argmax(1)), [0, 1, 2])


def test_nearest_means_are_those_of_least_distance_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farthing.discover.heads.kmeans.BLOCK", 7)
    problem = long_tailed(sizes=(20,) * 4, num_known=2, noise=1.5).problem
    means = np.random.default_rng(0).standard_normal((5, 16)).astype(np.float32)
    classes, closeness = nearest_means(problem.features, means)
    distances = np.linalg.norm(problem.features[:, None].astype(np.float64) - means, axis=2)
    np.testing.assert_array_equal(classes, distances.argmin(1))
    np.testing.assert_allclose(1 - 2 * closeness, distances.min(1) ** 2, atol=1e-4)


def test_all_images_labelled_stay_as_they_are() -> None:
    problem = Problem(features=np.eye(3, dtype=np.float32), labels=np.array([0, 1, 1]), num_known=2)
    assert sort_by_kmeans(problem, 3, 0).classes.tolist() == [0, 1, 1]


@pytest.mark.parametrize("num_classes", [1, 81])
def test_a_number_of_classes_out_of_range_is_refused(num_classes: int) -> None:
    with pytest.raises(ConfigError, match=rf"num_classes must be from 2, .* to 80, the images, got {num_classes}"):
        sort_by_kmeans(long_tailed(sizes=(20,) * 4, num_known=2, noise=0.15).problem, num_classes, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_starts": 0}, "num_starts must be >= 1, got 0"),
        ({"max_iterations": 0}, "max_iterations must be >= 1, got 0"),
        ({"tolerance": -1.0}, r"tolerance must be >= 0, got -1\.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        KMeansConfig(**settings)  # type: ignore[arg-type]
