"""Choosing the frequency cut on the validation split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from farthing.base.files import read_json
from farthing.recommend.config import RecommendConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.jobs import NewProgress, TrainingJob, run_jobs
from farthing.recommend.runs import RESULT_FILE, RunResult

CANDIDATES = (1, 2, 5, 10)


def choose_min_count(
    dataset: Dataset,
    config: RecommendConfig,
    *,
    folder: Path,
    seed: int,
    workers: int,
    progress: NewProgress | None = None,
) -> tuple[int, dict[int, float]]:
    """The candidate cut with the best validation AUC of a model with `config`'s architecture, and all those AUCs.

    Candidates that keep the same rows are trained once. Runs stay in `folder`, so that an interrupted choice goes on.
    """
    tables = {min_count: tuple(dataset.table_rows(min_count)) for min_count in CANDIDATES}
    trained = {table: min_count for min_count, table in reversed(tables.items())}
    jobs = [
        TrainingJob(
            title=f"choosing min-count: {min_count}",
            data=dataset.folder,
            folder=folder / f"min-count-{min_count}",
            config=replace(config, min_count=min_count),
            seed=seed,
        )
        for min_count in sorted(trained.values())
    ]
    run_jobs(jobs, workers=workers, progress=progress)
    results = {job.config.min_count: read_json(job.folder / RESULT_FILE, RunResult) for job in jobs}
    scores = {min_count: results[trained[table]].valid["auc"] for min_count, table in tables.items()}
    return max(scores, key=lambda min_count: scores[min_count]), scores
