"""`farthing discover ...`: reads options, calls the library, shows what came out.

Heavy imports wait until a command runs, so that help is instant.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from farthing.base.errors import ConfigError
from farthing.options import Json, Resume, Settings, new_app, parse_bits, split_values
from farthing.options import epilog as examples_of
from farthing.terminal import say

app = new_app("Sort images into known classes and new ones, with probabilities, and look at what was found.")
epilog = partial(examples_of, "discover")

Images = Annotated[Path, typer.Argument(metavar="IMAGES", help="A folder of images, or of one folder per known class.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that fit wrote.")]
Labels = Annotated[Path | None, typer.Option(help="CSV: image,label; an empty label is none. Further columns stay.")]
Truth = Annotated[Path, typer.Option(help="CSV: image,label and, if they differ from the fit's, known,labelled.")]
Source = Annotated[str, typer.Option("--features", metavar="SOURCE", help="builtin, selfsup, FILE.npy or hf:FOLDER.")]
Listing = Annotated[
    Path | None, typer.Option("--images", metavar="LIST", help="The image of each row of FILE.npy, one per line.")
]
Classes = Annotated[str, typer.Option(metavar="K|auto", help="Known and new classes together, where you know it.")]
FEATURE_BITS: tuple[Literal[32, 8, 1], ...] = (32, 8, 1)
Seed = Annotated[int, typer.Option(help="The same images and seed give the same result.")]


@app.command(
    epilog=epilog(
        "fit crops --labels labels.csv --out run",
        "fit class-folders --out run --classes 40",
        "fit crops --out run --resume",
    )
)
def fit(
    images: Images,
    out: Annotated[Path, typer.Option(help="The folder of results.")],
    labels: Labels = None,
    features: Source = "builtin",
    listing: Listing = None,
    classes: Classes = "auto",
    settings: Settings = None,
    seed: Seed = 0,
    *,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Sort a collection; --resume goes on, or takes up what you decided in the gallery."""
    from farthing.base.config import apply_overrides
    from farthing.discover import console
    from farthing.discover.fit import Request, fit_collection
    from farthing.discover.fitconfig import FitConfig

    config = apply_overrides(FitConfig(), settings or [])
    request = Request(
        images=images,
        labels=labels,
        source=features,
        listing=listing,
        num_classes=_num_classes(classes),
        config=config,
        seed=seed,
    )
    with console.StageLine() as line:
        summary = fit_collection(request, out, resume=resume, progress=line)
    console.show_fit(summary, out, as_json=json)


@app.command(epilog=epilog("assign run new-images --out assignments.csv"))
def assign(
    run: Run,
    images: Images,
    out: Annotated[Path, typer.Option(help="The table, as fit writes it.")],
    features: Annotated[
        str | None, typer.Option(metavar="FILE.npy", help="Where the run was made with features from a file.")
    ] = None,
    listing: Listing = None,
    *,
    json: Json = False,
) -> None:
    """Sort new images into the classes of a run, without fitting again."""
    from farthing.discover import console
    from farthing.discover.assign import assign_images

    with console.StageLine() as line:
        result = assign_images(run, images, out, source=features, listing=listing, progress=line)
    console.show_assigned(result, out, as_json=json)


@app.command(epilog=epilog("gallery run", "gallery run --port 8080"))
def gallery(
    run: Run,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    images: Annotated[Path | None, typer.Option(help="The folder of images, if it has moved since.")] = None,
) -> None:
    """Look at the classes in the browser: rename, merge, split, mark what is wrong; Ctrl-C stops."""
    from farthing.discover.gallery.server import serve_gallery
    from farthing.discover.recut import read_cut
    from farthing.discover.rundata import read_summary

    read_summary(run)
    serve_gallery(
        run, port=port, images=images, cut=read_cut(run), announce=lambda url: say(f"open {url} (Ctrl-C stops)")
    )


@app.command(
    epilog=epilog(
        "export run --to csv --out named.csv",
        "export run --to folders --out named",
        "export run --to coco --out annotations",
    )
)
def export(
    run: Run,
    to: Annotated[str, typer.Option(help="csv, folders or coco.")],
    out: Annotated[Path, typer.Option(help="csv: a file; else a folder.")],
    pages: Annotated[
        Path | None, typer.Option(help="coco: the page images, where the filter's folder is gone.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Write the named classes for other programs; crops go back to their pages as COCO boxes."""
    from farthing.discover import console
    from farthing.discover.export import export_run

    console.show_export(export_run(run, to, out, pages=pages), as_json=json)


@app.command(epilog=epilog("evaluate run --truth truth.csv", "evaluate run --truth truth.csv --json"))
def evaluate(run: Run, truth: Truth, *, json: Json = False) -> None:
    """Judge a run by the truth: accuracy of known and new classes, many and few, calibration."""
    from farthing.discover import console
    from farthing.discover.evaluation import evaluate_run

    console.show_evaluation(evaluate_run(run, truth), title=str(run), as_json=json)


@app.command(
    epilog=epilog(
        "compare images --labels labels.csv --truth truth.csv --out table",
        "compare images --labels labels.csv --truth truth.csv --out table --bits 32,8,1 --seeds 5",
    )
)
def compare(
    images: Images,
    truth: Truth,
    out: Annotated[Path, typer.Option(help="The folder of the table.")],
    labels: Labels = None,
    bits: Annotated[list[str] | None, typer.Option(help="Of the features: 32, 8, 1.")] = None,
    classes: Classes = "truth",
    features: Source = "builtin",
    listing: Listing = None,
    settings: Settings = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often every row is measured.")] = 3,
    *,
    json: Json = False,
) -> None:
    """Compare all heads and feature widths with the truth in one table; K is the truth's unless you say otherwise."""
    from farthing.base.config import apply_overrides
    from farthing.discover import console
    from farthing.discover.compare import compare_heads
    from farthing.discover.fit import Request
    from farthing.discover.fitconfig import FitConfig

    request = Request(
        images=images,
        labels=labels,
        source=features,
        listing=listing,
        num_classes=None if classes == "truth" else _num_classes(classes),
        config=apply_overrides(FitConfig(), settings or []),
        seed=0,
    )
    widths = [_feature_bits(text) for text in split_values(bits) or ["32"]]
    with console.StageLine() as line:
        rows = compare_heads(request, out, truth=truth, bits=widths, seeds=seeds, progress=line)
    console.show_comparison(rows, out, as_json=json)


@app.command(
    epilog=epilog(
        "split class-folders --out benchmark",
        "split class-folders --out benchmark --imbalance 100 --largest 1000 --seed 3",
    )
)
def split(
    images: Images,
    out: Annotated[Path, typer.Option(help="A new folder: images, labels.csv and truth.csv.")],
    labels: Labels = None,
    known: Annotated[float, typer.Option(help="Share of the classes that are known.")] = 0.5,
    labelled: Annotated[float, typer.Option(help="Share of the images of a known class that are labelled.")] = 0.5,
    imbalance: Annotated[
        float | None, typer.Option(help="Largest class divided by smallest; left out: the sizes there are.")
    ] = None,
    largest: Annotated[int, typer.Option(help="Images of the largest class, with --imbalance.")] = 1000,
    least: Annotated[int, typer.Option(help="Classes with fewer images are left out.")] = 5,
    seed: Seed = 0,
    *,
    json: Json = False,
) -> None:
    """Draw a benchmark from labelled images: known and new classes, a long tail."""
    from farthing.discover import console
    from farthing.discover.splitfolder import write_split
    from farthing.discover.splits import SplitConfig

    config = SplitConfig(known=known, labelled=labelled, imbalance=imbalance, largest=largest, least=least)
    console.show_split(write_split(images, out, config, labels=labels, seed=seed), out, as_json=json)


def _feature_bits(text: str) -> Literal[32, 8, 1]:
    bits = parse_bits(text)
    for width in FEATURE_BITS:
        if bits == width:
            return width
    raise ConfigError(f"--bits must be of {', '.join(map(str, FEATURE_BITS))}, got {bits}")


def _num_classes(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"--classes must be a number >= 1 or auto, got {text!r}")
    return int(text)
