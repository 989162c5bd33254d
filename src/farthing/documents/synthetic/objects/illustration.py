"""Illustrations: a subject, in a technique, in a frame."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Drawing, Look
from farthing.documents.synthetic.fonts import CAPITALS, choose_font, make_words, paste, set_line
from farthing.documents.synthetic.objects import frames
from farthing.documents.synthetic.objects.scene import Scene
from farthing.documents.synthetic.objects.subjects import Subject, choose_subject
from farthing.documents.synthetic.objects.techniques import TECHNIQUES, Technique

# Per era, how often each technique is chosen.
_TECHNIQUES_OF = {
    "manuscript": {"painting": 5, "pen": 3, "wash": 1.5, "woodcut": 0.3},
    "print": {
        "woodcut": 3,
        "engraving": 4,
        "pen": 2,
        "crayon": 0.7,
        "white_line": 0.8,
        "photograph": 0.8,
        "wash": 0.4,
        "painting": 0.4,
    },
    "typescript": {"photograph": 4, "pen": 3, "crayon": 1, "wash": 0.7, "engraving": 0.7},
}
_SMALL = ("mark", "coat", "beasts", "herb", "geometry", "medal", "gathering", "saint")
_MIN_PICTURE = 12  # pixels of a side below which no frame is drawn around it


def draw_illustration(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Any subject in any technique that suits the era."""
    names = _TECHNIQUES_OF[look.era]
    weights = np.array(list(names.values()))
    technique = TECHNIQUES[list(names)[rng.choice(len(names), p=weights / weights.sum())]]
    return _compose(rng, look, choose_subject(rng), technique, (width, height))


def draw_vignette(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A small printed one, as on title pages: a device, arms, an oval scene."""
    technique = TECHNIQUES["engraving" if rng.random() < 0.6 else "woodcut"]
    subject = choose_subject(rng, ("mark", "coat", "mark", "landscape", "gathering", "medal"))
    return _compose(rng, look, subject, technique, (width, height))


def draw_miniature(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A framed painting in a manuscript."""
    subject = choose_subject(rng, ("gathering", "saint", "battle", "town", "landscape", "leaves"))
    return _compose(rng, look, subject, TECHNIQUES["painting"], (width, height))


def draw_marginal(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A sketch in the margin or at the foot: pen or wash, seldom painted, without a frame."""
    technique = TECHNIQUES[("pen", "pen", "wash", "painting")[rng.integers(4)]]
    subject = choose_subject(rng, _SMALL)
    return _picture(rng, look, subject, technique, (width, height))


def _compose(
    rng: np.random.Generator, look: Look, subject: Subject, technique: Technique, size: tuple[int, int]
) -> Drawing:
    """The picture in its frame, the two together of `size` (width, height)."""
    is_framed = subject.is_ground_covered or technique.covers or rng.random() < 0.2
    if not is_framed or min(size) < 2 * _MIN_PICTURE:
        return _picture(rng, look, subject, technique, size)
    if technique is TECHNIQUES["painting"] and rng.random() < 0.85:
        return _in_band(rng, look, subject, technique, size)
    kind = rng.choice(
        ["rectangle", "rules", "heavy", "band", "oval", "arch", "fade"], p=[0.18, 0.27, 0.17, 0.08, 0.12, 0.05, 0.13]
    )
    if kind == "band":
        return _in_band(rng, look, subject, technique, size)
    return _in_shape(rng, look, subject, technique, size, str(kind))


def _in_shape(
    rng: np.random.Generator, look: Look, subject: Subject, technique: Technique, size: tuple[int, int], kind: str
) -> Drawing:
    width, height = size
    drawing = _picture(rng, look, subject, technique, size)
    mask = frames.shape_mask(rng, kind, width, height)
    drawing = Drawing(color=drawing.color, alpha=drawing.alpha * mask)
    if kind in ("rules", "heavy"):
        frames.ink_over(drawing, frames.rules(rng, width, height, heavy=kind == "heavy"), look.ink)
    elif kind == "oval":
        frames.ink_over(drawing, frames.oval_rules(rng, width, height), look.ink)
    return drawing


def _in_band(
    rng: np.random.Generator, look: Look, subject: Subject, technique: Technique, size: tuple[int, int]
) -> Drawing:
    width, height = size
    is_painted = technique is TECHNIQUES["painting"]
    band = int(np.clip(min(size) * rng.uniform(0.03, 0.12), 2, 26))
    if is_painted:
        sheet = frames.painted_bands(rng, look, width, height, band)
    else:
        sheet = frames.empty_sheet(width, height, look.ink)
        frames.ink_over(sheet, frames.ornament_band(rng, width, height, band), look.ink)
    inner = _picture(rng, look, subject, technique, (width - 2 * band, height - 2 * band))
    if is_painted and rng.random() < 0.2:
        inner = Drawing(color=inner.color, alpha=inner.alpha * frames.shape_mask(rng, "arch", *inner.alpha.shape[::-1]))
        sheet.alpha[: height // 2] *= np.float32(rng.uniform(0, 1) > 0.5)
    frames.put(sheet, inner, band, band)
    return sheet


def _picture(
    rng: np.random.Generator, look: Look, subject: Subject, technique: Technique, size: tuple[int, int]
) -> Drawing:
    """The subject in the technique, without a frame, now and then with letters or a line of text below."""
    width, height = size
    scene = Scene(rng, width, height)
    scene.line_width = rng.uniform(*technique.line_width) * (0.7 + 0.3 * min(1.0, scene.size / 150))
    subject.draw(scene)
    drawing = technique.render(scene, look)
    num_letters = int(rng.integers(2, 14)) if subject.is_schematic and rng.random() < 0.7 else 0
    if num_letters or (scene.size > 120 and rng.random() < 0.12):
        frames.ink_over(drawing, _lettering(rng, look, size, num_letters), look.ink)
    return drawing


def _lettering(
    rng: np.random.Generator, look: Look, size: tuple[int, int], num_letters: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Letters here and there, or without any a caption along the lower edge."""
    width, height = size
    sheet = np.zeros((height, width), np.float32)
    font = choose_font(rng, "italic" if rng.random() < 0.5 else "roman")
    letter_size = max(5.0, look.body_px * rng.uniform(0.6, 1.0))
    for _ in range(num_letters):
        letter = set_line(CAPITALS[rng.integers(len(CAPITALS))], font, letter_size)
        paste(sheet, letter, rng.uniform(0, width), rng.uniform(0, height))
    if not num_letters:
        line = set_line(make_words(rng, int(rng.integers(10, 40))), font, letter_size)[:, :width]
        paste(sheet, line, (width - line.shape[1]) / 2, height - line.shape[0] - 2)
    return sheet
