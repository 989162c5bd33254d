"""Raw rows in, click probabilities out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from farthing.base.errors import ConfigError, DataError
from farthing.base.files import atomic_path
from farthing.recommend.modelfolder import ClickModel

WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {
    ".csv": lambda frame, path: frame.write_csv(path),
    ".parquet": lambda frame, path: frame.write_parquet(path),
}


def predict_log(
    model: ClickModel, logs: Sequence[Path], out: Path, *, progress: Callable[[int], None] | None = None
) -> int:
    """Scores every row of `logs` and writes them to `out`, a .csv or .parquet file; returns the number of rows.

    Columns: the model's id column, or `row` (from 0, over all logs), and `probability`. The log may lack the label.

    Raises:
        ConfigError: `out` has another suffix.
        DataError: a log cannot be read or has no rows, or a row breaks the format; nothing is written.
    """
    if out.suffix not in WRITERS:
        raise ConfigError(f"--out must end in {' or '.join(WRITERS)}, got {out.name!r}")
    frames = list(_scored(model, logs, progress))
    if not frames:
        raise DataError(f"{', '.join(map(str, logs))}: no rows to score; a log has one row per line after the header")
    with atomic_path(out) as temporary:
        WRITERS[out.suffix](pl.concat(frames), temporary)
    return sum(len(frame) for frame in frames)


def _scored(model: ClickModel, logs: Sequence[Path], progress: Callable[[int], None] | None) -> Iterator[pl.DataFrame]:
    for names, batch in model.encoder.read(logs):
        yield pl.DataFrame([names, pl.Series("probability", model.predict(batch).numpy())])
        if progress:
            progress(batch.num_rows)
