"""Descriptions equal Coates and Ng's formulas, written out patch by patch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from farthing.discover.dictionary import Dictionary, learn_dictionary


def draw_images(n: int = 30, *, channels: int = 1, height: int = 10, width: int = 8, seed: int = 0) -> Tensor:
    return 255 * torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(seed))


def learn(images: Tensor, *, patch: int = 4, atoms: int = 6, grid: int = 2, seed: int = 0) -> Dictionary:
    return learn_dictionary(images, patch=patch, atoms=atoms, grid=grid, generator=torch.Generator().manual_seed(seed))


def by_definition(image: np.ndarray, dictionary: Dictionary) -> np.ndarray:
    """The description of one image [channels, h, w] with loops over places and cells."""
    size, grid = dictionary.patch, dictionary.grid
    mean, whitening = dictionary.mean.double().numpy(), dictionary.whitening.double().numpy()
    atoms = dictionary.atoms.double().numpy()
    rows, columns = image.shape[1] - size + 1, image.shape[2] - size + 1
    maps = np.zeros((len(atoms), rows, columns))
    for row in range(rows):
        for column in range(columns):
            x = image[:, row : row + size, column : column + size].astype(np.float64).ravel()
            x = (x - x.mean()) / np.sqrt(x.var() + 10)
            z = np.linalg.norm(whitening @ (x - mean) - atoms, axis=1)
            maps[:, row, column] = np.maximum(0, z.mean() - z)
    cells = np.zeros((len(atoms), grid, grid))
    for i in range(grid):
        for j in range(grid):
            top, bottom = i * rows // grid, -(-(i + 1) * rows // grid)
            left, right = j * columns // grid, -(-(j + 1) * columns // grid)
            cells[:, i, j] = maps[:, top:bottom, left:right].mean((1, 2))
    return np.sqrt(cells).ravel()


def test_descriptions_are_the_formulas() -> None:
    for channels, grid in ((1, 2), (3, 3)):
        images = draw_images(channels=channels)
        dictionary = learn(images, grid=grid)
        described = dictionary.describe(images[:3])
        expected = [by_definition(image.numpy(), dictionary) for image in images[:3]]
        np.testing.assert_allclose(described.numpy(), np.stack(expected), atol=2e-3)


def test_light_and_contrast_hardly_matter() -> None:
    images = draw_images()
    dictionary = learn(images)
    plain, bright = dictionary.describe(images), dictionary.describe(images * 0.5 + 60)
    other = dictionary.describe(draw_images(seed=1))
    assert (plain - bright).norm() < 0.05 * (plain - other).norm()


def test_whitened_patches_have_unit_covariance() -> None:
    images = draw_images(400)
    dictionary = learn(images)
    patches = images[:, 0, 2:6, 3:7].flatten(1)
    patches = patches - patches.mean(1, keepdim=True)
    patches /= (patches.square().mean(1, keepdim=True) + 10).sqrt()
    whitened = (patches - dictionary.mean) @ dictionary.whitening
    variances = torch.linalg.eigvalsh(whitened.T @ whitened / len(whitened))
    assert variances[0] < 0.01  # the mean of a patch was taken out
    assert 0.5 < variances[1] < variances[-1] < 1.5


def test_atoms_are_what_patches_look_like() -> None:
    """Images of stripes in two directions: whitened patches fall into few groups, and atoms sit in them."""
    stripes = torch.zeros(40, 1, 8, 8)
    stripes[:20, :, ::2], stripes[20:, :, :, ::2] = 255, 255
    dictionary = learn(stripes, atoms=4, grid=1)
    horizontal, vertical = dictionary.describe(stripes[:1]), dictionary.describe(stripes[20:21])
    torch.testing.assert_close(dictionary.describe(stripes[1:2]), horizontal)
    assert (horizontal - vertical).norm() > 0.5 * horizontal.norm()


def test_flat_images_are_described_too() -> None:
    flat = torch.full((3, 1, 9, 9), 200.0)
    assert learn(flat).describe(flat).isfinite().all()


def test_the_seed_decides() -> None:
    images = draw_images()
    assert torch.equal(learn(images).atoms, learn(images).atoms)
    assert not torch.equal(learn(images).atoms, learn(images, seed=1).atoms)


def test_more_atoms_than_patches_repeat_some() -> None:
    dictionary = learn(draw_images(1), atoms=60)
    assert dictionary.describe(draw_images(1)).shape == (1, 240)
