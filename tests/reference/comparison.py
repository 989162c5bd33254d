"""A made-up comparison with the keys of a real one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from farthing.base.files import write_json

# name, bits, AUC, its standard deviation, MB
MODELS = (
    ("fp32", 32, 0.8033, 0.0003, 5.72),
    ("int8", 8, 0.8034, 0.0002, 1.46),
    ("int4", 4, 0.8031, 0.0003, 0.741),
    ("int2", 2, 0.8009, 0.0004, 0.392),
    ("binary", 1, 0.7948, 0.0006, 0.211),
    ("fp32-unfiltered", 32, 0.7991, 0.0008, 69.6),
    ("int4-ptq", 4, 0.7934, 0.0009, 0.741),
    ("seed-binary", 1, 0.7871, 0.0011, 3.31),
)


def make_rows() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "bits": bits,
            "seeds": 3,
            "auc": auc,
            "auc_std": std,
            "accuracy": auc - 0.015,
            "accuracy_std": std,
            "log_loss": 1.25 - auc,
            "log_loss_std": std,
            "ece": 0.004,
            "ece_std": std,
            "size_mb": size,
            "embedding_mb": 0.8 * size,
            "mflops": 0.95,
            "mflops_w32a32": 0.04,
            "mflops_w4a8": 0.91,
            "mflops_seed": 2375.0,
            "train_seconds": 21.0,
            "p50_us_1": 300.0 + bits,
            "rows_per_second_1": 3300.0,
            "p50_us_2048": 9000.0,
            "rows_per_second_2048": 227_000.0 - bits,
        }
        for name, bits, auc, std, size in MODELS
    ]


def make_curves() -> dict[str, Any]:
    steps = [step / 50 for step in range(51)]
    curves: dict[str, Any] = {
        name: {
            "roc": [[x, x ** (1 / auc - 1) if x else 0.0] for x in steps],
            "calibration": [[x, min(1.0, 1.04 * x), int(9000 * math.exp(-4 * x))] for x in steps[1::6]],
            "training": [[48_000 * k, auc - 0.02 / k, 0.45 + 0.02 / k, 0.46 - 0.01 * k] for k in range(1, 9)],
        }
        for name, _, auc, _, _ in MODELS
    }
    rows = {"train": 96_000, "valid": 12_000, "test": 12_000}
    data = {"rows": rows, "num_dense": 13, "num_fields": 26, "num_ids": 512_345, "min_count": 10, "seeds": 3}
    return curves | {"data": data | {"settings": ["train.lr=0.003"], "source": "clicks.tsv"}}


def write_comparison(folder: Path, rows: list[dict[str, Any]] | None = None) -> Path:
    write_json(folder / "compare.json", make_rows() if rows is None else rows)
    write_json(folder / "curves.json", make_curves())
    return folder
