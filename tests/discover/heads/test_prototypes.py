"""Prototypes: the loss of SimGCD and BaCon, by hand and by a slow formula, and what is learned."""

from __future__ import annotations

from typing import Any  # of a field by name

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import ConfigError
from farthing.discover.heads.prototypes import PrototypeConfig, learn_prototypes, prototype_loss
from farthing.discover.problem import UNLABELLED, Features, Problem
from tests.discover.problems import long_tailed, unit
from tests.reference.soft_classes import prototype_loss as slow_loss

UNIFORM = torch.full((3,), 1 / 3)


def drawn(seed: int) -> tuple[list[torch.Tensor], torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    cosines = [torch.rand(5, 3, generator=generator) * 2 - 1 for _ in range(2)]
    return cosines, torch.randint(-1, 3, (5,), generator=generator)


@given(st.integers(0, 1000), st.floats(0.2, 1.0), st.floats(0, 4), st.floats(0, 1))
def test_the_loss_is_the_slow_one(seed: int, tail: float, balance: float, supervised: float) -> None:
    cosines, labels = drawn(seed)
    prior = torch.tensor([1.0, tail, tail**2])
    settings = {"balance": balance, "supervised": supervised}
    found = prototype_loss(cosines, labels, prior, target_temperature=0.05, **settings)
    slow = slow_loss([view.tolist() for view in cosines], labels.tolist(), prior.tolist(), target=0.05, **settings)
    assert found.item() == pytest.approx(slow, rel=1e-4, abs=1e-5)


def test_values_by_hand() -> None:
    even = [torch.zeros(1, 2)] * 2
    unlabelled, labelled = torch.tensor([-1]), torch.tensor([1])
    settings = {"target_temperature": 0.07, "balance": 2.0}
    prior = torch.full((2,), 0.5)
    # Undecided images: the cross-entropy is log 2, the mean is even, the label costs log 2.
    assert prototype_loss(even, unlabelled, prior, supervised=0.0, **settings).item() == pytest.approx(np.log(2))
    assert prototype_loss(even, labelled, prior, supervised=1.0, **settings).item() == pytest.approx(np.log(2))
    # All images certain of one class: no cross-entropy, and the term of the mean is at its largest, e log 2.
    certain = [torch.tensor([[1.0, -1.0]])] * 2
    assert prototype_loss(certain, unlabelled, prior, supervised=0.0, **settings).item() == pytest.approx(
        2 * np.log(2), rel=1e-6
    )


def test_predictions_that_follow_the_prior_cost_nothing() -> None:
    """Nine images of one class and one of the other are even for a prior of nine to one, and uneven for one to one."""
    view = torch.tensor([[1.0, -1.0]] * 9 + [[-1.0, 1.0]])
    settings = {"target_temperature": 0.04, "balance": 1.0, "supervised": 0.0}
    labels = torch.full((10,), -1)
    follows = prototype_loss([view, view], labels, torch.tensor([0.9, 0.1]), **settings)
    uniform = prototype_loss([view, view], labels, torch.tensor([0.5, 0.5]), **settings)
    assert follows.item() == pytest.approx(0, abs=1e-5)
    assert uniform.item() == pytest.approx(np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1), rel=1e-4)


def test_no_gradient_flows_through_targets() -> None:
    """Of a single view that is its own other one, the gradient is (p - q) / (2 * .1), q held fixed, from each side."""
    cosines = torch.tensor([[0.3, 0.1, -0.2]], requires_grad=True)
    other = torch.tensor([[0.1, 0.2, 0.0]])
    prototype_loss(
        [cosines, other], torch.tensor([-1]), UNIFORM, target_temperature=0.05, balance=0.0, supervised=0.0
    ).backward()
    by_hand = (torch.softmax(cosines.detach() / 0.1, 1) - torch.softmax(other / 0.05, 1)) / 0.2
    assert cosines.grad is not None
    torch.testing.assert_close(cosines.grad, by_hand)


def even_prior(_: Features) -> Features:
    return np.full(4, 0.25, np.float32)


def test_prototypes_of_known_classes_stand_among_their_images() -> None:
    problem = long_tailed(sizes=(30, 30, 30, 30), num_known=2, noise=0.3).problem
    config = PrototypeConfig(num_steps=60, batch_size=64)
    prototypes = learn_prototypes(problem, 4, 0, config=config, prior_of=even_prior)
    np.testing.assert_allclose(np.linalg.norm(prototypes, axis=1), 1, atol=1e-5)
    for one in range(2):
        assert ((problem.features[problem.labels == one] @ prototypes.T).argmax(1) == one).all()


@pytest.mark.parametrize("share", [0.5, 0.85])
def test_prototypes_are_used_as_often_as_the_prior_says(share: float) -> None:
    """Images without any structure are cut where the prior asks for it."""
    features = unit(np.random.default_rng(0).normal(np.array([2, 0]), size=(400, 2)))
    problem = Problem(features=features, labels=np.full(400, UNLABELLED), num_known=0)
    prior = np.array([share, 1 - share], np.float32)
    config = PrototypeConfig(num_steps=200, batch_size=128, balance=4.0, power=1.0)
    prototypes = learn_prototypes(problem, 2, 0, config=config, prior_of=lambda _: prior)
    assert ((features @ prototypes.T).argmax(1) == 0).mean() == pytest.approx(share, abs=0.08)


def test_the_seed_decides_all_bits_and_the_global_generator_stays() -> None:
    problem = long_tailed(num_known=2).problem
    config = PrototypeConfig(num_steps=5, batch_size=16)
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    runs = [learn_prototypes(problem, 4, seed, config=config, prior_of=even_prior) for seed in (1, 1, 2)]
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


def test_the_prior_is_asked_for_again_as_often_as_set() -> None:
    problem = long_tailed(num_known=2).problem
    asked: list[Features] = []

    def prior_of(prototypes: Features) -> Features:
        asked.append(prototypes)
        return even_prior(prototypes)

    config = PrototypeConfig(num_steps=20, batch_size=8, refresh=0.25)
    learn_prototypes(problem, 4, 0, config=config, prior_of=prior_of)
    assert len(asked) == 4
    assert (asked[0] != asked[1]).any()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_steps", 0),
        ("batch_size", 0),
        ("lr", 0.0),
        ("view_noise", -1.0),
        ("balance", -1.0),
        ("power", -1.0),
        ("supervised", 1.5),
        ("refresh", 0.0),
    ],
)
def test_settings_out_of_range_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=field):
        PrototypeConfig(**{field: value})
