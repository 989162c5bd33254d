"""Choosing the frequency cut on the validation split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from farthing.recommend.config import RecommendConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.presets import is_criteo_shape
from farthing.recommend.runs import train_run
from farthing.train.task import Progress

CANDIDATES = (1, 2, 5, 10)


def choose_min_count(
    dataset: Dataset,
    config: RecommendConfig,
    *,
    folder: Path,
    seed: int,
    progress: Callable[[str], Progress] | None = None,
) -> tuple[int, dict[int, float]]:
    """The candidate cut with the best validation AUC of a model with `config`'s architecture, and all those AUCs.

    Candidates that keep the same rows are trained once. Runs stay in `folder`, so that an interrupted choice goes on.
    """
    scores: dict[int, float] = {}
    known: dict[tuple[int, ...], float] = {}
    for min_count in CANDIDATES:
        rows = tuple(dataset.table_rows(min_count))
        if rows not in known:
            result = train_run(
                dataset,
                replace(config, min_count=min_count),
                folder=folder / f"min-count-{min_count}",
                seed=seed,
                resume=True,
                progress=progress(f"min-count {min_count}") if progress else None,
            )
            known[rows] = result.valid["auc"]
        scores[min_count] = known[rows]
    return max(scores, key=lambda min_count: scores[min_count]), scores


def needs_choice(dataset: Dataset) -> bool:
    """Whether the literature has no frequency cut for logs of this shape."""
    return not is_criteo_shape(num_dense=len(dataset.manifest.dense), num_fields=len(dataset.manifest.fields))
