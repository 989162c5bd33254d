"""`farthing recommend ...`: reads options, calls the library, shows what came out.

Heavy imports wait until a command runs, so that help is instant.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from farthing.base.errors import ConfigError
from farthing.base.files import write_json
from farthing.options import Json, Resume, Settings, new_app, parse_bits, split_values
from farthing.options import epilog as examples_of
from farthing.terminal import say

app = new_app("Click-through models in 1 to 32 bits, from a raw click log to a small model and an honest table.")
epilog = partial(examples_of, "recommend")

LogFormat = Literal["criteo", "avazu", "csv", "parquet"]
Order = Literal["file", "random"]
Target = Literal["onnx", "torch", "fbgemm"]
Jobs = Annotated[int | None, typer.Option(min=1, help="Trainings at a time, one thread each; default: the CPUs.")]
MinCount = Annotated[
    int | None,
    typer.Option(help="Ids in fewer training rows share one embedding; default: 10 for Criteo's shape, else chosen."),
]


@app.command(epilog=epilog("synthesize --rows 100000 --seed 0 --out log.tsv.gz"))
def synthesize(
    rows: Annotated[int, typer.Option(min=1, help="Rows to write.")],
    out: Annotated[Path, typer.Option(help="The log, .tsv or .tsv.gz.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    *,
    json: Json = False,
) -> None:
    """Write a made-up click log in Criteo's format, with the best reachable AUC known."""
    from farthing.recommend import console
    from farthing.recommend.synthetic import synthesize as write

    with console.counter("synthesize", total=rows) as advance:
        log = write(rows, seed=seed, out=out, progress=advance)
    console.show_synthetic(log, out, as_json=json)


@app.command(
    epilog=epilog(
        "prepare day_0.gz day_1.gz --out data", "prepare clicks.parquet --out data --label clicked --split-column split"
    )
)
def prepare(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="Click logs, oldest first; .gz is read too.")],
    out: Annotated[Path, typer.Option(help="The folder of encoded data.")],
    format: Annotated[LogFormat | None, typer.Option(help="Recognised from the content where not given.")] = None,
    label: Annotated[str | None, typer.Option(help="The column of 0 and 1; recognised by its usual names.")] = None,
    split_column: Annotated[str | None, typer.Option(help="The column that says train, valid or test.")] = None,
    split: Annotated[str, typer.Option(help="Shares of train, valid and test where no column says.")] = "0.8,0.1,0.1",
    order: Annotated[Order, typer.Option(help="file: the last rows are the test (temporal); random: drawn.")] = "file",
    id: Annotated[str | None, typer.Option(help="A column that names each row; never a feature.")] = None,
    group: Annotated[str | None, typer.Option(help="A column to group rows by (a user), for GAUC.")] = None,
    dense: Annotated[list[str] | None, typer.Option(help="Columns to read as numbers; repeatable.")] = None,
    categorical: Annotated[list[str] | None, typer.Option(help="Columns to read as ids; repeatable.")] = None,
    max_bad: Annotated[float, typer.Option(min=0, max=1, help="Share of bad rows that is tolerated.")] = 0.001,
    seed: Annotated[int, typer.Option(help="Of --order random.")] = 0,
    *,
    json: Json = False,
) -> None:
    """Read click logs once, number every id by frequency, and write encoded shards."""
    from farthing.recommend import console
    from farthing.recommend.detect import Choices
    from farthing.recommend.prepare import PrepareConfig
    from farthing.recommend.prepare import prepare as run

    with console.stages() as progress:
        choices = Choices(
            format=format,
            label=label,
            split_column=split_column,
            id=id,
            group=group,
            dense=split_values(dense) or None,
            categorical=split_values(categorical) or None,
        )
        config = PrepareConfig(split=console.parse_split(split), order=order, seed=seed, max_bad=max_bad)
        prepared = run(logs, out, choices=choices, config=config, progress=progress)
    console.show_prepared(prepared, out, as_json=json)


@app.command(
    epilog=epilog(
        "train data --out run --preset int4",
        "train data --out run --resume",
        "train newer-data --out run2 --init run",
        "train data --out small --preset int4 --teacher run",
    )
)
def train(
    data: Annotated[Path, typer.Argument(help="A folder that prepare wrote.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    preset: Annotated[str, typer.Option(help="fp32, int8, int4, int2 or binary.")] = "int4",
    min_count: MinCount = None,
    init: Annotated[Path | None, typer.Option(help="Continue from the weights of an earlier run.")] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="An fp32 run on the same data to learn from beside the labels.")
    ] = None,
    settings: Settings = None,
    seed: Annotated[int, typer.Option(help="Of initial weights, shuffling and dropout.")] = 0,
    *,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Train one model; Ctrl-C saves and --resume goes on."""
    from farthing.recommend import console
    from farthing.recommend.session import Session

    with console.training_board() as board:
        session = Session(data, out, settings or [], min_count, os.cpu_count() or 1, board, say)
        result = session.train(preset, seed=seed, init=init, teacher=teacher, resume=resume)
    console.show_result(result, out, as_json=json)


@app.command(epilog=epilog("evaluate run data", "evaluate model data --json"))
def evaluate(
    model: Annotated[Path, typer.Argument(metavar="RUN_OR_MODEL", help="A run or a model folder.")],
    data: Annotated[Path, typer.Argument(help="A folder that prepare wrote from the same kind of log.")],
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    *,
    json: Json = False,
) -> None:
    """Measure a model on a split: AUC, accuracy, log loss, calibration error."""
    from farthing.recommend import console
    from farthing.recommend.evaluation import evaluate_folder

    console.show_metrics(evaluate_folder(model, data, split), title=f"{model} on {data} ({split})", as_json=json)


@app.command(
    epilog=epilog(
        "export run --out model",
        "export model --to onnx --out model.onnx",
        "export model --to torch --out t.safetensors",
    )
)
def export(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run; with --to also a model folder.")],
    out: Annotated[Path, typer.Option(help="The model folder; an .onnx or .safetensors file with --to.")],
    to: Annotated[
        Target | None, typer.Option(help="onnx: the whole model; torch, fbgemm: its tables as their rows.")
    ] = None,
    bits: Annotated[str | None, typer.Option(help="Of the rows: 8, 4 or 2; default: the tables' own, 2 for 1.")] = None,
) -> None:
    """Pack a run's best weights into a model folder that scores raw rows, or into another program's format."""
    from farthing.recommend.export import export_to, row_bits
    from farthing.recommend.modelfolder import export_run, packed_bytes

    if to is not None:
        size = export_to(source, to, out, bits=row_bits(bits))
        say(f"{out}: {size / 1e6:.3f} MB for {to}; how to read it: docs/export.md")
        return
    if bits is not None:
        raise ConfigError("--bits: goes with --to torch and --to fbgemm; a model folder keeps the bits of the run")
    export_run(source, out)
    say(f"{out}: {packed_bytes(out) / 1e6:.3f} MB of weights and settings; look with: farthing inspect {out}")


@app.command(epilog=epilog("predict model log.tsv.gz --out scores.csv"))
def predict(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="Raw rows, with or without labels.")],
    out: Annotated[Path, typer.Option(help="Scores, .csv or .parquet.")],
    *,
    mmap: Annotated[
        bool, typer.Option("--mmap", help="Leave weights larger than memory on the disk; check them with verify.")
    ] = False,
) -> None:
    """Score raw rows: writes row (or the id column) and probability."""
    from farthing.recommend import console
    from farthing.recommend.modelfolder import load_model
    from farthing.recommend.predict import predict_log

    with console.counter("predict", total=None) as advance:
        rows = predict_log(load_model(model, is_mapped=mmap), logs, out, progress=advance)
    say(f"{out}: {rows:,} rows scored")


@app.command(epilog=epilog("serve model", "serve model --host 0.0.0.0 --token-file token.txt"))
def serve(
    model: Annotated[Path, typer.Argument(help="A model folder; when it is replaced, the new one is taken.")],
    *,
    host: Annotated[str, typer.Option(help="Where to listen; anything but this computer asks for a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="TCP port; 0 takes a free one.")] = 8080,
    threads: Annotated[int, typer.Option(min=1, help="For one call of the model.")] = 1,
    max_batch: Annotated[int, typer.Option(min=1, help="Rows in one request, and in one call of the model.")] = 4096,
    max_body: Annotated[str, typer.Option(help="The largest request, such as 500kB or 2MB.")] = "1MB",
    token_file: Annotated[Path | None, typer.Option(help="A file with the token that requests must carry.")] = None,
) -> None:
    """Score rows over HTTP until Ctrl-C or SIGTERM; SIGHUP loads the model again."""
    try:
        from farthing.recommend.serving import ServeConfig, serve_model
    except ModuleNotFoundError as error:
        raise ConfigError(f"serve needs {error.name}: pip install 'farthing[serve]'") from error
    from farthing.serve.sizes import parse_bytes

    config = ServeConfig(
        host=host,
        port=port,
        threads=threads,
        max_batch=max_batch,
        max_body=parse_bytes(max_body),
        token_file=token_file,
    )
    serve_model(model, config, announce=lambda url: say(f"{model}: listening on {url} (Ctrl-C stops)"))


@app.command(epilog=epilog("compare data --out table", "compare data --out table --bits 32,4,1 --seeds 5"))
def compare(
    data: Annotated[Path, typer.Argument(help="A folder that prepare wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for table, report, runs and models; run again to go on.")],
    bits: Annotated[list[str] | None, typer.Option(help="Bit widths; repeatable or comma-separated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings per row.")] = 3,
    min_count: MinCount = None,
    settings: Settings = None,
    jobs: Jobs = None,
    *,
    json: Json = False,
) -> None:
    """The table: full precision against few bits, measured, with a report to look at."""
    from farthing.recommend import console
    from farthing.recommend.session import Session

    with console.training_board() as board:
        session = Session(data, out, settings or [], min_count, jobs or os.cpu_count() or 1, board, say)
        widths = [parse_bits(value) for value in split_values(bits) or ["32", "8", "4", "2", "1"]]
        rows = session.compare(bits=widths, seeds=seeds)
    console.show_table(rows, out, as_json=json)


@app.command(
    epilog=epilog("bench model", "bench model --peers torch,onnxruntime --batch 1,2048 --threads 8 --json bench.json")
)
def bench(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    peers: Annotated[
        list[str] | None, typer.Option(help="torch, torch-int8, onnxruntime, fbgemm; default: all of them.")
    ] = None,
    batch: Annotated[list[str] | None, typer.Option(help="Rows in a call; default: 1,32,256,2048.")] = None,
    threads: Annotated[int | None, typer.Option(help="Measured beside one thread; default: the CPUs.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the rows to this file, for machines.")] = None,
) -> None:
    """Time a model against other engines that run the same weights, in turns in one process."""
    from farthing.recommend import console
    from farthing.recommend.bench import bench_model
    from farthing.recommend.modelfolder import load_model
    from farthing.recommend.peers.engine import PEERS, find_peers

    present, absent = find_peers(split_values(peers) or list(PEERS))
    sizes = console.parse_counts("--batch", split_values(batch) or ["1", "32", "256", "2048"])
    loaded = load_model(model)
    for name, line in absent.items():
        say(f"{name}: left out, it is not installed: {line}")
    with console.steps() as progress:
        counts = (1, os.cpu_count() or 1 if threads is None else threads)
        measured = bench_model(loaded, peers=present, batches=sizes, threads=counts, progress=progress)
    console.show_bench(measured)
    if json is not None:
        write_json(json, measured.rows)
