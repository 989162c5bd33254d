"""14: logs with bad lines among good ones."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

from farthing.base.errors import DataError
from farthing.recommend.prepare import PrepareConfig, prepare
from tests.recommend.logs import criteo_lines
from tests.soak.outcome import Budget, Outcome

NUM_LINES = 400


def bad_input_loses_nothing(budget: Budget, folder: Path) -> Outcome:
    """Spoils known lines: those must be in the reject file with their numbers, all others in the data set."""
    counts = {"lines": 0, "bad": 0, "logs": 0, "refused": 0}
    wrong: list[str] = []
    for number in budget.rounds():
        lines = criteo_lines(NUM_LINES, seed=number)
        spoilt = sorted(budget.random.sample(range(NUM_LINES), budget.random.randint(1, 30)))
        for place in spoilt:
            lines[place] = spoil(lines[place], budget.random)
        log, out = folder / "log.tsv", folder / "data"
        log.write_text("\n".join(lines) + "\n", newline="")
        manifest = prepare([log], out, config=PrepareConfig(max_bad=0.5))
        listed = [int(line.split("\t")[1]) - 1 for line in (out / "rejects.tsv").read_text().splitlines()[1:]]
        if listed != spoilt or manifest.num_rejected != len(spoilt):
            wrong.append(f"log {number}: {len(spoilt)} bad, {len(listed)} listed")
        if sum(manifest.num_rows.values()) != NUM_LINES - len(spoilt):
            wrong.append(f"log {number}: {sum(manifest.num_rows.values())} rows kept")
        counts["lines"] += NUM_LINES
        counts["bad"] += len(spoilt)
        counts["logs"] += 1
        counts["refused"] += _is_refused(log, folder, f"log.tsv:{spoilt[0] + 1}: ", PrepareConfig(max_bad=0.0))
        counts["refused"] += _is_cut_noticed(log, folder)
    expected = 2 * counts["logs"]
    figure = (
        f"{counts['lines']:,} lines of {counts['logs']:,} logs, {counts['bad']:,} spoilt: {len(wrong)} miscounted"
        f"{f' ({wrong[0]})' if wrong else ''}; {counts['refused']:,} of {expected:,} logs refused that have too many "
        "bad lines, or end within a gzip stream"
    )
    return Outcome(figure, not wrong and counts["refused"] == expected)


def spoil(line: str, rng: random.Random) -> str:
    """A line that breaks the format in one of the ways that logs do."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice("23x-") + line[1:]
    if kind == 1:
        return line.replace("\t", "\tx", 1)
    if kind == 2:
        return line + "\tmore"
    if kind == 3:
        return line.rpartition("\t")[0]
    if kind == 4:
        return line.replace("\t", "\t1e999", 1)
    return line[: rng.randrange(1, 10)]


def _is_refused(log: Path, folder: Path, named: str, config: PrepareConfig) -> bool:
    try:
        prepare([log], folder / "refused", config=config)
    except DataError as error:
        return named in str(error)
    return False


def _is_cut_noticed(log: Path, folder: Path) -> bool:
    whole, cut = gzip.compress(log.read_bytes()), folder / "cut.tsv.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    return _is_refused(cut, folder, str(cut), PrepareConfig(max_bad=0.5))
