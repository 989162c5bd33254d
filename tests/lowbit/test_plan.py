"""Plans: which rule wins, JSON there and back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.base.errors import ConfigError
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec

FOUR = QuantSpec(bits=4)
PLAN = QuantPlan(
    rules=(
        QuantRule(pattern="top.0"),
        QuantRule(pattern="top.*", weight=FOUR, activation=QuantSpec(bits=8)),
        QuantRule(pattern="table", weight=QuantSpec(bits=2, granularity="group", group_starts=(0, 3))),
    )
)


@pytest.mark.parametrize(("name", "rule"), [("top.0", 0), ("top.2", 1), ("top.a.b", 1), ("table", 2), ("Table", None)])
def test_the_first_rule_that_matches_wins(name: str, rule: int | None) -> None:
    assert PLAN.rule_for(name) is (None if rule is None else PLAN.rules[rule])


def test_json_there_and_back() -> None:
    assert QuantPlan.from_json(json.loads(json.dumps(PLAN.to_json()))) == PLAN


@pytest.mark.parametrize(
    "value", [{"rules": [{"pattern": 3}]}, {"rules": [{}]}, {"rules": [{"pattern": "*", "weight": {"bits": 3}}]}, []]
)
def test_json_that_is_no_plan_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="quantization plan"):
        QuantPlan.from_json(value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bits": 4, "quantizer": "lqs"}, "quantizer: 'lqs' is none of lsq, minmax"),
        ({"bits": 1}, r"bits: 'lsq' offers \(8, 4, 2\), got 1; 1 are offered by sign-ste and"),
        ({"bits": 4, "granularity": "group"}, "group_starts: goes with granularity 'group'"),
        ({"bits": 4, "group_starts": (0, 4)}, "group_starts: goes with granularity 'group'"),
        ({"bits": 4, "granularity": "group", "group_starts": ()}, "strictly ascending from 0"),
        ({"bits": 4, "granularity": "group", "group_starts": (1, 4)}, "strictly ascending from 0"),
        ({"bits": 4, "granularity": "group", "group_starts": (0, 4, 4)}, "strictly ascending from 0"),
    ],
)
def test_specs_that_make_no_sense_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        QuantSpec(**fields)


def test_an_activation_needs_a_weight() -> None:
    with pytest.raises(ConfigError, match=r"rule 'top': an activation is quantized only together with the weight"):
        QuantRule(pattern="top", activation=FOUR)
