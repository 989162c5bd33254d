"""The model card of a model folder: what it is, what it needs, how good it is, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farthing.recommend.encoder import RowEncoder

_METRICS = {
    "auc": "ROC AUC",
    "gauc": "GAUC",
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "ece": "calibration error",
}


def model_card(description: Mapping[str, Any], encoder: RowEncoder) -> str:  # Any: JSON
    """Markdown text from a model's `config.json` and its encoder."""
    settings, cost = description["settings"], description["cost"]
    schema = encoder.description.schema
    lines = [
        f"# Click-through model, preset {settings['preset']}",
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
        *_metric_table(description["metrics"]),
        "",
        "## Cost",
        f"{sum(description['table_rows']):,} embedding rows of dim {settings['model']['embedding_dim']}",
        f"in {settings['precision']['embedding']} bits; {cost['mflops']:.3f} MFLOPs per row (2 x multiply-adds).",
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
