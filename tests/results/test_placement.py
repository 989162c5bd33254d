"""Names do not cover each other, their marks, or the edge."""

from __future__ import annotations

import random

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from farthing.results.placement import Mark, place_names


def boxes_of(marks: list[Mark], line: list[tuple[float, float]]) -> tuple[list[tuple[str, object]], Figure]:
    figure = Figure(figsize=(10, 5), dpi=72)
    axes = figure.add_axes((0.1, 0.1, 0.85, 0.8))
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    place_names(figure, axes, marks, line=line, color="black")
    texts = [child for child in axes.get_children() if isinstance(child, Annotation)]
    return [(text.get_text(), text.get_window_extent()) for text in texts], figure


@pytest.mark.parametrize("seed", range(5))
def test_eight_scattered_names_are_apart_and_inside(seed: int) -> None:
    numbers = random.Random(seed)
    marks = []
    for index in range(8):
        x, y = numbers.uniform(0.5, 9.5), numbers.uniform(0.5, 9.5)
        marks.append(Mark(f"model-{index}", x, y - 0.1, y, y + 0.1))
    boxes, figure = boxes_of(marks, [])
    inside = figure.axes[0].get_window_extent()
    for index, (_, box) in enumerate(boxes):
        assert inside.x0 <= box.x0 <= box.x1 <= inside.x1  # type: ignore[attr-defined]
        assert inside.y0 <= box.y0 <= box.y1 <= inside.y1  # type: ignore[attr-defined]
        assert not any(box.overlaps(other) for _, other in boxes[index + 1 :])  # type: ignore[attr-defined]


def test_crowded_names_are_apart() -> None:
    marks = [Mark(name, 5 + shift, 5, 5, 5) for name, shift in (("fp32", 0.0), ("int8", 0.1), ("int4", -0.1))]
    boxes, _ = boxes_of(marks, [])
    assert not any(
        box.overlaps(other)  # type: ignore[attr-defined]
        for index, (_, box) in enumerate(boxes)
        for _, other in boxes[index + 1 :]
    )


def test_a_lonely_name_is_at_its_marks_right_unless_a_line_is_there() -> None:
    mark = Mark("int4", 5, 5, 5, 5)
    for line, is_right in (([], True), ([(5.0, 5.0), (9.0, 5.0)], False)):
        boxes, figure = boxes_of([mark], line)
        x = figure.axes[0].transData.transform((5, 5))[0]
        assert (boxes[0][1].x0 > x) == is_right  # type: ignore[attr-defined]
