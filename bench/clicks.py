"""Rows per second from Criteo text to dense values and ids, one thread: the native parser and coder beside polars.

    python -m bench.clicks

Both do the same work on the same text, in turn: numbers standardised after a logarithm, and categorical values hashed
into tables of 1,000,000 rows, or looked up among the values that the text has, as `predict` does; or numbers after a
logarithm, and values coded by a dictionary that is made of them, as `prepare` does. All but hashes must be equal.
Times are CPU times of a process in which polars has one thread. Results go to bench/results/clicks.json.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from bench.machine import describe

from farthing.base.files import write_json
from farthing.lowbit import native
from farthing.recommend.clicks import EncodedRows
from farthing.recommend.clicktext import Columns, LineParser
from farthing.recommend.codedtext import LineCoder
from farthing.recommend.codes import CodedRows, code_rows, coded_columns
from farthing.recommend.encoder import BATCH_ROWS
from farthing.recommend.layout import CRITEO_COLUMNS, Layout
from farthing.recommend.logfiles import TextBlock
from farthing.recommend.manifest import DenseStatistics
from farthing.recommend.schema import CRITEO_DENSE, CRITEO_FIELDS, Field, LogSchema
from farthing.recommend.standardise import log_transform, standardise
from farthing.recommend.synthetic import synthesize
from farthing.recommend.vocabulary import MISSING_ID, NUM_RESERVED, UNKNOWN_ID, positions

RESULTS = Path(__file__).parent / "results" / "clicks.json"
HASHED_ROWS = 1_000_000
ONE_THREAD = {"POLARS_MAX_THREADS": "1"}

LAYOUT = Layout("criteo", CRITEO_COLUMNS, "\t")
SCHEMA = LogSchema(
    format="criteo",
    separator="\t",
    label="label",
    dense=CRITEO_DENSE,
    fields=tuple(Field(name=name, column=name) for name in CRITEO_FIELDS),
)
STATISTICS = tuple(DenseStatistics(name=name, mean=1.0 + i / 8, std=0.5 + i / 8) for i, name in enumerate(CRITEO_DENSE))
TYPES = {"label": pl.Int8()} | dict.fromkeys(CRITEO_DENSE, pl.Float32()) | dict.fromkeys(CRITEO_FIELDS, pl.String())

# Dense values and ids.
Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def main() -> None:
    """Parses the command line and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    if pl.thread_pool_size() > 1:
        # Polars reads the variable when it is imported.
        subprocess.run(
            [sys.executable, "-m", "bench.clicks", *sys.argv[1:]], check=True, env={**os.environ, **ONE_THREAD}
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        synthesize(arguments.rows, 0, Path(folder) / "log.tsv")
        text = (Path(folder) / "log.tsv").read_bytes()
    engines = _engines(text)
    times = _times(engines, arguments.repeats)
    rows = [_row(ids, engine, arguments.rows, times[ids, engine]) for ids, engine in engines]
    for row in rows:
        print(f"{row['ids']:10} {row['engine']:9} {row['rows_per_second']:>12,.0f} rows/s")
    write_json(RESULTS, {"machine": describe(), "native": native.info(), "rows": rows})


def _engines(text: bytes) -> dict[tuple[str, str], Callable[[], object]]:
    """(kind of ids, engine) -> what reads the whole text."""
    frame = _read(text)
    block = TextBlock(Path("log"), 1, frame.height, text, len(text))
    values = [frame[name].drop_nulls().unique(maintain_order=True) for name in CRITEO_FIELDS]
    known = [pl.Enum(column) for column in values]
    looked_up = Columns(SCHEMA, STATISTICS, tuple(len(column) + NUM_RESERVED for column in values))
    lookup = LineParser(LAYOUT, looked_up, values)
    hashing = LineParser(LAYOUT, Columns(SCHEMA, STATISTICS, (HASHED_ROWS,) * len(CRITEO_FIELDS)), None)
    coder = LineCoder(LAYOUT, SCHEMA)
    for i in range(2):
        rows = (_parse(lookup, block), _encode(text, list(_looked_up(known))))
        mine, other = (np.concatenate([part[i] for part in parts]) for parts in rows)
        assert np.array_equal(mine, other)
    clean, careful = coder.code(block), _coded(text)
    assert clean is not None
    assert clean.frame.equals(careful.frame)
    assert clean.values.equals(careful.values)
    return {
        ("hashed", "farthing"): lambda: _parse(hashing, block),
        ("hashed", "polars"): lambda: _encode(text, [_hashed(i, name) for i, name in enumerate(CRITEO_FIELDS)]),
        ("looked up", "farthing"): lambda: _parse(lookup, block),
        ("looked up", "polars"): lambda: _encode(text, list(_looked_up(known))),
        ("coded", "farthing"): lambda: coder.code(block),
        ("coded", "polars"): lambda: _coded(text),
    }


def _read(text: bytes) -> pl.DataFrame:
    return pl.read_csv(text, has_header=False, separator="\t", quote_char=None, schema=TYPES)


def _parse(parser: LineParser, block: TextBlock) -> list[Rows]:
    """In batches, as `farthing recommend predict` reads."""
    parts = [part for part in parser.parts(block, max_rows=BATCH_ROWS) if isinstance(part, EncodedRows)]
    return [(part.dense, part.indices.reshape(part.num_rows, -1)) for part in parts]


def _encode(text: bytes, ids: list[pl.Expr]) -> list[Rows]:
    renamed = [pl.col(name).alias(f"dense_{i}") for i, name in enumerate(CRITEO_DENSE)]
    frame = _read(text).select(*renamed, *ids)
    numbers = standardise(frame.with_columns(log_transform(f"dense_{i}") for i in range(len(renamed))), STATISTICS)
    dense = numbers.select(f"dense_{i}" for i in range(len(renamed))).to_numpy(order="c")
    return [(dense, frame.select(CRITEO_FIELDS).to_numpy(order="c"))]


def _coded(text: bytes) -> CodedRows:
    dense = [pl.col(name).alias(f"dense_{i}") for i, name in enumerate(CRITEO_DENSE)]
    fields = [pl.col(name).alias(f"field_{i}") for i, name in enumerate(CRITEO_FIELDS)]
    label = pl.col("label").cast(pl.UInt8)
    return code_rows(_read(text).select(*dense, *fields, label), coded_columns(SCHEMA))


def _hashed(field: int, name: str) -> pl.Expr:
    ids = pl.col(name).hash(field) % (HASHED_ROWS - NUM_RESERVED) + NUM_RESERVED
    filled = pl.when(pl.col(name).is_null()).then(MISSING_ID).otherwise(ids).cast(pl.Int64)
    return (filled + field * HASHED_ROWS).alias(name)


def _looked_up(known: list[pl.Enum]) -> Iterator[pl.Expr]:
    start = 0
    for name, values in zip(CRITEO_FIELDS, known, strict=True):
        ids = (positions(pl.col(name), values).cast(pl.Int64) + NUM_RESERVED).fill_null(UNKNOWN_ID)
        yield (pl.when(pl.col(name).is_null()).then(MISSING_ID).otherwise(ids) + start).alias(name)
        start += len(values.categories) + NUM_RESERVED


def _times(engines: dict[tuple[str, str], Callable[[], object]], repeats: int) -> dict[tuple[str, str], list[float]]:
    """CPU microseconds of each engine, one repeat of each in turn."""
    times: dict[tuple[str, str], list[float]] = {name: [] for name in engines}
    for _ in range(repeats):
        for name, run in engines.items():
            start = time.process_time_ns()
            run()
            times[name].append((time.process_time_ns() - start) / 1000)
    return times


def _row(ids: str, engine: str, num_rows: int, times: list[float]) -> dict[str, Any]:
    p10, median, p90 = np.percentile(times, [10, 50, 90]).tolist()
    return {
        "work": "parse",
        "ids": ids,
        "bits": None,
        "batch": num_rows,
        "threads": 1,
        "engine": engine,
        "median_us": round(median),
        "p10_us": round(p10),
        "p90_us": round(p90),
        "rows_per_second": round(num_rows / median * 1e6),
    }


if __name__ == "__main__":
    main()
