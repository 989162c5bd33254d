"""What a command does from its options to its result: data opened, settings resolved, choices made and said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from farthing.base.config import apply_overrides
from farthing.base.errors import FormatError
from farthing.base.files import read_json
from farthing.recommend.alignment import align
from farthing.recommend.compare import Comparison, NewProgress, Row
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.modelfolder import load_model
from farthing.recommend.presets import build_preset
from farthing.recommend.runs import RUN_FILE, RunInfo, RunResult, load_run, measure, run_config, train_run
from farthing.recommend.tune import choose_min_count, needs_choice
from farthing.recommend.variants import build_variants

Say = Callable[[str], None]

CHOICE_FOLDER = "choice"


def train_with_choices(
    data: Path,
    out: Path,
    *,
    preset: str,
    min_count: int | None,
    init: Path | None,
    settings: Iterable[str],
    seed: int,
    resume: bool,
    progress: NewProgress,
    say: Say,
) -> RunResult:
    """Trains one preset; a frequency cut that is not given comes from the log's shape or the validation split."""
    dataset = Dataset.open(data)
    config = _preset(dataset, preset)
    if resume and (out / RUN_FILE).exists():
        min_count = run_config(read_json(out / RUN_FILE, RunInfo)).min_count
    elif min_count is None and init is not None:
        min_count = run_config(read_json(init / RUN_FILE, RunInfo)).min_count
    if min_count is None:
        min_count = _min_count(dataset, out / CHOICE_FOLDER, settings, progress, say) or config.min_count
    config = apply_overrides(replace(config, min_count=min_count), settings)
    return train_run(
        dataset, config, folder=out, seed=seed, init=init, resume=resume, progress=progress(f"train {preset}")
    )


def compare_bits(
    data: Path,
    out: Path,
    *,
    bits: Sequence[int],
    seeds: int,
    min_count: int | None,
    settings: Sequence[str],
    progress: NewProgress,
    say: Say,
) -> list[Row]:
    """Makes the whole comparison in `out` and its report; the frequency cut is chosen with FP32 where none is given."""
    dataset = Dataset.open(data)
    if min_count is None:
        min_count = _min_count(dataset, out / CHOICE_FOLDER, settings, progress, say)
    manifest = dataset.manifest
    variants = build_variants(
        bits=bits,
        num_dense=len(manifest.dense),
        num_fields=len(manifest.fields),
        min_count=min_count,
        overrides=settings,
    )
    notes: dict[str, Any] = {"min_count": variants[0].config.min_count, "seeds": seeds, "settings": list(settings)}
    rows = Comparison(dataset, out, seeds, progress).run(variants, notes=notes)
    from farthing.recommend.report import write_report  # here: only a comparison needs matplotlib

    write_report(out)
    return rows


def _preset(dataset: Dataset, name: str) -> Any:
    manifest = dataset.manifest
    return build_preset(name, num_dense=len(manifest.dense), num_fields=len(manifest.fields))


def _min_count(
    dataset: Dataset, folder: Path, settings: Iterable[str], progress: NewProgress, say: Say
) -> int | None:
    """The frequency cut chosen with FP32 on the validation split; None where the log's shape decides."""
    if not needs_choice(dataset):
        return None
    config = apply_overrides(_preset(dataset, "fp32"), settings)
    chosen, scores = choose_min_count(dataset, config, folder=folder, seed=0, progress=progress)
    listing = ", ".join(f"{cut}: {auc:.4f}" for cut, auc in scores.items())
    say(f"min-count {chosen} chosen by the validation AUC of FP32 ({listing})")
    return chosen


def evaluate_folder(folder: Path, data: Path, split: str) -> dict[str, float]:
    """The metrics of a run or a model folder on one split of a data set.

    Raises:
        ConfigError: the data set has no such split, or other columns than the model.
        FormatError: `folder` is neither a run nor a model.
    """
    dataset = Dataset.open(data)
    if (folder / RUN_FILE).exists():
        network, encoder = load_run(folder), RowEncoder.load(folder)
    elif (folder / "config.json").exists():
        model = load_model(folder)
        network, encoder = model.network, model.encoder
    else:
        raise FormatError(f"{folder}: neither a run (no {RUN_FILE}) nor a model folder (no config.json)")
    aligned, table_rows = align(network, encoder, dataset)
    return measure(aligned, dataset, split, table_rows=table_rows)
