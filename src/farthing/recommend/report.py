"""A finished comparison as one web page: `compare.json` and `curves.json` in, `report.html` out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any  # Any: curves.json mixes curves and the data summary; each is read by its own function

from markupsafe import Markup

from farthing.base.errors import FormatError
from farthing.base.files import read_json
from farthing.recommend.findings import Row, find_headline, number
from farthing.recommend.reporttable import operations_table, results_table, used_columns
from farthing.results.charts import Point, Series, line_chart, point_chart
from farthing.results.webpages import write_page

REPORT_FILE = "report.html"
_REQUIRED = ("auc", "size_mb")
_COLOR_OF_BITS = {32: "series-1", 8: "series-2", 4: "series-3", 2: "series-4", 1: "series-5"}
_OTHER_COLOR = "series-6"
_LEAST_BIN_ROWS = 20


def write_report(folder: Path) -> Path:
    """Writes `folder/report.html` from `folder/compare.json` and `folder/curves.json`; returns its path.

    Raises:
        FormatError: one of the two is missing, is not JSON, or a row lacks its name, AUC or size.
        DataError: the folder cannot be written.
    """
    rows = _read_rows(folder / "compare.json")
    curves = read_json(folder / "curves.json", dict[str, dict[str, Any]])
    data = curves.pop("data", {})
    looks = _looks(rows)
    values = {
        "headline": find_headline(rows),
        "facts": _facts(data, rows),
        "legend": [{"name": row["name"]} | looks[str(row["name"])] for row in rows],
        "table": results_table(rows, looks),
        "operations": operations_table(rows, looks),
        "notes": used_columns(rows),
        "size_charts": _size_charts(rows, looks),
        "curve_charts": _curve_charts(curves, looks),
        "least_bin_rows": _LEAST_BIN_ROWS,
    }
    return write_page(folder / REPORT_FILE, "compare.html", values)


def _read_rows(path: Path) -> list[Row]:
    rows = read_json(path, list[Row])
    if not rows:
        raise FormatError(f"{path}: must hold at least one row, got none")
    for index, row in enumerate(rows):
        if not isinstance(row.get("name"), str):
            raise FormatError(f"{path}: row {index} must have a name, got {row.get('name')!r}")
        for key in _REQUIRED:
            if number(row, key) is None:
                raise FormatError(f"{path}: row {row['name']!r} must have a number {key}, got {row.get(key)!r}")
    return rows


def _looks(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Each row's colour (by its bits) and dash (0 for the first row of these bits, then 1, 2)."""
    seen: Counter[Any] = Counter()
    looks: dict[str, dict[str, Any]] = {}
    for row in rows:
        bits = row.get("bits")
        color = _COLOR_OF_BITS.get(bits, _OTHER_COLOR) if isinstance(bits, int) else _OTHER_COLOR
        looks[str(row["name"])] = {"color": color, "dash": min(seen[bits], 2)}
        seen[bits] += 1
    return looks


def _facts(data: Mapping[str, Any], rows: Sequence[Row]) -> list[tuple[str, str]]:
    """What the data summary says, as label and text; what it does not know it shows as it is."""
    rest = dict(data)
    facts: list[tuple[str, str]] = []
    splits = rest.pop("rows", None)
    if isinstance(splits, dict):
        facts.append(("Rows", ", ".join(f"{count:,} {name}" for name, count in splits.items())))
    columns = [(rest.pop("num_dense", None), "numeric"), (rest.pop("num_fields", None), "categorical")]
    if any(count is not None for count, _ in columns):
        facts.append(("Columns", ", ".join(f"{count} {kind}" for count, kind in columns if count is not None)))
    ids = rest.pop("num_ids", None)
    if isinstance(ids, int):
        facts.append(("Distinct ids", f"{ids:,}"))
    cut = rest.pop("min_count", None)
    if isinstance(cut, int):
        facts.append(("Frequency cut", f"ids seen fewer than {cut} times share a row" if cut > 1 else "none"))
    seeds = rest.pop("seeds", rows[0].get("seeds"))
    facts.append(("Seeds", str(seeds)))
    for name, value in rest.items():
        if value not in (None, "", [], {}):
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            facts.append((name.replace("_", " ").capitalize(), text))
    return facts


def _size_charts(rows: Sequence[Row], looks: Mapping[str, Mapping[str, Any]]) -> dict[str, Markup]:
    """AUC against bytes, drawn once for wide and once for narrow pages."""
    points = [
        Point(
            name=str(row["name"]),
            x=number(row, "size_mb") or 0.0,
            y=number(row, "auc") or 0.0,
            error=number(row, "auc_std") or 0.0,
            color=looks[str(row["name"])]["color"],
            is_hollow=looks[str(row["name"])]["dash"] > 0,
        )
        for row in rows
    ]
    sizes = {"wide": (1000, 420), "narrow": (380, 400)}
    return {
        name: point_chart(
            points, title="AUC against model size", x_label="model size, MB", y_label="test AUC", size=size
        )
        for name, size in sizes.items()
    }


def _curve_charts(curves: Mapping[str, Mapping[str, Any]], looks: Mapping[str, Mapping[str, Any]]) -> dict[str, Markup]:
    """The four charts of curves; one without any curve is left out."""
    known = {name: curve for name, curve in curves.items() if name in looks}

    def lines(kind: str, x: int, y: int, *, scale: float = 1.0, faint: bool = False) -> list[Series]:
        found = []
        for name, curve in known.items():
            points = [point for point in curve.get(kind, []) if point[y] is not None]
            if points:
                look = looks[name]
                xs, ys = [scale * point[x] for point in points], [point[y] for point in points]
                found.append(Series(x=xs, y=ys, color=look["color"], dash=look["dash"], is_faint=faint))
        return found

    charts: dict[str, tuple[list[Series], str, str, str, bool]] = {
        "roc": (lines("roc", 0, 1), "ROC", "false positive rate", "true positive rate", True),
        "calibration": (
            _calibration(known, looks),
            "Calibration",
            "predicted probability",
            "observed click rate",
            True,
        ),
        "auc": (lines("training", 0, 1, scale=1e-6), "Validation AUC", "million rows seen", "validation AUC", False),
        "loss": (
            [*lines("training", 0, 3, scale=1e-6, faint=True), *lines("training", 0, 2, scale=1e-6)],
            "Log loss",
            "million rows seen",
            "log loss (validation; pale: training)",
            False,
        ),
    }
    return {
        key: line_chart(series, title=title, x_label=x_label, y_label=y_label, diagonal=diagonal)
        for key, (series, title, x_label, y_label, diagonal) in charts.items()
        if series
    }


def _calibration(curves: Mapping[str, Mapping[str, Any]], looks: Mapping[str, Mapping[str, Any]]) -> list[Series]:
    """One line per model over its bins with enough rows; a mark's area grows with the bin's share of the rows."""
    found = []
    for name, curve in curves.items():
        bins = [point for point in curve.get("calibration", []) if point[2] >= _LEAST_BIN_ROWS]
        total = sum(count for *_, count in bins)
        if bins:
            mean, share, count = zip(*bins, strict=True)
            areas = [6 + 120 * rows / total for rows in count]
            look = looks[name]
            found.append(Series(x=mean, y=share, color=look["color"], dash=look["dash"], areas=areas))
    return found
