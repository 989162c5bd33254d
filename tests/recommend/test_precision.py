from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.recommend.config import Precision
from farthing.recommend.precision import build_model, build_plan, scale_groups
from farthing.recommend.presets import PRESETS


def test_bands_by_hand() -> None:
    """Fields of 3, 16, 17 and 100 rows start at 0, 3, 19 and 36; the last two have more bands, but not at 1 bit."""
    assert scale_groups((3, 16, 17, 100), 4) == (0, 3, 19, 35, 36, 52, 100)
    assert scale_groups((3, 16, 17, 100), 1) == (0, 3, 19, 36)


@given(table_rows=st.lists(st.integers(1, 5000), min_size=1, max_size=6))
def test_bands_never_cross_fields(table_rows: list[int]) -> None:
    bands = scale_groups(table_rows, 2)
    starts = {sum(table_rows[:field]) for field in range(len(table_rows))}
    assert starts <= set(bands)
    assert list(bands) == sorted(set(bands))
    assert bands[-1] < sum(table_rows)


@pytest.mark.parametrize("name", PRESETS)
def test_every_part_has_one_rule(name: str) -> None:
    """The embedding and every linear layer appear once; full precision has no rule at all."""
    config = PRESETS[name]()
    model = build_model(num_dense=3, table_rows=(5, 40), model=config.model, precision=Precision())
    rules = build_plan(config.precision, model).rules
    linears = [f"bottom.linear{i}" for i in range(4)] + [f"top.linear{i}" for i in range(3)]
    assert [rule.pattern for rule in rules] == ([] if name == "fp32" else ["embedding", *linears])
