"""6: names that try to lead out of a folder, through every door that names come in by."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

from farthing.base.errors import FarthingError
from farthing.documents.collection.pages import open_collection
from farthing.documents.collection.paths import inside
from farthing.documents.formats.locate import find_page
from farthing.documents.formats.records import Warnings
from tests.soak.outcome import Budget, Outcome
from tests.vision.hostile import drawing, encoded

SECRET = "secret.png"
PARTS = ("..", ".", "", "a", "\0", "\u2025", "\uff0e\uff0e", "%2e%2e", "..\\", "C:", "~", "link", "a" * 300, "\udce4")
STARTS = ("", "/", "//", "\\", "file:///", "link/", "./", "a/../")


def paths_stay_inside(budget: Budget, folder: Path) -> Outcome:
    """The only image lies outside, so that whatever finds or reads one has escaped."""
    root, outside = folder / "root", folder / "outside"
    for made in (root / "a", outside):
        made.mkdir(parents=True)
    (outside / SECRET).write_bytes(encoded(drawing(), "PNG"))
    (root / "link").symlink_to(outside)
    doors: dict[str, Callable[[Path, str], bool]] = {
        "path": _escapes_by_path,
        "annotation": lambda root, name: find_page(root, name, Warnings()) is not None,
        "request": _is_readable,
        "manifest": _escapes_by_manifest,
    }
    counts, escapes = dict.fromkeys(doors, 0), []
    for _ in budget.rounds():
        name = hostile_name(budget.random, outside)
        for door, has_escaped in doors.items():
            counts[door] += 1
            if _tried(has_escaped, root, name):
                escapes.append(f"{door} {name!r}")
    tried = ", ".join(f"{count:,} by {door}" for door, count in counts.items())
    first = f"; first: {escapes[0]}" if escapes else ""
    return Outcome(f"hostile names, {tried}: {len(escapes)} escapes{first}", not escapes)


def hostile_name(rng: random.Random, outside: Path) -> str:
    """A name that tries to leave."""
    if rng.random() < 0.1:
        return f"{outside}/{SECRET}"
    parts = [rng.choice(PARTS) for _ in range(rng.randint(0, 5))]
    if rng.random() < 0.3:
        parts = ["..", outside.name]
    name = rng.choice(STARTS) + rng.choice(("/", "/", "\\")).join([*parts, SECRET])
    return unicodedata.normalize("NFKC", name) if rng.random() < 0.3 else name


def _tried(has_escaped: Callable[[Path, str], bool], root: Path, name: str) -> bool:
    try:
        return has_escaped(root, name)
    except FarthingError:
        return False


def _escapes_by_path(root: Path, name: str) -> bool:
    return not inside(root, name).resolve().is_relative_to(root.resolve())


def _is_readable(root: Path, name: str) -> bool:
    return open_collection(root).source(name).load().width > 0


def _escapes_by_manifest(root: Path, name: str) -> bool:
    """Whether a page of a IIIF manifest in the folder, whose image has this name, can be read."""
    body = {"id": name, "type": "Image", "width": 64, "height": 96}
    annotation = {"type": "Annotation", "motivation": "painting", "body": body}
    canvas = {
        "id": name,
        "type": "Canvas",
        "width": 64,
        "height": 96,
        "items": [{"type": "AnnotationPage", "items": [annotation]}],
    }
    path = root / "manifest.json"
    path.write_text(json.dumps({"type": "Manifest", "id": "x", "items": [canvas]}))
    try:
        return any(page.load().width > 0 for page in open_collection(path).sources())
    finally:
        path.unlink()
