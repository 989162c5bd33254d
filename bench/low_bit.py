"""The table of bit widths on real click logs: prepare, compare, and check against the figures that were promised.

    python -m bench.low_bit --data FOLDER --work DIR

FOLDER holds frappe_x1.parquet and movielens_1m.parquet (neither may be redistributed; docs/benchmarks.md says where
they come from). Results go to bench/results/low_bit.json; `python -m bench.report` turns them into tables.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from bench.machine import describe

from farthing.base.files import write_json
from farthing.recommend.prepare import prepare
from farthing.recommend.session import Session
from farthing.train.progress import ProgressBoard

RESULTS = Path(__file__).parent / "results" / "low_bit.json"
LOGS = ("frappe_x1", "movielens_1m")
BITS = (32, 8, 4, 2, 1)

Row = dict[str, Any]


def compare(log: Path, work: Path, *, seeds: int, jobs: int) -> list[Row]:
    """The comparison of one log; what an earlier call finished is not done again."""
    data = work / log.stem / "data"
    if not (data / "manifest.json").exists():
        prepare([log], data)
    with ProgressBoard() as board:
        session = Session(data, work / log.stem / "compare", [], None, jobs, board, print)
        return session.compare(bits=BITS, seeds=seeds)


def findings(name: str, rows: list[Row]) -> list[str]:
    """Each promised figure, and whether it was reached."""
    auc = {row["name"]: row["auc"] for row in rows}
    promises = [("int4 within .001 of fp32", auc["fp32"] - auc["int4"], auc["int4"] >= auc["fp32"] - 0.001)]
    if name == "frappe_x1":
        promises = [
            ("fp32 >= .984", auc["fp32"], auc["fp32"] >= 0.984),
            ("int8 within .0005 of fp32", auc["fp32"] - auc["int8"], auc["int8"] >= auc["fp32"] - 0.0005),
            *promises,
            ("int2 within .003 of fp32", auc["fp32"] - auc["int2"], auc["int2"] >= auc["fp32"] - 0.003),
            ("binary >= .972", auc["binary"], auc["binary"] >= 0.972),
        ]
    else:
        promises = [("fp32 >= .899", auc["fp32"], auc["fp32"] >= 0.899), *promises]
    return [f"{'reached' if kept else 'missed'}: {text} ({value:.4f})" for text, value, kept in promises]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the logs")
    parser.add_argument("--work", type=Path, required=True, help="folder for data sets, runs and reports")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--logs", nargs="*", default=LOGS)
    options = parser.parse_args()
    results: dict[str, Any] = {"machine": describe(), "logs": {}}
    for name in options.logs:
        rows = compare(options.data / f"{name}.parquet", options.work, seeds=options.seeds, jobs=options.jobs)
        results["logs"][name] = rows
        print(name, *findings(name, rows), sep="\n  ")
    write_json(RESULTS, results)


if __name__ == "__main__":
    main()
