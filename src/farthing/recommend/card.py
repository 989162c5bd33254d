"""The model card of a model folder: what it is, what it needs, how good it is, what it costs."""

from __future__ import annotations

from collections.abc import Mapping

from farthing.recommend.config import RecommendConfig
from farthing.recommend.encoder import RowEncoder

_METRICS = {
    "auc": "ROC AUC",
    "gauc": "GAUC",
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "ece": "calibration error",
}


def model_card(
    config: RecommendConfig,
    encoder: RowEncoder,
    *,
    metrics: Mapping[str, Mapping[str, float]],
    cost: Mapping[str, float],
) -> str:
    """Markdown text about a model.

    Args:
        config: the settings it was made with.
        encoder: from raw rows to what it reads.
        metrics: per split; empty where nothing was measured.
        cost: `cost.operations` of one sample.
    """
    schema = encoder.description.schema
    lines = [
        f"# Click-through model, preset {config.preset}",
        "",
        "A DLRM that gives the probability of a click for every row of a log. Score a log with:",
        "",
        "    farthing recommend predict THIS_FOLDER LOG --out scores.csv",
        "",
        "## Input",
        f"Format {schema.format}; {len(schema.dense)} numeric columns and {len(schema.fields)} categorical fields:",
        ", ".join([*schema.dense, *(field.name for field in schema.fields)]) + ".",
        "Missing numbers count as the mean; ids that training saw rarely or never share one embedding row per field.",
        "",
        "## Quality",
        *_metric_table(metrics),
        "",
        "## Cost",
        f"{sum(encoder.table_rows):,} embedding rows of dim {config.model.embedding_dim}",
        f"in {config.precision.embedding} bits; {cost['mflops']:.3f} MFLOPs per row (2 x multiply-adds).",
        "",
        "## Limits",
        "The probabilities hold for traffic like that of the training log. A log of clicks reflects what was shown,",
        "and to whom; check the model for the groups of people it is used on. The vocabulary holds ids from the",
        "training log: treat the folder with the same care as the log.",
    ]
    return "\n".join(lines) + "\n"


def _metric_table(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    if not metrics:
        return ["Not measured when the folder was written: run `farthing recommend evaluate THIS_FOLDER DATA`."]
    names = [name for name in _METRICS if name in metrics["test"]]
    header = ["| split | " + " | ".join(_METRICS[name] for name in names) + " |", "|---" * (len(names) + 1) + "|"]
    return header + [
        f"| {split} | " + " | ".join(f"{values[name]:.4f}" if name in values else "" for name in names) + " |"
        for split, values in metrics.items()
    ]
