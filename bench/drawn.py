"""Collections to decide by, drawn anew from a seed: digits, letters of many fonts, packages on cluttered ground."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from sklearn.datasets import load_digits

from farthing.discover.problem import Labels
from farthing.vision.images import Pixels

Generator = np.random.Generator
Collection = tuple[list[Pixels], Labels]
Colour = tuple[int, int, int]

FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
LATIN, DIGITS = "abcdefghkmnpqrtuwxyABDEFGHJKLMNPQRTUWY", "023456789"
GREEK = "".join(map(chr, (*range(0x3B1, 0x3B9), 0x3BB, 0x3BC, 0x3BE, *range(0x3C0, 0x3C2), *range(0x3C6, 0x3CA))))
CYRILLIC = "".join(map(chr, (*range(0x431, 0x434), *range(0x436, 0x439), *range(0x444, 0x44A), 0x44B, 0x44E, 0x44F)))
ALPHABET = LATIN + DIGITS + GREEK + CYRILLIC + "&@#%?"
NUM_LETTERS, NUM_PACKAGES = 80, 60


def digits() -> Collection:
    """scikit-learn's 1,797 digits, u8 [32, 32, 3] each."""
    found = load_digits()
    return [_rgb(_digit(image)) for image in found.images], found.target.astype(np.int64)


def varied_digits(seed: int, *, copies: int = 6) -> Collection:
    """The same, each as so many distorted copies: classes large enough for sizes as uneven as 1,000 to 10."""
    rng = np.random.default_rng(seed)
    found = load_digits()
    images = [_rgb(_distorted(_digit(image), rng)) for image in found.images for _ in range(copies)]
    return images, np.repeat(found.target.astype(np.int64), copies)


def _digit(image: npt.NDArray[np.float64]) -> Image.Image:
    pixels = (image * 15.9).astype(np.uint8)
    return Image.fromarray(pixels).resize((32, 32), Image.Resampling.BICUBIC)


def letters(seed: int) -> Collection:
    """80 letters in the fonts of matplotlib, blurred, sheared, on stained paper; sizes 260 / rank^0.95, at least 5."""
    rng = np.random.default_rng(seed)
    files = [path for path in sorted(FONTS.glob("DejaVu*.ttf")) if "Display" not in path.stem]  # these lack letters
    fonts = [ImageFont.truetype(str(path), 34) for path in files]
    sizes = np.maximum(5, np.round(260 * np.arange(1, NUM_LETTERS + 1) ** -0.95)).astype(np.int64)
    labels = np.repeat(np.arange(NUM_LETTERS), sizes)
    shown = rng.permutation(list(ALPHABET))[:NUM_LETTERS]
    return [_rgb(_letter(str(shown[label]), fonts[rng.integers(len(fonts))], rng)) for label in labels], labels


def _letter(letter: str, font: ImageFont.FreeTypeFont, rng: Generator) -> Image.Image:
    image = Image.new("L", (56, 56), 255)
    ImageDraw.Draw(image).text((28, 28), letter, font=font, fill=0, anchor="mm")
    blurred = np.asarray(_distorted(image, rng, ground=255).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6))))
    stains = np.asarray(Image.fromarray(rng.normal(0, 1, (7, 7))).resize((56, 56), Image.Resampling.BICUBIC))
    noise = rng.normal(0, rng.uniform(5, 25), (56, 56))
    return Image.fromarray(np.clip(blurred + stains * rng.uniform(10, 45) + noise, 0, 255).astype(np.uint8))


def _distorted(image: Image.Image, rng: Generator, *, ground: int = 0) -> Image.Image:
    """Turned by up to 15 degrees, sheared, stretched and moved."""
    half = image.width / 2
    shear, wide, high = rng.uniform(-0.2, 0.2), *rng.uniform(0.85, 1.2, 2)
    x, y = half * (1 - wide - shear) + rng.uniform(-2, 2), half * (1 - high) + rng.uniform(-2, 2)
    turned = image.rotate(rng.uniform(-15, 15), resample=Image.Resampling.BICUBIC, fillcolor=ground)
    values = (wide, shear, x, 0, high, y)
    return turned.transform(
        image.size, Image.Transform.AFFINE, values, resample=Image.Resampling.BICUBIC, fillcolor=ground
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """What all pictures of a package share.

    Attributes:
        colour: of the upper half.
        lower: of the lower half.
        size: width and height in pixels.
        marks: ellipses and rectangles: left, top, width, height, each in [0, 1), and the colour.
        word: four letters in the middle.
        font: of the word.
    """

    colour: Colour
    lower: Colour
    size: tuple[int, int]
    marks: tuple[tuple[npt.NDArray[np.float64], Colour], ...]
    word: str
    font: ImageFont.FreeTypeFont


def packages(seed: int) -> Collection:
    """60 packages of 16 to 49 pictures each, four of each basic colour, turned, on cluttered ground; u8 [96, 96, 3]."""
    rng = np.random.default_rng(seed)
    basic = [rng.integers(30, 230, 3) for _ in range(15)]
    fonts = [ImageFont.truetype(str(FONTS / "DejaVuSans.ttf"), size) for size in (12, 20)]
    images: list[Pixels] = []
    labels: list[int] = []
    for label in range(NUM_PACKAGES):
        package = _draw_package(basic[label % 15], fonts[label % 2], rng)
        count = int(rng.integers(16, 50))
        images += [_picture(package, rng) for _ in range(count)]
        labels += [label] * count
    return images, np.array(labels)


def _draw_package(basic: npt.NDArray[np.int64], font: ImageFont.FreeTypeFont, rng: Generator) -> Package:
    colour = _colour(basic + rng.normal(0, 18, 3))
    return Package(
        colour=colour,
        lower=_random_colour(rng) if rng.random() < 0.5 else colour,
        size=(int(96 * rng.uniform(0.4, 0.75)), int(96 * rng.uniform(0.5, 0.85))),
        marks=tuple((rng.uniform(0, 1, 4), _random_colour(rng)) for _ in range(3)),
        word="".join(rng.choice(list("ABCDEFGHIKLMNOPRSTU"), 4)),
        font=font,
    )


def _picture(package: Package, rng: Generator) -> Pixels:
    image = _ground(rng)
    zoom = rng.uniform(0.7, 1.2)
    width, height = (max(8, int(side * zoom)) for side in package.size)
    turned = _front(package).resize((width, height)).convert("RGBA")
    turned = turned.rotate(rng.uniform(-25, 25), expand=True, resample=Image.Resampling.BICUBIC)
    x, y = (int(48 - side / 2 + rng.uniform(-14, 14)) for side in turned.size)
    image.paste(turned, (x, y), turned)
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2))), np.float64)
    lit = blurred * rng.uniform(0.5, 1.25) * rng.uniform(0.9, 1.1, 3)
    return np.clip(lit + rng.normal(0, 8, lit.shape), 0, 255).astype(np.uint8)


def _front(package: Package) -> Image.Image:
    width, height = package.size
    front = Image.new("RGB", package.size, package.colour)
    draw = ImageDraw.Draw(front)
    draw.rectangle((0, height // 2, width, height), fill=package.lower)
    for number, ((x, y, w, h), colour) in enumerate(package.marks):
        left, top = x * width * 0.7, y * height * 0.7
        shape = draw.ellipse if number % 2 else draw.rectangle
        shape((left, top, left + 8 + w * width * 0.4, top + 8 + h * height * 0.4), fill=colour)
    ink = (255, 255, 255) if np.mean(package.colour) < 128 else (0, 0, 0)
    draw.text((width / 2, height / 2), package.word, font=package.font, fill=ink, anchor="mm")
    return front


def _ground(rng: Generator) -> Image.Image:
    """Uneven light of one colour, and four rectangles of others."""
    light = np.asarray(Image.fromarray(rng.normal(0, 60, (6, 6))).resize((96, 96), Image.Resampling.BICUBIC))
    ground = Image.fromarray(np.clip(rng.integers(0, 255, 3) + light[..., None], 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(ground)
    for _ in range(4):
        corner, size = rng.uniform(-20, 96, 2), rng.uniform(10, 50, 2)
        draw.rectangle((*corner, *(corner + size)), fill=_random_colour(rng))
    return ground


def _rgb(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGB"))


def _random_colour(rng: Generator) -> Colour:
    return _colour(rng.uniform(0, 255, 3))


def _colour(values: npt.NDArray[np.float64]) -> Colour:
    red, green, blue = (int(value) for value in np.clip(values, 0, 255))
    return red, green, blue
