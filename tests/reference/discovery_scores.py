"""Accuracy of found classes, told slowly: every way to match classes is tried. All best ways are kept, for there may
be several, and figures beyond the first may depend on which is taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import permutations

Figures = dict[str, Fraction | None]


def best_matchings(labels: Sequence[str], found: Sequence[str]) -> list[dict[str, str]]:
    """Every mapping of true classes to found ones, each used once, that makes most images right."""
    classes = sorted(set(labels))
    clusters: list[str] = sorted(set(found) - {""})
    clusters += [f"nothing {number}" for number in range(len(classes))]
    ways = [dict(zip(classes, way, strict=True)) for way in permutations(clusters, len(classes))]
    rights = [sum(way[label] == name for label, name in zip(labels, found, strict=True)) for way in ways]
    return [way for way, right in zip(ways, rights, strict=True) if right == max(rights)]


def figures(
    labels: Sequence[str], found: Sequence[str], *, known: Collection[str], sizes: Mapping[str, int]
) -> Iterator[Figures]:
    """All figures, for every best matching."""
    for way in best_matchings(labels, found):
        pairs = list(zip(labels, found, strict=True))
        recall = {
            one: Fraction(sum(label == one and way[one] == name for label, name in pairs), list(labels).count(one))
            for one in set(labels)
        }

        def mean(classes: Sequence[str], recall: Mapping[str, Fraction] = recall) -> Fraction | None:
            return sum((recall[one] for one in classes), Fraction(0)) / len(classes) if classes else None

        def share(
            is_wanted: dict[str, bool], way: Mapping[str, str] = way, pairs: Sequence[tuple[str, str]] = pairs
        ) -> Fraction | None:
            wanted = [(label, name) for label, name in pairs if is_wanted[label]]
            return Fraction(sum(way[label] == name for label, name in wanted), len(wanted)) if wanted else None

        is_known = {one: one in known for one in labels}
        is_new = {one: one not in known for one in labels}
        out: Figures = {
            "all": share(dict.fromkeys(labels, True)),
            "old": share(is_known),
            "new": share(is_new),
            "balanced": mean(sorted(recall)),
        }
        for name, wanted in (("old", is_known), ("new", is_new)):
            group = sorted(sorted(one for one in recall if wanted[one]), key=lambda one: -sizes[one])
            out[f"balanced_{name}"] = mean(group)
            one_third, two_thirds = round(len(group) / 3), round(2 * len(group) / 3)
            out[f"{name}_many"] = mean(group[:one_third])
            out[f"{name}_medium"] = mean(group[one_third:two_thirds])
            out[f"{name}_few"] = mean(group[two_thirds:])
        named = [label == name for label, name in pairs if label in known]
        out["named_old"] = Fraction(sum(named), len(named)) if named else None
        yield out
