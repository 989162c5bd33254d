"""The discriminant is Fisher's with every image for a class: equal to scikit-learn's where that can be asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from farthing.discover.exemplars import fit_exemplars


def draw(num_views: int = 6, n: int = 40, size: int = 8, seed: int = 0) -> Tensor:
    """Views that vary most, within every image, along one direction that tells nothing."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, size, generator=generator)
    nuisance = torch.randn(num_views, n, size, generator=generator) * 0.2
    nuisance[:, :, 0] *= 50
    return images + nuisance


def test_it_spans_what_linear_discriminant_analysis_spans() -> None:
    views = draw()
    projection = fit_exemplars(views, components=8, shrinkage=0.0, dim=3)
    flat, image = views.flatten(0, 1).numpy(), np.tile(np.arange(40), 6)
    reference = LinearDiscriminantAnalysis(solver="eigen", n_components=3).fit(flat, image).scalings_[:, :3]
    ours, theirs = (np.linalg.qr(np.asarray(weight, np.float64))[0] for weight in (projection.weight, reference))
    assert np.linalg.svd(ours.T @ theirs)[1].min() > 0.999


def test_what_differs_between_views_is_whitened_away() -> None:
    views = draw()
    projection = fit_exemplars(views, components=8, shrinkage=0.0, dim=8)
    projected = projection(views.flatten(0, 1)).view(6, 40, 8)
    within = (projected - projected.mean(0)).flatten(0, 1)
    torch.testing.assert_close(within.T @ within / len(within), torch.eye(8), atol=1e-3, rtol=0)
    assert projected.mean((0, 1)).abs().max() < 1e-3


def test_full_shrinkage_is_principal_components() -> None:
    views = draw()
    projection = fit_exemplars(views, components=8, shrinkage=1.0, dim=2)
    means = (views.mean(0) - views.mean((0, 1))).numpy()
    expected = np.linalg.svd(means, full_matrices=False)[2][:2].T
    ours = np.linalg.qr(projection.weight.numpy())[0]
    assert np.linalg.svd(ours.T @ expected)[1].min() > 0.999


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_images_give_few_directions(n: int) -> None:
    projection = fit_exemplars(draw(n=n), components=100, shrinkage=0.1, dim=64)
    assert 1 <= projection.weight.shape[1] <= max(1, n - 1)
    assert projection.weight.isfinite().all()


def test_views_that_never_differ_do_no_harm() -> None:
    views = draw(num_views=1).expand(4, -1, -1)
    projection = fit_exemplars(views, components=8, shrinkage=0.1, dim=4)
    assert projection(views[0]).isfinite().all()
    assert projection.weight.shape == (8, 4)
