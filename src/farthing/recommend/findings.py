"""What a comparison found, in one sentence and a few figures, computed from its rows."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.results import headlines
from farthing.results.headlines import Headline, Quality, Shown
from farthing.results.tables import Row, four_decimals, whole

# Three seeds do not resolve a smaller difference: their spread is .0005-.0009.
AUC = Quality(key="auc", name="AUC", format=four_decimals, tolerance=0.001)
SHOWN = (
    Shown(key="auc", label="Test AUC", format=four_decimals),
    Shown(key="size_mb", label="Model size, MB", format=lambda value: f"{value:.3g}"),
    Shown(key="p50_us_1", label="Time for one row, \u00b5s", format=whole),
    Shown(key="rows_per_second_2048", label="Rows per second, 2,048 at once", format=whole),
)


def find_headline(rows: Sequence[Row]) -> Headline:
    """The smallest row whose AUC is within the tolerance of full precision, or what there is instead."""
    return headlines.find_headline(rows, AUC, SHOWN)
