"""`farthing documents ...`: reads options, calls the library, shows what came out.

Heavy imports wait until a command runs, so that help is instant.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from farthing.options import Json, Resume, Settings, new_app, parse_bits, split_values
from farthing.options import epilog as examples_of
from farthing.terminal import say

app = new_app("Pages of scanned documents that show certain objects, found without labels, with a stated recall.")
epilog = partial(examples_of, "documents")

SHEET_PAGES = 40
LOOKALIKES = 1500  # synthetic pages for one adaptation
CROP_PIXELS = 512  # long side; more than any feature of discover looks at

Grouping = Literal["folder", "pdf", "manifest"]
Pages = Annotated[str, typer.Argument(metavar="PAGES", help="A folder, PDF, IIIF or METS manifest (file or address).")]
Model = Annotated[str, typer.Argument(metavar="RUN|builtin", help="A run, a model folder, or the shipped `builtin`.")]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where there is one.")]
Filtered = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that filter wrote.")]


@app.command(
    name="filter",
    epilog=epilog(
        "filter builtin scans --contains illustration --out found",
        "filter builtin book.pdf --contains illustration,stamp --out found --group pdf --crops",
    ),
)
def filter_command(
    model: Model,
    pages: Pages,
    out: Annotated[Path, typer.Option(help="The folder of results.")],
    contains: Annotated[list[str] | None, typer.Option(help="Wanted classes; default: all that it knows.")] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Keep pages from this score on.")] = 0.3,
    group: Annotated[Grouping | None, typer.Option(help="Also judge whole documents: what makes one.")] = None,
    *,
    crops: Annotated[bool, typer.Option("--crops", help="Cut every found object out, for discover.")] = False,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Look through a collection and keep the pages that show what you want."""
    from farthing.documents import console
    from farthing.documents.filtering.filter import FilterConfig, filter_pages
    from farthing.documents.filtering.progress import PageBar
    from farthing.documents.net.predict import PageDetector

    config = FilterConfig(
        contains=tuple(split_values(contains)),
        threshold=threshold,
        group=group,
        crop_pixels=CROP_PIXELS if crops else None,
    )
    detector = PageDetector.load(model)
    with PageBar() as bar:
        result = filter_pages(detector, pages, out, config, resume=resume, progress=bar)
    console.show_filtered(result, out, as_json=json)


@app.command(epilog=epilog("review found", "review found --port 8080"))
def review(
    folder: Filtered,
    host: Annotated[str, typer.Option(help="Where to listen; others than this computer need the token shown.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    pages: Annotated[Path | None, typer.Option(help="The collection, if it has moved since.")] = None,
) -> None:
    """Look at what was kept, doubted and rejected in the browser, and correct it; Ctrl-C stops."""
    from farthing.documents.review.server import run_review
    from farthing.web.server import Address

    address = Address(host=host, port=port)
    run_review(folder, address=address, pages=pages, announce=lambda url: say(f"open {url} (Ctrl-C stops)"))


@app.command(
    epilog=epilog(
        "calibrate found --sample 200 --out todo.csv",
        "calibrate found --labels todo.csv --recall 0.95 --confidence 0.95",
        "calibrate found --more --out todo.csv",
    )
)
def calibrate(
    folder: Filtered,
    sample: Annotated[int | None, typer.Option(min=1, help="Draw so many pages to look at.")] = None,
    out: Annotated[Path | None, typer.Option(help="The pages to look at: fill in 1 or 0 (or use review).")] = None,
    labels: Annotated[Path | None, typer.Option(help="Answers: columns page, contains.")] = None,
    recall: Annotated[float, typer.Option(help="Share of the wanted pages to keep.")] = 0.95,
    confidence: Annotated[float, typer.Option(help="How sure the promise is.")] = 0.95,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    *,
    more: Annotated[bool, typer.Option("--more", help="Double the sample; earlier answers stay.")] = False,
    json: Json = False,
) -> None:
    """State a recall: draw pages to look at (--sample), then set the threshold from the answers."""
    from farthing.documents import console
    from farthing.documents.recall import calibrate as library

    if sample is not None or more:
        state = (
            library.sample_more(folder, out=out)
            if sample is None
            else library.sample_pages(folder, sample, seed=seed, out=out)
        )
        console.show_sample(state, folder, out, as_json=json)
    else:
        result = library.calibrate(folder, labels=labels, recall=recall, confidence=confidence)
        console.show_calibration(result, folder, as_json=json)


@app.command(epilog=epilog("export found --to coco", "export found --to alto --out annotations"))
def export(
    folder: Filtered,
    to: Annotated[str, typer.Option(help="coco, alto, page, yolo, labelstudio, iiif or csv.")],
    out: Annotated[Path | None, typer.Option(help="Default: DIR/export/FORMAT.")] = None,
) -> None:
    """Write the kept pages and their objects as annotations that other programs read."""
    from farthing.documents.filtering.export import export_annotations

    say(f"{export_annotations(folder, format=to, out=out)}: written")


@app.command(
    epilog=epilog(
        "train pages --out run",
        "train pages more-pages --out run --resume",
        "train pages --out run --set train.num_images=20000 --device cuda",
    )
)
def train(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Labelled pages: COCO, PAGE, ALTO, YOLO.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    preset: Annotated[str, typer.Option(help="tiny, or accurate (needs farthing[accurate]).")] = "tiny",
    init: Annotated[Path | None, typer.Option(help="Start from the weights of an earlier run.")] = None,
    settings: Settings = None,
    seed: Annotated[int, typer.Option(help="Of initial weights, held-out pages, order and variations.")] = 0,
    device: Device = "auto",
    *,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Train a detector on labelled pages, in float and then in 8 bits; Ctrl-C saves and --resume goes on."""
    from farthing.base.config import apply_overrides
    from farthing.documents import console
    from farthing.documents.presets import build_preset
    from farthing.documents.training.runs import train_detector

    config = apply_overrides(build_preset(preset), settings or [])
    with console.training_board() as board:
        result = train_detector(data, config, out, seed=seed, device=device, init=init, resume=resume, progress=board)
    console.show_trained(result, out, as_json=json)


@app.command(
    epilog=epilog("pretrain scans --out eyes", "pretrain scans --out eyes --set num_images=60000 --device cuda")
)
def pretrain(
    pages: Pages,
    out: Annotated[Path, typer.Option(help="The run folder; train --init takes it.")],
    settings: Settings = None,
    seed: Annotated[int, typer.Option(help="Of initial weights, order, variations and hidden squares.")] = 0,
    device: Device = "auto",
    *,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Train a detector's eyes on pages without labels: hidden squares are to be told from the rest."""
    from farthing.base.config import apply_overrides
    from farthing.documents import console
    from farthing.documents.adaptation.pretrain import PretrainConfig, pretrain_backbone
    from farthing.documents.presets import build_preset

    config = apply_overrides(PretrainConfig(), settings or [])
    with console.training_board() as board:
        result = pretrain_backbone(
            pages, build_preset("tiny"), out, config=config, seed=seed, device=device, resume=resume, progress=board
        )
    console.show_pretrained(result, out, as_json=json)


@app.command(
    epilog=epilog(
        "find builtin scans --like stamp.png --out found",
        "find run scans --like a.png --like b.png --like c.png --out found --name stamp",
    )
)
def find(
    model: Model,
    pages: Pages,
    like: Annotated[list[Path], typer.Option(help="A picture cut closely around one example; one to five of them.")],
    out: Annotated[Path, typer.Option(help="The folder of results, as filter writes it.")],
    name: Annotated[str, typer.Option(help="What it is; what the model knows by this name counts too.")] = "example",
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Keep pages from this score on.")] = 0.3,
    settings: Settings = None,
    seed: Annotated[int, typer.Option(help="Of learning the examples.")] = 0,
    device: Device = "auto",
    *,
    crops: Annotated[bool, typer.Option("--crops", help="Cut every found object out, for discover.")] = False,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Learn what one to five examples show, in a minute, and look through a collection for it."""
    from farthing.base.config import apply_overrides
    from farthing.documents import console
    from farthing.documents.filtering.filter import FilterConfig, filter_pages
    from farthing.documents.filtering.progress import PageBar
    from farthing.documents.net.predict import load_named
    from farthing.documents.query.find import learn_examples
    from farthing.documents.query.querylearner import FindConfig

    config = apply_overrides(FindConfig(name=name), settings or [])
    filtering = FilterConfig(contains=(config.name,), threshold=threshold, crop_pixels=CROP_PIXELS if crops else None)
    with console.training_board() as board:
        detector = learn_examples(
            load_named(model), pages, out / "query", like=like, config=config, seed=seed, device=device, progress=board
        )
    with PageBar() as bar:
        result = filter_pages(detector, pages, out, filtering, resume=resume, progress=bar)
    console.show_filtered(result, out, as_json=json)


@app.command(
    epilog=epilog(
        "adapt run --target scans --out adapted",
        "adapt run --target scans --synthetic like-scans --out adapted",
    )
)
def adapt(
    run: Annotated[Path, typer.Argument(help="A finished run.")],
    target: Annotated[str, typer.Option(metavar="PAGES", help="The collection to adapt to; needs no labels.")],
    out: Annotated[Path, typer.Option(help="The new run: the adapted model, or the old one if that seems better.")],
    synthetic: Annotated[
        list[Path] | None, typer.Option(help="What synthesize --like made from it; made anew where not given.")
    ] = None,
    settings: Settings = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    device: Device = "auto",
    *,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Adapt a detector to a collection without labels; the old one stays unless the new one passes a check."""
    from farthing.base.config import apply_overrides
    from farthing.documents import console
    from farthing.documents.adaptation.adapt import AdaptConfig, Target, adapt_detector
    from farthing.documents.adaptation.lookalikes import make_lookalikes
    from farthing.documents.filtering.progress import PageBar
    from farthing.documents.net.predict import PageDetector

    config = apply_overrides(AdaptConfig(), settings or [])
    if not synthetic:
        classes = PageDetector.load(run).classes
        with PageBar() as bar:
            synthetic = [
                make_lookalikes(
                    target,
                    out.with_name(f"{out.name}-pages"),
                    LOOKALIKES,
                    classes=classes,
                    seed=seed,
                    jobs=os.cpu_count() or 1,
                    progress=bar,
                )
            ]
    with console.training_board() as board:
        result = adapt_detector(
            run,
            Target(pages=target, labelled=synthetic),
            out,
            config=config,
            seed=seed,
            device=device,
            resume=resume,
            progress=board,
        )
    console.show_adapted(result, out, as_json=json)


@app.command(
    epilog=epilog(
        "synthesize --pages 1000 --out pages",
        "synthesize --pages 2000 --like scans --out like-scans",
        "synthesize --pages 200 --classes illustration,stamp --out pages --sheet sheet.png",
    )
)
def synthesize(
    pages: Annotated[int, typer.Option(min=1, help="Pages to make.")],
    out: Annotated[Path, typer.Option(help="The folder of images and their COCO annotations.")],
    classes: Annotated[list[str] | None, typer.Option(help="What pages show; default: everything known.")] = None,
    like: Annotated[
        str | None, typer.Option(metavar="PAGES", help="Pages without labels whose paper, type and light are taken on.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(help="Also draw the first pages with their boxes, as a PNG.")] = None,
    settings: Settings = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: the CPUs.")] = None,
    *,
    json: Json = False,
) -> None:
    """Make labelled pages of old books, manuscripts and typescripts, to train on."""
    from farthing.base.config import apply_overrides
    from farthing.documents import console
    from farthing.documents.classes import CLASSES
    from farthing.documents.filtering.progress import PageBar
    from farthing.documents.synthetic.config import SynthesisConfig
    from farthing.documents.synthetic.contact import write_sheet
    from farthing.documents.synthetic.fit import fit_collection
    from farthing.documents.synthetic.write import write_pages

    config = apply_overrides(SynthesisConfig(classes=tuple(split_values(classes)) or CLASSES), settings or [])
    look = fit_collection(like) if like is not None else None
    if sheet is not None:
        write_sheet(sheet, min(pages, SHEET_PAGES), seed=seed, config=config, like=look)
    with PageBar() as bar:
        made = write_pages(
            out, pages, config=config, seed=seed, like=look, jobs=jobs or os.cpu_count() or 1, progress=bar
        )
    console.show_synthesis(made, out, as_json=json)


@app.command(epilog=epilog("evaluate run pages", "evaluate builtin annotated-pages --json"))
def evaluate(
    model: Model,
    data: Annotated[Path, typer.Argument(help="Labelled pages: COCO, PAGE, ALTO, YOLO, Label Studio, CSV.")],
    *,
    json: Json = False,
) -> None:
    """Measure a detector on labelled pages: page AP, what 95 % recall costs, box AP50."""
    from farthing.documents import console
    from farthing.documents.filtering.progress import PageBar
    from farthing.documents.judging.evaluation import evaluate_on
    from farthing.documents.net.predict import PageDetector
    from farthing.documents.training.data import read_pages

    detector = PageDetector.load(model)
    pages = read_pages([data], detector.classes)
    with PageBar() as bar:
        bar.start("measure", total=len(pages))
        result = evaluate_on(detector, pages, advance=bar.advance)
    console.show_evaluation(result, title=f"{model} on {data}", as_json=json)


@app.command(epilog=epilog("compare pages --out table", "compare pages --out table --bits 32,8,4 --seeds 1"))
def compare(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Labelled pages to train and measure on.")],
    out: Annotated[Path, typer.Option(help="The folder of trainings, table and report.")],
    bits: Annotated[list[str] | None, typer.Option(help="Of 32, 8, 4, 2; default 32,8,4.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of every width.")] = 3,
    test: Annotated[Path | None, typer.Option(help="Labelled pages to measure on; default: a fifth of DATA.")] = None,
    preset: Annotated[str, typer.Option(help="As for train.")] = "tiny",
    settings: Settings = None,
    device: Device = "auto",
    *,
    json: Json = False,
) -> None:
    """Compare detectors in several bit widths: page AP, box AP50, size, pages per second."""
    from farthing.base.config import apply_overrides
    from farthing.documents import console
    from farthing.documents.judging.compare import compare_bits
    from farthing.documents.presets import build_preset

    config = apply_overrides(build_preset(preset), settings or [])
    widths = [parse_bits(text) for text in split_values(bits) or ["32", "8", "4"]]
    with console.training_board() as board:
        rows = compare_bits(
            data, out, bits=widths, seeds=seeds, config=config, test=test, device=device, progress=board
        )
    console.show_comparison(rows, out, as_json=json)
