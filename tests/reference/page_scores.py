"""How good a page filter is, told slowly: rankings as sorted lists, overlaps box by box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

Box = tuple[float, float, float, float]
Found = Sequence[tuple[str, Box, float]]  # class, box, score
Truth = Sequence[tuple[str, Box]]


def ranking_area(ranked: Sequence[bool], positives: int) -> Fraction:
    """At every right place: the best precision there or further down, averaged over all positives."""
    precisions = [Fraction(sum(ranked[: place + 1]), place + 1) for place in range(len(ranked))]
    return sum((max(precisions[place:]) for place, hit in enumerate(ranked) if hit), Fraction(0)) / positives


def overlap(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def judge(pages: Mapping[str, tuple[Found, Truth]], name: str, ignored: str | None) -> dict[str, float]:
    kept = {
        page: value
        for page, value in pages.items()
        if name in [label for label, _ in value[1]] or ignored not in [label for label, _ in value[1]]
    }
    best = {
        page: max((score for label, _, score in found if label == name), default=0.0)
        for page, (found, _) in kept.items()
    }
    ranked_pages = sorted(kept, key=lambda page: -best[page])
    is_positive = [name in [label for label, _ in kept[page][1]] for page in ranked_pages]
    total = sum(is_positive)
    needed = next(n for n in range(1, len(ranked_pages) + 1) if sum(is_positive[:n]) >= 0.95 * total)
    boxes = [(score, page, box) for page, (found, _) in kept.items() for label, box, score in found if label == name]
    taken: set[tuple[str, int]] = set()
    hits = []
    for _, page, box in sorted(boxes, key=lambda item: -item[0]):
        objects = [other for label, other in kept[page][1] if label == name]
        overlaps = [overlap(box, other) for other in objects]
        place = overlaps.index(max(overlaps)) if overlaps else -1
        hit = bool(overlaps) and max(overlaps) >= 0.5 and (page, place) not in taken
        harmless = any(label == ignored and overlap(box, other) >= 0.5 for label, other in kept[page][1])
        if hit:
            taken.add((page, place))
        if hit or not harmless:
            hits.append(hit)
    objects_in_all = sum(label == name for _, truth in kept.values() for label, _ in truth)
    return {
        "page_ap": float(ranking_area(is_positive, total)),
        "precision_at_95": sum(is_positive[:needed]) / needed,
        "kept_at_95": needed / len(ranked_pages),
        "ap50": float(ranking_area(hits, objects_in_all)),
    }
