"""`farthing documents ...`: reads options, calls the library, shows what came out.

Heavy imports wait until a command runs, so that help is instant.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from farthing.options import Json, Resume, new_app, split_values
from farthing.options import epilog as examples_of
from farthing.terminal import say

app = new_app("Pages of scanned documents that show certain objects, found without labels, with a stated recall.")
epilog = partial(examples_of, "documents")

Grouping = Literal["folder", "pdf", "manifest"]
Pages = Annotated[str, typer.Argument(metavar="PAGES", help="A folder, PDF, IIIF or METS manifest (file or address).")]
Model = Annotated[str, typer.Argument(metavar="RUN|builtin", help="A run, a model folder, or the shipped `builtin`.")]
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
    from farthing.documents.filter import CROP_PIXELS, FilterConfig, filter_pages
    from farthing.documents.predict import PageDetector
    from farthing.documents.progress import PageBar

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
    from farthing.documents.review.server import Address, run_review

    address = Address(host=host, port=port)
    run_review(folder, address=address, pages=pages, announce=lambda url: say(f"open {url} (Ctrl-C stops)"))
