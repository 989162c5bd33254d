"""Encoding a click log with dictionaries and loops, one row at a time; it shares no code with the package."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass


@dataclass
class LogRow:
    """A row as it is meant: its split, label, numbers (None = missing) and the values of each field."""

    split: str
    label: int
    dense: list[float | None]
    fields: list[list[str]]


@dataclass
class Encoded:
    """Per split, in order: label, numbers and ids of each row; per field: its values with their counts, by id."""

    rows: dict[str, list[tuple[int, list[float], list[list[int]]]]]
    vocabularies: list[list[tuple[str, int]]]


def prepare(rows: list[LogRow]) -> Encoded:
    """Encodes `rows`, which have one number of dense columns and fields."""
    train = [row for row in rows if row.split == "train"]
    vocabularies = []
    for field in range(len(rows[0].fields)):
        counts = Counter(value for row in train for value in row.fields[field])
        by_rank = sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))
        vocabularies.append(by_rank)
    ids = [{value: rank + 2 for rank, (value, _) in enumerate(values)} for values in vocabularies]
    statistics = [_statistics([row.dense[column] for row in train]) for column in range(len(rows[0].dense))]
    encoded: dict[str, list[tuple[int, list[float], list[list[int]]]]] = {"train": [], "valid": [], "test": []}
    for row in rows:
        dense = []
        for number, (mean, std) in zip(row.dense, statistics, strict=True):
            dense.append(0.0 if number is None else (_log(number) - mean) / std)
        bags = [[known.get(value, 0) for value in values] or [1] for known, values in zip(ids, row.fields, strict=True)]
        encoded[row.split].append((row.label, dense, bags))
    return Encoded(encoded, vocabularies)


def _log(number: float) -> float:
    return math.copysign(math.log(1 + abs(number)), number)


def _statistics(numbers: list[float | None]) -> tuple[float, float]:
    known = [_log(number) for number in numbers if number is not None]
    if not known:
        return 0.0, 1.0
    mean = sum(known) / len(known)
    variance = sum((number - mean) ** 2 for number in known) / len(known)
    return mean, math.sqrt(variance) if len(set(known)) > 1 else 1.0
