"""A finished comparison as one web page: `compare.json` and `curves.json` in, `report.html` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any  # Any: the data summary, whose entries are shown as they are

import msgspec
from markupsafe import Markup

from farthing.base.errors import FormatError
from farthing.base.files import read_json
from farthing.recommend.findings import find_headline
from farthing.recommend.reporttable import MEANINGS, operations_table, results_table
from farthing.results.charts import Series, line_chart
from farthing.results.looks import Axes, Look, Looks, looks_by_bits, row_chart
from farthing.results.tables import ABOUT_TABLE, Row, read_rows
from farthing.results.webpages import write_page

REPORT_FILE = "report.html"
_LEAST_BIN_ROWS = 20
_SIZE_CHARTS = {"wide": (1000, 420), "narrow": (380, 400)}
_AUC_BY_SIZE = Axes(x="size_mb", y="auc", title="AUC against model size", x_label="model size, MB", y_label="test AUC")


class Curve(msgspec.Struct, frozen=True):
    """What `curves.json` says about one model.

    Attributes:
        roc: (false positive rate, true positive rate) pairs.
        calibration: (mean prediction, share of positives, rows) of each bin.
        training: (rows seen, validation AUC, validation log loss, training loss) of each evaluation.
    """

    roc: list[tuple[float, float]] = []
    calibration: list[tuple[float, float, float]] = []
    training: list[tuple[float, float | None, float | None, float | None]] = []


def write_report(folder: Path) -> Path:
    """Writes `folder/report.html` from `folder/compare.json` and `folder/curves.json`; returns its path.

    Raises:
        FormatError: one of the two is missing, is not JSON, or a row lacks its name, AUC or size.
        DataError: the folder cannot be written.
    """
    rows = read_rows(folder / "compare.json", positive=("auc", "size_mb"))
    curves, data = _read_curves(folder / "curves.json")
    looks = looks_by_bits(rows)
    values = {
        "command": "farthing recommend compare",
        "subject": "Model",
        "about_table": ABOUT_TABLE,
        "headline": find_headline(rows),
        "facts": _facts(data, rows),
        "looks": looks,
        "table": results_table(rows),
        "operations": operations_table(rows),
        "meanings": MEANINGS,
        "size_charts": {name: row_chart(rows, looks, _AUC_BY_SIZE, size=size) for name, size in _SIZE_CHARTS.items()},
        "curve_charts": _curve_charts(curves, looks),
        "least_bin_rows": _LEAST_BIN_ROWS,
    }
    return write_page(folder / REPORT_FILE, "compare.html", values)


def _read_curves(path: Path) -> tuple[dict[str, Curve], dict[str, Any]]:
    """The curves of each model, and the data summary."""
    entries = read_json(path, dict[str, msgspec.Raw])
    data = entries.pop("data", msgspec.Raw(b"{}"))
    try:
        curves = {name: msgspec.json.decode(entry, type=Curve) for name, entry in entries.items()}
        return curves, msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise FormatError(f"{path}: not what farthing writes ({error})") from error


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


def _curve_charts(curves: Mapping[str, Curve], looks: Looks) -> dict[str, Markup]:
    """The charts of ROC, calibration, validation AUC and log loss; one without any curve is left out."""
    pairs = [(curve, looks[name]) for name, curve in curves.items() if name in looks]
    roc = [_line(curve.roc, 0, 1, look) for curve, look in pairs]
    auc = [_line(curve.training, 0, 1, look) for curve, look in pairs]
    loss = [_line(curve.training, 0, 3, look, is_faint=True) for curve, look in pairs]
    loss += [_line(curve.training, 0, 2, look) for curve, look in pairs]
    calibration = [_calibration(curve, look) for curve, look in pairs]
    rows = "rows seen"
    charts = {
        "roc": (roc, "ROC", "false positive rate", "true positive rate"),
        "calibration": (calibration, "Calibration", "predicted probability", "observed click rate"),
        "auc": (auc, "Validation AUC", rows, "validation AUC"),
        "loss": (loss, "Log loss", rows, "log loss (validation; pale: training)"),
    }
    drawn = {}
    for key, (lines, title, x_label, y_label) in charts.items():
        series = [line for line in lines if line.x]
        if series:
            diagonal = key in ("roc", "calibration")
            drawn[key] = line_chart(series, title=title, x_label=x_label, y_label=y_label, diagonal=diagonal)
    return drawn


def _line(points: Sequence[Sequence[float | None]], x: int, y: int, look: Look, *, is_faint: bool = False) -> Series:
    """The points' columns `x` and `y` as a line; points without both are left out."""
    pairs = [(point[x], point[y]) for point in points]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    xs, ys = [a for a, _ in known], [b for _, b in known]
    return Series(x=xs, y=ys, color=look.color, dash=look.dash, is_faint=is_faint)


def _calibration(curve: Curve, look: Look) -> Series:
    """The bins with enough rows; a mark's area grows with the bin's share of the rows."""
    bins = [point for point in curve.calibration if point[2] >= _LEAST_BIN_ROWS]
    total = sum(count for *_, count in bins)
    return Series(
        x=[mean for mean, _, _ in bins],
        y=[share for _, share, _ in bins],
        areas=[6 + 120 * count / total for *_, count in bins],
        color=look.color,
        dash=look.dash,
    )
