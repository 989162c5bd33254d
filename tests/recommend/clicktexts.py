"""Lines of click logs, clean ones and odd ones, and what tests of their readers share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hypothesis import strategies as st

from farthing.recommend.layout import Layout
from farthing.recommend.logfiles import TextBlock
from farthing.recommend.rejects import BadRow, RejectLog
from farthing.recommend.schema import Field, LogSchema

NAMES = ("label", "n", "m", "a", "b")
TSV = Layout("criteo", NAMES, "\t")
CSV = Layout("csv", NAMES, ",")
SCHEMA = LogSchema(
    format="criteo",
    separator="\t",
    label="label",
    dense=("n", "m"),
    fields=(Field(name="a", column="a"), Field(name="b", column="b")),
)

INTEGERS = ("", "0", "-0", "1", "007", "-12", "4095", "4096", "99999999", "123456789", "16777217", "9007199254740993")
EXTREMES = ("123456789012345678901", "3.4028235e38", "3.4028236e38", "1e39", "1e-40", "1e-46", "1e-50")
NUMBERS = st.one_of(
    st.sampled_from((*INTEGERS, "0.1", "-2.25", "0.30000001192092896", "1e5", "1E+2", "1e-3", *EXTREMES)),
    st.integers(-(10**9), 10**9).map(str),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
)
WORDS = ("inf", "-inf", "nan", "NaN", "ten", "0x10", "\uff11", "\u00a01", "\0", "\0001", "1\r", " 7", "7 ")
UNFINISHED = ("-", "+5", "5.", ".5", "-.5", "1_0", "--1", "1e", "1e+", "1.e5", "1.5.2", "1,5", "1;5")
ODD_NUMBERS = st.sampled_from((*WORDS, *UNFINISHED))
VALUE_TEXTS = st.one_of(
    st.sampled_from(["", "x", "68fd1e64", "a value of many bytes", "a value of many bytes!", "12345678", "123456789"]),
    st.text(st.sampled_from("x\u00e9 \0;1"), max_size=20),
)
LINES = st.tuples(st.sampled_from(["0", "1", "", "2", "no"]), NUMBERS, NUMBERS, VALUE_TEXTS, VALUE_TEXTS)
ODD_LINES = st.one_of(
    st.tuples(st.just("1"), ODD_NUMBERS, NUMBERS, VALUE_TEXTS, VALUE_TEXTS),
    st.lists(VALUE_TEXTS, max_size=7).map(tuple),
    st.tuples(
        st.just("1"), NUMBERS, NUMBERS, VALUE_TEXTS, st.sampled_from(["\r", "x\r", "\ry", 'x"', '"x"', "\ufeff"])
    ),
)


class Collected(RejectLog):
    """Bad rows in a list; any number of them."""

    def __init__(self) -> None:
        super().__init__(None, max_bad=1.0)
        self.rows: list[tuple[int, str, str]] = []

    def add(self, rows: Iterable[BadRow]) -> None:
        self.rows += [(row.line, row.reason, row.text) for row in rows]


def block_of(text: bytes) -> TextBlock:
    return TextBlock(Path(__file__), 1, text.count(b"\n"), text, 0)
