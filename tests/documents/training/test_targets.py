from __future__ import annotations

import pytest
import torch

from farthing.documents.net.detector import points_of
from farthing.documents.training.targets import Objects, assign
from tests.reference.assignment import assign_page


def points() -> torch.Tensor:
    sizes = [torch.Size(size) for size in ((8, 6), (4, 3), (2, 2), (1, 1))]
    return points_of(sizes, device=torch.device("cpu"))[0]


def objects_of(*pages: list[tuple[tuple[float, float, float, float], int]], num_classes: int = 3) -> Objects:
    most = max(map(len, pages))
    boxes, labels = torch.zeros(len(pages), most, 4), torch.zeros(len(pages), most, dtype=torch.int64)
    is_real = torch.zeros(len(pages), most, dtype=torch.bool)
    for row, page in enumerate(pages):
        for place, (box, label) in enumerate(page):
            boxes[row, place], labels[row, place], is_real[row, place] = torch.tensor(box), label, True
    is_known = torch.ones(len(pages), num_classes, dtype=torch.bool)
    return Objects(boxes=boxes, labels=labels, is_real=is_real, is_known=is_known)


def guesses(centers: torch.Tensor, batch: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(batch, len(centers), 3, generator=generator)
    near = centers - 5 - 15 * torch.rand(batch, len(centers), 2, generator=generator)
    far = centers + 5 + 15 * torch.rand(batch, len(centers), 2, generator=generator)
    return scores, torch.cat([near, far], -1)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_plain_reference(seed: int) -> None:
    centers = points()
    pages = [
        [((4.0, 4.0, 30.0, 34.0), 0), ((20.0, 10.0, 46.0, 50.0), 2), ((30.0, 40.0, 33.0, 43.0), 1)],
        [((0.0, 0.0, 48.0, 64.0), 1)],
        [],
    ]
    scores, boxes = guesses(centers, len(pages), seed)
    assigned = assign(scores, boxes, centers, objects_of(*pages))
    for row, page in enumerate(pages):
        expected = assign_page(scores[row].tolist(), boxes[row].tolist(), [(x, y) for x, y in centers.tolist()], page)
        assert set(torch.nonzero(assigned.quality[row].sum(1)).flatten().tolist()) == set(expected)
        for point, (number, wanted) in expected.items():
            box, label = page[number]
            assert assigned.quality[row, point, label].item() == pytest.approx(wanted, rel=1e-3)
            assert assigned.boxes[row, point].tolist() == list(box)


def test_the_best_point_of_an_object_should_score_its_overlap() -> None:
    centers = points()
    scores, boxes = guesses(centers, 1, 0)
    boxes[0, 10] = torch.tensor([30.0, 8.0, 44.0, 20.0])  # its centre is (36, 12)
    objects = objects_of([((30.0, 8.0, 44.0, 20.0), 1)])
    assert assign(scores, boxes, centers, objects).quality[0, 10].tolist() == pytest.approx([0, 1, 0], abs=1e-5)


def test_an_object_between_the_points_is_found_by_one_near_it() -> None:
    centers = points()
    scores, boxes = guesses(centers, 1, 0)
    assigned = assign(scores, boxes, centers, objects_of([((23.5, 31.5, 24.5, 32.5), 0)]))
    taken = torch.nonzero(assigned.quality[0, :, 0]).flatten()
    assert len(taken) >= 1
    assert ((centers[taken] - torch.tensor([24.0, 32.0])).abs() <= 6).all()


def test_pages_without_objects_want_nothing() -> None:
    centers = points()
    scores, boxes = guesses(centers, 2, 0)
    assert assign(scores, boxes, centers, objects_of([], [])).quality.sum() == 0
