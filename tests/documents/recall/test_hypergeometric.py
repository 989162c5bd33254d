from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.recall.hypergeometric import log_factorial, lower_tail, pmf


def _exact(x: int, total: int, marked: int, drawn: int) -> float:
    """From integers, one division at the end."""
    if not (0 <= x <= marked and 0 <= drawn - x <= total - marked):
        return 0.0
    return math.comb(marked, x) * math.comb(total - marked, drawn - x) / math.comb(total, drawn)


def test_by_hand() -> None:
    # Two of five balls are marked, two are drawn: 3/10, 6/10, 1/10.
    assert pmf([0, 1, 2], total=5, marked=2, drawn=2) == pytest.approx([0.3, 0.6, 0.1])
    assert lower_tail([-1, 0, 1, 2, 9], total=5, marked=2, drawn=2) == pytest.approx([0, 0.3, 0.9, 1, 1])


@given(st.integers(1, 300), st.data())
def test_equal_to_integer_arithmetic(total: int, data: st.DataObject) -> None:
    marked, drawn = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    x = data.draw(st.integers(-1, drawn + 1))
    assert pmf(x, total=total, marked=marked, drawn=drawn) == pytest.approx(
        _exact(x, total, marked, drawn), rel=1e-9, abs=1e-15
    )
    tail = sum(_exact(value, total, marked, drawn) for value in range(x + 1))
    assert lower_tail(x, total=total, marked=marked, drawn=drawn) == pytest.approx(tail, rel=1e-9, abs=1e-14)


def test_large_collections_keep_their_digits() -> None:
    # Binomial(200, 0.1), the limit of very many balls: P(X <= 10) = 0.00807.
    limit = sum(math.comb(200, x) * 0.1**x * 0.9 ** (200 - x) for x in range(11))
    found = lower_tail(10, total=10**9, marked=10**8, drawn=200)
    assert found == pytest.approx(limit, rel=1e-4)
    assert pmf(np.arange(201), total=10**6, marked=10**5, drawn=200).sum() == pytest.approx(1, abs=1e-7)


def test_log_factorial_where_table_and_series_meet() -> None:
    n = np.array([0, 1, 2, 10, 31, 32, 33, 170, 10**6])
    assert log_factorial(n) == pytest.approx([math.lgamma(value + 1) for value in n.tolist()], rel=1e-14, abs=1e-14)
