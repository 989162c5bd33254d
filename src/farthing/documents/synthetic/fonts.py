"""Type: the fonts that are installed, and lines set in them.

matplotlib brings its own fonts, so that there are always some; those of the system add to the variety where there are.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from farthing.documents.synthetic.drawing import Era, Floats

LETTERS = "etaoinshrdlucmfwypvbgkqjxz"
CAPITALS = "ABCDEFGHIKLMNOPQRSTVXZ"

_SYSTEM = Path("/usr/share/fonts")
# Stems of file names, roman and italic and heavy of a kind. Symbol and mathematics fonts have no alphabet.
_KINDS: dict[str, tuple[str, ...]] = {
    "roman": ("STIXGeneral", "cmr10", "DejaVuSerif", "DejaVuSerifCondensed", "LiberationSerif-Regular"),
    "italic": ("STIXGeneralItalic", "cmti10", "DejaVuSerif-Italic", "LiberationSerif-Italic"),
    "heavy": ("STIXGeneralBol", "cmb10", "DejaVuSerif-Bold", "DejaVuSerifCondensed-Bold", "LiberationSerif-Bold"),
    "typewriter": ("cmtt10", "DejaVuSansMono", "LiberationMono-Regular"),
    "sans": ("DejaVuSans", "cmss10", "DejaVuSans-Bold", "DejaVuSansCondensed", "LiberationSans-Regular"),
}
KINDS = tuple(_KINDS)
_MIN_SIZE = 3


@lru_cache(maxsize=1)
def find_fonts() -> dict[str, tuple[Path, ...]]:
    """The files of each kind ("roman", "italic", "heavy", "typewriter", "sans"), at least one, in a fixed order."""
    import matplotlib as mpl

    bundled = Path(mpl.get_data_path()) / "fonts" / "ttf"
    files = {path.stem: path for path in sorted(_SYSTEM.rglob("*.ttf"))}
    files |= {path.stem: path for path in sorted(bundled.glob("*.ttf"))}
    return {kind: tuple(files[stem] for stem in stems if stem in files) for kind, stems in _KINDS.items()}


def choose_font(rng: np.random.Generator, kind: str) -> Path:
    """A file of that kind.

    Args:
        rng: draws it.
        kind: one of `KINDS`.
    """
    files = find_fonts()[kind]
    return files[rng.integers(len(files))]


@lru_cache(maxsize=256)
def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def set_line(text: str, path: Path, size: float, *, stretch: float = 1.0) -> Floats:
    """f32 [height, width] in [0, 1], the line of text cut to its letters, at least one pixel.

    Args:
        text: what it says; an empty line is one empty pixel.
        path: the font's file.
        size: ascender to descender, about, in page pixels; below 3 is taken for 3.
        stretch: width of the letters against the font's.
    """
    font = _load(path, max(_MIN_SIZE, round(size)))
    left, top, right, bottom = (int(side) for side in font.getbbox(text))
    if right <= left or bottom <= top:
        return np.zeros((1, 1), np.float32)
    image = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(image).text((-left, -top), text, fill=255, font=font)
    if stretch != 1.0:
        image = image.resize((max(1, round(image.width * stretch)), image.height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32) * np.float32(1 / 255)


def paste(sheet: Floats, ink: Floats, x: float, y: float) -> None:
    """Adds ink to a sheet, in place; what falls outside is lost.

    Args:
        sheet: f32 [height, width] in [0, 1].
        ink: f32 [h, w] in [0, 1].
        x: left side on the sheet.
        y: upper side on the sheet.
    """
    x0, y0 = round(x), round(y)
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = min(ink.shape[1], sheet.shape[1] - x0), min(ink.shape[0], sheet.shape[0] - y0)
    if right > left and bottom > top:
        window = sheet[y0 + top : y0 + bottom, x0 + left : x0 + right]
        np.maximum(window, ink[top:bottom, left:right], out=window)


def make_word(rng: np.random.Generator, length: int, *, first: str = "lower") -> str:
    """Letters at the frequencies of a western language; `first` is "lower", "title" or "upper"."""
    # Squaring a uniform draw favours the front of the list, which is sorted by frequency.
    word = "".join(LETTERS[int(len(LETTERS) * draw * draw)] for draw in rng.random(length))
    return {"lower": word, "title": word.title(), "upper": word.upper()}[first]


def make_words(rng: np.random.Generator, num_letters: int, *, first: str = "lower") -> str:
    """Words of 1 to 11 letters, about `num_letters` in all, a blank between."""
    words = []
    while num_letters > 0:
        length = int(rng.integers(1, 12))
        words.append(make_word(rng, length, first=first))
        num_letters -= length + 1
    return " ".join(words)


def kinds_of(era: Era) -> tuple[str, ...]:
    """The kinds of type that a page of the era is set in."""
    return {
        "manuscript": ("italic", "roman"),
        "print": ("roman", "italic", "heavy", "roman"),
        "typescript": ("typewriter", "typewriter", "sans"),
    }[era]
