"""The scoring server under load, beside an empty handler and beside FastAPI with eager PyTorch.

    python -m bench.serve MODEL [--seconds 2]

MODEL is a model folder; its rows are made up. Each server has one core and one thread, the load comes from another
process on loopback; they are asked in turns, and figures are medians of the rounds. Where the time of a request goes is
measured apart, without HTTP. Results go to bench/results/serve.json and into the table of docs/serve.md.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bench.machine import describe
from bench.serveparts import Parts, parts

from farthing.base.files import write_json
from farthing.recommend.encoder import RowEncoder

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "bench" / "results" / "serve.json", ROOT / "docs" / "serve.md"
START, END = "<!-- table: serve -->\n", "<!-- end -->"
CANDIDATES = 500
ENGINES = ("empty", "farthing", "fastapi")
ROUNDS = 5
MANY = "1 row, 32 connections"
ONE, RANKING, ROWS = "1 row", f"1 context, {CANDIDATES} candidates", f"{CANDIDATES} rows"
START_S = 60.0
ASKED = {"single rows against the empty handler": 1 / 1.3, "single rows against FastAPI": 5.0, "candidates": 20.0}

Row = dict[str, Any]  # Any: JSON


def rows_of(folder: Path, number: int) -> list[dict[str, str]]:
    """Rows whose values the model knows."""
    generator, encoder = np.random.default_rng(0), RowEncoder.load(folder)
    fields = [
        (field.column, values.head(1000).to_list())
        for field, values in zip(encoder.description.schema.fields, encoder.values, strict=True)
    ]
    numbers = [(column.name, [str(value) for value in range(100)]) for column in encoder.description.dense]
    known = [(name, values) for name, values in (*numbers, *fields) if values]
    return [{name: str(generator.choice(values)) for name, values in known} for _ in range(number)]


@contextmanager
def server(name: str, folder: Path) -> Iterator[str]:
    """A server of this kind; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = {
        "farthing": ["-m", "farthing", "recommend", "serve", str(folder), "--port", str(port)],
    }.get(name, ["-m", "bench.serveothers", name, str(folder), str(port)])
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, *command], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(port: int) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def run(load: Load, *, seconds: float) -> Row:
    """What `bench.serveload` measures."""
    command = [sys.executable, "-m", "bench.serveload", load.url, "--seconds", str(seconds)]
    command += ["--connections", str(load.connections)] + (["--rate", str(load.rate)] if load.rate else [])
    ran = subprocess.run(command, input=json.dumps(load.body).encode(), capture_output=True, check=True)
    summary: Row = json.loads(ran.stdout)
    return summary


def requests_of(folder: Path) -> dict[str, Row]:
    """What is asked for: one row, one context of half the columns with many candidates, and these as rows."""
    rows = rows_of(folder, CANDIDATES)
    shared = {name: rows[0][name] for name in list(rows[0])[: len(rows[0]) // 2]}
    own = [{name: value for name, value in row.items() if name not in shared} for row in rows]
    return {ONE: {"rows": rows[:1]}, RANKING: {"context": shared, "candidates": own}, ROWS: {"rows": rows}}


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one server is asked for."""

    engine: str
    work: str
    url: str
    body: Row
    rate: float | None = None
    connections: int = 32


def measure(folder: Path, requests: dict[str, Row], seconds: float) -> list[Row]:
    """All rows of the table."""
    with ExitStack() as running:
        urls = {name: running.enter_context(server(name, folder)) for name in ENGINES}
        single, both = requests[ONE], [name for name in ENGINES if name != "empty"]
        for url in urls.values():
            run(Load(engine="", work="", url=url, body=single), seconds=1)
        loads = [
            Load(
                engine=name,
                work=f"1 row, {number} connection{'s' * (number > 1)}",
                url=urls[name],
                body=single,
                connections=number,
            )
            for name in ENGINES
            for number in (1, 32)
        ]
        url = urls["farthing"]
        loads += [Load(engine=name, work=ROWS, url=urls[name], body=requests[ROWS], connections=2) for name in both]
        loads += [Load(engine="farthing", work=RANKING, url=url, body=requests[RANKING], connections=2)]
        rows = in_turns(loads, seconds)
        most = rate_of(rows, "farthing", MANY)
        shares = {f"1 row, {share:g}x capacity": share * most for share in (0.5, 1.0, 2.0)}
        rows += in_turns(
            [Load(engine="farthing", work=work, url=url, body=single, rate=rate) for work, rate in shares.items()],
            seconds,
        )
    return sorted(rows, key=lambda row: ENGINES.index(row["engine"]))


def in_turns(loads: Sequence[Load], seconds: float) -> list[Row]:
    """The medians of `ROUNDS` measurements: a machine shared with others is quicker at one time than at another."""
    found: list[list[Row]] = [[] for _ in loads]
    for _ in range(ROUNDS):
        for load, figures in zip(loads, found, strict=True):
            figures.append(run(load, seconds=seconds))
            print(load.engine, load.work, figures[-1], flush=True)
    return [
        {"engine": load.engine, "work": load.work}
        | {name: float(np.median([figure[name] for figure in figures])) for name in figures[0]}
        for load, figures in zip(loads, found, strict=True)
    ]


def rate_of(rows: Sequence[Row], engine: str, work: str) -> float:
    """Answers per second."""
    return next(float(row["answered_per_second"]) for row in rows if (row["engine"], row["work"]) == (engine, work))


def ratios(rows: list[Row]) -> dict[str, float]:
    """What was asked for."""
    single = rate_of(rows, "farthing", MANY)
    return {
        "single rows against the empty handler": single / rate_of(rows, "empty", MANY),
        "single rows against FastAPI": single / rate_of(rows, "fastapi", MANY),
        "candidates": rate_of(rows, "farthing", RANKING) / rate_of(rows, "fastapi", ROWS),
    }


def table(rows: list[Row], times: dict[str, Parts], machine: dict[str, Any]) -> str:
    """The rows, ratios and parts as Markdown."""
    lines = [
        "| server | work | requests/s | p50 ms | p99 ms | p99.9 ms | turned away |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['engine']} | {row['work']} | {row['answered_per_second']:,.0f} | {row['p50']:.2f} | {row['p99']:.2f} "
        f"| {row['p999']:.2f} | {row['shed']:.0%} |"
        for row in rows
    ]
    lines += ["", "| ratio | asked | reached |", "|---|---:|---:|"]
    lines += [f"| {name} | {ASKED[name]:.2g} | {reached:.2f} |" for name, reached in ratios(rows).items()]
    names = list(times[ONE])
    lines += ["", f"| us without HTTP | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    lines += [f"| {what} | {' | '.join(f'{us:,.1f}' for us in found.values())} |" for what, found in times.items()]
    lines += ["", f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}; server and load have a core each."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    options = parser.parse_args()
    requests, machine = requests_of(options.model), describe()
    rows = measure(options.model, requests, options.seconds)
    times = parts(options.model, requests)
    write_json(RESULTS, {"machine": machine, "rows": rows, "parts_us": times})
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(START)[1].partition(END)[2]
    text = table(rows, times, machine)
    PAGE.write_text(before + START + text + END + after, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
