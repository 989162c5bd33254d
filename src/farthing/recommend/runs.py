"""A training run as a folder: settings, encoder, checkpoints, metrics, and the model it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from farthing.base.config import from_dict, to_dict
from farthing.base.errors import ConfigError
from farthing.base.files import read_json, write_json
from farthing.recommend.config import RecommendConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.metrics import evaluate
from farthing.recommend.model import Dlrm
from farthing.recommend.precision import build_model
from farthing.recommend.task import ClickTask, TrainBatches, probabilities
from farthing.recommend.warmstart import warm_start
from farthing.train.folder import RunFolder
from farthing.train.loop import fit
from farthing.train.task import Progress

RUN_FILE = "run.json"
RESULT_FILE = "result.json"


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was made with (`run.json`).

    Attributes:
        config: `RecommendConfig` as JSON.
        seed: of initial weights, shuffling and dropout.
        data: fingerprint of the data set.
        num_dense: numeric columns.
        table_rows: embedding rows of each field.
        init: fingerprint of the `run.json` that it continues from.
        teacher: fingerprint of the `run.json` that it learns from beside the labels.
    """

    config: dict[str, Any]  # Any: JSON
    seed: int
    data: str
    num_dense: int
    table_rows: tuple[int, ...]
    init: str | None = None
    teacher: str | None = None


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished run measured (`result.json`).

    Attributes:
        valid: metrics of the best weights on the validation split, which chose them.
        test: metrics of the best weights on the test split.
        epochs: passes over the data until training stopped.
        train_seconds: wall time of training, evaluations included.
        rows_per_second: training rows per second of that time.
        history: one entry per evaluation, as `train.loop.FitResult.history`.
    """

    valid: dict[str, float]
    test: dict[str, float]
    epochs: int
    train_seconds: float
    rows_per_second: float
    history: list[dict[str, float]]


def train_run(
    dataset: Dataset,
    config: RecommendConfig,
    *,
    folder: Path,
    seed: int,
    init: Path | None = None,
    teacher: Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Trains a model on `dataset` into `folder` and measures it on the test split.

    Args:
        dataset: what to train and test on.
        config: the settings.
        folder: of the run.
        seed: of initial weights, shuffling and dropout.
        init: a finished run whose weights are the start; embeddings are carried over by the values of their ids.
        teacher: a finished run on the same data, with the same frequency cut, whose probabilities are part of the
            target (`TrainConfig.teacher_weight`).
        resume: go on where an interrupted run stopped; a finished one returns its result.
        progress: display to report to.

    Raises:
        ConfigError: `folder` holds a run and `resume` is False, or one with other settings or data; or the run to start
            or to learn from does not fit.
    """
    info = RunInfo(
        config=to_dict(config),
        seed=seed,
        data=dataset.manifest.fingerprint,
        num_dense=len(dataset.manifest.dense),
        table_rows=tuple(dataset.table_rows(config.min_count)),
        init=None if init is None else _fingerprint(read_json(init / RUN_FILE, RunInfo)),
        teacher=None if teacher is None else _fingerprint(read_json(teacher / RUN_FILE, RunInfo)),
    )
    _check_folder(folder, info, resume=resume)
    if (folder / RESULT_FILE).exists():
        return read_json(folder / RESULT_FILE, RunResult)
    encoder = RowEncoder.from_dataset(dataset, table_rows=info.table_rows)
    guide = None if teacher is None else _load_teacher(teacher, info)
    model = _empty_model(info)
    if init is not None:
        warm_start(model, encoder, load_run(init), RowEncoder.load(init))
    write_json(folder / RUN_FILE, info)
    encoder.save(folder)
    task = ClickTask(model, dataset=dataset, table_rows=info.table_rows, config=config.train, teacher=guide)
    batches = TrainBatches(dataset, info.table_rows, config.train.batch_size, seed)
    fitted = fit(task, batches, config.train.fit, folder=folder, seed=seed, resume=resume, progress=progress)
    model.eval()
    result = RunResult(
        valid=fitted.best_metrics,
        test=measure(model, dataset, "test", table_rows=info.table_rows),
        epochs=-(-fitted.steps // batches.num_batches),
        train_seconds=fitted.seconds,
        rows_per_second=fitted.rows / fitted.seconds,
        history=fitted.history,
    )
    write_json(folder / RESULT_FILE, result)
    return result


def _load_teacher(folder: Path, info: RunInfo) -> Dlrm:
    """The model of the finished run in `folder`, which reads the same rows as the run of `info`."""
    there = read_json(folder / RUN_FILE, RunInfo)
    if (there.data, there.table_rows) != (info.data, info.table_rows):
        raise ConfigError(
            f"--teacher: {folder} was trained on other data or with another min-count; train the teacher on the same "
            "data with the same --min-count"
        )
    return load_run(folder)


def _check_folder(folder: Path, info: RunInfo, *, resume: bool) -> None:
    """Raises unless `folder` holds no run, or one that was made with the same settings and is to be resumed."""
    path = folder / RUN_FILE
    if not path.exists():
        return
    if not resume:
        raise ConfigError(f"{folder}: holds a run already; resume it (--resume) or choose another folder")
    difference = _difference(read_json(path, RunInfo), info)
    if difference:
        raise ConfigError(f"{folder}: was made {difference}; take the same settings and data, or another folder")


def _difference(there: RunInfo, info: RunInfo) -> str | None:
    """What sets two runs apart, in words; None if nothing does."""
    if there.data != info.data:
        return "from other data"
    if there.init != info.init:
        return "from another --init"
    if there.teacher != info.teacher:
        return "with another --teacher"
    old, new = (dict(_leaves(msgspec.json.decode(msgspec.json.encode(run)))) for run in (there, info))
    for name in new:
        if old.get(name) != new[name]:
            return f"with {name.removeprefix('config.')}={old.get(name)!r}, now it is {new[name]!r}"
    return None


def _leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:  # Any: JSON
    """The values of nested dicts by their dotted keys."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _fingerprint(facts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def load_run(folder: Path) -> Dlrm:
    """The trained model of a finished run, in evaluation mode.

    Raises:
        FormatError: the folder holds no finished run, or a damaged one.
    """
    model = _empty_model(read_json(folder / RUN_FILE, RunInfo))
    model.load_state_dict(RunFolder(folder, {}).best_weights())
    return model.eval()


def _empty_model(info: RunInfo) -> Dlrm:
    config = run_config(info)
    return build_model(
        num_dense=info.num_dense,
        table_rows=info.table_rows,
        model=config.model,
        precision=config.precision,
        seed=info.seed,
    )


def run_config(info: RunInfo) -> RecommendConfig:
    """The settings of a run."""
    return from_dict(RecommendConfig, info.config)


def measure(model: Any, dataset: Dataset, split: str, *, table_rows: tuple[int, ...]) -> dict[str, float]:
    """The metrics of a model (anything that maps dense, indices, offsets to logits) on one split."""
    probability = probabilities(model, dataset, split, table_rows=table_rows)
    return evaluate(dataset.labels(split), probability, dataset.groups(split))
