"""Task-aligned assignment, point by point and object by object, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

Box = Sequence[float]


def overlap(a: Box, b: Box) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def assign_page(
    scores: Sequence[Sequence[float]],
    boxes: Sequence[Box],
    centers: Sequence[tuple[float, float]],
    objects: Sequence[tuple[Box, int]],
    *,
    num_points: int = 10,
    least_side: float = 12.0,
) -> dict[int, tuple[int, float]]:
    """{point: (object, wanted score)} of one page."""
    fits = [
        [scores[p][label] ** 0.5 * overlap(box, boxes[p]) ** 6 for p in range(len(boxes))] for box, label in objects
    ]
    wanting: dict[int, list[int]] = {}
    for number, (box, _) in enumerate(objects):
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        half_w, half_h = max(box[2] - box[0], least_side) / 2, max(box[3] - box[1], least_side) / 2
        inside = [p for p, (cx, cy) in enumerate(centers) if abs(cx - x) <= half_w and abs(cy - y) <= half_h]
        for point in sorted(inside, key=lambda p: -fits[number][p])[:num_points]:
            wanting.setdefault(point, []).append(number)
    owner = {p: max(numbers, key=lambda n: overlap(objects[n][0], boxes[p])) for p, numbers in wanting.items()}
    wanted = {}
    for point, number in owner.items():
        mine = [p for p, other in owner.items() if other == number]
        best_fit = max(fits[number][p] for p in mine)
        best_overlap = max(overlap(objects[number][0], boxes[p]) for p in mine)
        wanted[point] = (number, fits[number][point] / best_fit * best_overlap)
    return wanted
