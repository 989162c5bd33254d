"""The tables of the report: which columns there are, and how each value was measured."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.results.headlines import reference_row
from farthing.results.tables import Column, Row, Table, four_decimals, make_table, number, three_digits, whole

MEANINGS = {
    "fp32": "full precision",
    "int8": "8-bit embeddings, W8A8 network",
    "int4": "4-bit embeddings, W4A8 network",
    "int2": "2-bit embeddings, W4A8 network",
    "binary": "1-bit embeddings, W1A1 network",
    "fp32-distilled": "full precision with a teacher, as the rounded rows have",
    "fp32-unfiltered": "full precision, a row for every id",
    "int4-ptq": "fp32, rounded after training",
    "seed-binary": "sign embeddings and top network, every id",
}


COLUMNS = (
    Column(
        key="auc",
        title="AUC",
        format=four_decimals,
        better="high",
        relation="difference",
        note="Area under the ROC curve on the test split, scored with the packed model: the mean over seeds.",
    ),
    Column(
        key="gauc",
        title="gAUC",
        format=four_decimals,
        better="high",
        note="AUC within each group, such as a user, averaged with the groups' rows as weights. Groups of one class "
        "are left out.",
    ),
    Column(
        key="size_mb",
        title="Size, MB",
        format=three_digits,
        better="low",
        relation="ratio",
        note="Bytes of the model on disk / 1e6, really packed; the vocabulary is not counted.",
    ),
    Column(
        key="embedding_mb",
        title="Embeddings, MB",
        format=three_digits,
        better="low",
        note="The part of the size that is embedding codes and their scales.",
    ),
    Column(
        key="log_loss",
        title="Log loss",
        format=four_decimals,
        better="low",
        note="Mean negative log-likelihood, natural logarithm.",
    ),
    Column(
        key="accuracy",
        title="Accuracy",
        format=four_decimals,
        better="high",
        note="Share of test rows on the right side of 0.5.",
    ),
    Column(
        key="ece",
        title="ECE",
        format=four_decimals,
        better="low",
        note="Expected calibration error: mean distance between predicted and observed click rate over 15 equally wide "
        "bins of the prediction, weighted by rows.",
    ),
    Column(
        key="p50_us_1",
        title="One row, \u00b5s",
        format=whole,
        better="low",
        note="Median time to score one encoded row on one thread of this machine. All models take turns, so that a "
        "drifting machine hits all alike.",
    ),
    Column(
        key="rows_per_second_2048",
        title="Rows/s at 2,048",
        format=whole,
        better="high",
        relation="ratio",
        note="2,048 rows divided by the median time to score them in one call, on one thread.",
    ),
    Column(
        key="train_seconds",
        title="Training, s",
        format=whole,
        note="Mean wall time of one training, its evaluations included.",
    ),
)


def results_table(rows: Sequence[Row]) -> Table:
    """The main table: every column for which some row has a value."""
    return make_table(COLUMNS, rows, reference=reference_row(rows))


def operations_table(rows: Sequence[Row]) -> Table:
    """Operations of one row by operand widths, widest first; without columns where no row tells them."""
    prefix = "mflops_w"
    widths = sorted({key for row in rows for key in row if key.startswith(prefix)}, key=_operand_bits)
    titles = {"mflops": "MFLOPs"} | {key: key.removeprefix("mflops_").upper() for key in widths}
    titles["mflops_seed"] = "As the seed counts"
    columns = [
        Column(key=key, title=title, format=_operations, note="")
        for key, title in titles.items()
        if any(number(row, key) for row in rows)
    ]
    return make_table(columns, rows)


def _operand_bits(key: str) -> tuple[int, int]:
    weight, _, activation = key.removeprefix("mflops_w").partition("a")
    return -int(weight), -int(activation)


def _operations(value: float) -> str:
    return "" if not value else whole(value) if value >= 100 else f"{value:.3f}"
