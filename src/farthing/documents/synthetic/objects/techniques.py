"""How a scene comes to paper: cut in wood or copper, drawn with a pen, photographed, painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, clipped, from_ink
from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.textures import blur, grain, halftone, hatching, rough_noise, worn

Render = Callable[[Scene, Look], Drawing]


@dataclass(frozen=True, kw_only=True, slots=True)
class Technique:
    """One way to render.

    Attributes:
        render: scene, look -> drawing of the scene's size.
        line_width: range of the contours' width in page pixels, set before the scene is drawn.
        covers: whether the drawing hides the paper to its sides, so that its box is that of the scene.
    """

    render: Render
    line_width: tuple[float, float]
    covers: bool = False


def render_woodcut(scene: Scene, look: Look) -> Drawing:
    """Thick contours, coarse parallel lines in the shadows, unevenly inked."""
    rng = scene.rng
    tone = clipped(blur(scene.tones(), 1.5) * np.float32(rng.uniform(0.9, 1.4)) - np.float32(rng.uniform(0.05, 0.3)))
    ink = hatching(rng, tone, period=rng.uniform(2.6, 6), angle=_directions(scene), waviness=rng.uniform(0, 2))
    np.maximum(ink, scene.outlines.ink(), out=ink)
    if rng.random() < 0.4:
        solid = clipped((tone - np.float32(rng.uniform(0.25, 0.6))) * 6) * (1 - scene.outlines.ink())
        np.maximum(ink, solid, out=ink)
    return from_ink(worn(rng, ink, rng.uniform(0, 0.45)), look.ink)


def render_engraving(scene: Scene, look: Look) -> Drawing:
    """Fine hatching in two or three directions over all that is not bright."""
    rng = scene.rng
    tone = blur(scene.tones(), rng.uniform(0.6, 2)) * np.float32(rng.uniform(0.8, 1.5)) + np.float32(
        rng.uniform(-0.1, 0.15)
    )
    tone += np.float32(0.3) * (rough_noise(rng, scene.width, scene.height, 0.2 * scene.size) - np.float32(0.5))
    tone = clipped(tone) * _ground(scene)
    period, angle = rng.uniform(1.8, 3.4), _directions(scene)
    ink = hatching(rng, tone, period=period, angle=angle, waviness=rng.uniform(0.5, 4))
    if rng.random() < 0.6:
        deep = clipped(tone - np.float32(0.35))
        np.maximum(ink, hatching(rng, deep, period=period, angle=rng.uniform(0, np.pi), waviness=2), out=ink)
    np.maximum(ink, scene.outlines.ink(), out=ink)
    return from_ink(ink * np.float32(rng.uniform(0.6, 1.0)), look.ink)


def render_pen(scene: Scene, look: Look) -> Drawing:
    """Contours with little or no shading: light and sparse."""
    rng = scene.rng
    ink = scene.outlines.ink()
    if rng.random() < 0.5:
        tone = clipped(blur(scene.tones(), 1.5) - np.float32(rng.uniform(0.2, 0.5)))
        shading = hatching(
            rng, tone, period=rng.uniform(3, 7), angle=rng.uniform(0, np.pi), waviness=rng.uniform(0.5, 3)
        )
        np.maximum(ink, shading * np.float32(0.8), out=ink)
    strength = rng.uniform(0.75, 1) if look.is_bitonal else rng.uniform(0.4, 1)
    colour = look.ink if rng.random() < 0.75 else _blend(look.ink, (120, 75, 40), rng.uniform(0.3, 0.9))
    return from_ink(worn(rng, ink * np.float32(strength), rng.uniform(0, 0.25)), colour)


def render_wash(scene: Scene, look: Look) -> Drawing:
    """Contours with thin paint in one or two tints."""
    rng = scene.rng
    tint = look.accents[rng.integers(len(look.accents))] if rng.random() < 0.5 else look.ink
    painted = blur(scene.tones(), 1.2) * np.float32(rng.uniform(0.35, 0.8))
    painted *= np.float32(0.75) + np.float32(0.25) * rough_noise(rng, scene.width, scene.height, 0.15 * scene.size)
    lines = scene.outlines.ink() * np.float32(rng.uniform(0.5, 1))
    share = (lines / np.maximum(lines + painted, 1e-3))[..., None]
    color = np.array(look.ink, np.float32) * share + np.array(tint, np.float32) * (1 - share)
    return Drawing(color=color.astype(np.uint8), alpha=np.maximum(lines, painted))


def render_crayon(scene: Scene, look: Look) -> Drawing:
    """A lithograph or aquatint: soft tone in grains."""
    rng = scene.rng
    tone = clipped(
        blur(scene.tones(), 1.5) * np.float32(rng.uniform(0.7, 1.3)) + np.float32(rng.uniform(-0.1, 0.15))
    ) * _ground(scene)
    depth = np.float32(rng.uniform(0.3, 0.9))
    specks = grain(rng, scene.width, scene.height, rng.uniform(1, 2.2))
    ink = clipped(tone + depth * (specks - np.float32(0.5)) * np.minimum(4 * tone, 1))
    np.maximum(ink, scene.outlines.ink() * np.float32(0.7), out=ink)
    return from_ink(ink * np.float32(rng.uniform(0.7, 1.0)), look.ink)


def render_white_line(scene: Scene, look: Look) -> Drawing:
    """A wood engraving of the nineteenth century: dark, the light cut out in fine lines."""
    rng = scene.rng
    light = clipped(np.float32(rng.uniform(0.75, 1.0)) - blur(scene.tones(), 1) * np.float32(0.9))
    cut = hatching(rng, light, period=rng.uniform(1.8, 3), angle=rng.uniform(0, np.pi), waviness=3)
    ink = np.maximum((1 - cut) * _ground(scene), scene.outlines.ink())
    return from_ink(ink * np.float32(rng.uniform(0.75, 1.0)), look.ink)


def render_photograph(scene: Scene, look: Look) -> Drawing:
    """Continuous grey, or the dots of a halftone screen; the contours all but vanish."""
    rng = scene.rng
    rank = rng.permutation(len(Material)).astype(np.float32) / len(Material)
    tone = np.float32(0.6) * rank[scene.materials()] + np.float32(0.6) * scene.tones()
    tone = blur(tone, rng.uniform(0.4, 1.4)) + np.float32(0.2) * scene.outlines.ink()
    clouds = rough_noise(rng, scene.width, scene.height, 0.25 * scene.size, octaves=4)
    tone += np.float32(rng.uniform(0.1, 0.4)) * clouds
    low, high = rng.uniform(-0.1, 0.15), rng.uniform(0.8, 1.15)
    gain = (high - low) / max(0.1, float(np.ptp(tone)))
    tone = clipped(np.float32(low) + (tone - tone.min()) * np.float32(gain))
    if rng.random() < 0.3 or look.is_bitonal:
        tone = halftone(tone, period=rng.uniform(1.6, 2.8), angle=rng.uniform(0, np.pi / 2))
    dark = _blend((25, 25, 25), (70, 45, 25), rng.uniform(0, 0.9))
    bright = _blend(look.paper, (245, 245, 240), rng.uniform(0, 1))
    white, black = np.array(bright, np.float32), np.array(dark, np.float32)
    color = white + tone[..., None] * (black - white)
    return Drawing(color=color.astype(np.uint8), alpha=np.ones(tone.shape, np.float32))


def render_painting(scene: Scene, look: Look) -> Drawing:
    """A miniature: opaque colours between dark contours, gold or diaper behind."""
    rng = scene.rng
    palette = _palette(rng)
    if rng.random() < 0.5:
        palette[[Material.SKY, Material.STONE]] = palette[Material.GOLD]
    color = palette[scene.materials()]
    shade = np.float32(1.1) - np.float32(rng.uniform(0.4, 0.9)) * blur(scene.tones(), 1)
    shade += np.float32(0.2) * (
        rough_noise(rng, scene.width, scene.height, 0.1 * scene.size, octaves=2) - np.float32(0.5)
    )
    lines = np.float32(rng.uniform(0.5, 1.0)) * scene.outlines.ink()
    color = np.clip(color * (shade * (1 - lines))[..., None], 0, 255)
    bare = scene.materials() == Material.EMPTY
    wear = np.float32(rng.uniform(0.85, 1))
    alpha = np.where(bare, lines, worn(rng, np.full(lines.shape, wear, np.float32), rng.uniform(0, 0.25)))
    color[bare] = look.ink
    return Drawing(color=color.astype(np.uint8), alpha=alpha.astype(np.float32, copy=False))


# By `Material`: what painters of books used for it.
_PAINTS: tuple[tuple[Colour, ...], ...] = (
    ((250, 245, 225),),
    ((60, 90, 165), (150, 180, 215), (40, 50, 110), (215, 180, 90)),
    ((150, 125, 80), (110, 140, 80), (180, 165, 120)),
    ((70, 120, 60), (110, 150, 80), (40, 90, 60)),
    ((45, 95, 45), (80, 120, 50), (30, 70, 60)),
    ((70, 110, 150), (120, 160, 180), (50, 90, 100)),
    ((200, 190, 180), (220, 170, 160), (150, 150, 160), (180, 140, 110)),
    ((170, 60, 40), (70, 90, 150), (120, 110, 120)),
    ((120, 80, 45), (90, 60, 40)),
    ((235, 205, 180), (240, 220, 205), (215, 180, 155)),
    ((120, 80, 40), (200, 170, 110), (90, 80, 75), (60, 40, 30)),
    ((175, 45, 35), (40, 70, 150), (210, 120, 60), (90, 60, 110)),
    ((40, 60, 140), (190, 60, 45), (60, 110, 70), (225, 140, 150)),
    ((225, 215, 190), (60, 120, 80), (200, 90, 60)),
    ((205, 165, 70), (225, 190, 95), (180, 140, 60)),
    ((235, 230, 215),),
)


def _ground(scene: Scene) -> Floats:
    """f32 [height, width]: 1 where there is anything, 0 on the bare paper around it."""
    return np.asarray(scene.materials() != Material.EMPTY, np.float32)


def _directions(scene: Scene) -> Floats:
    """f32 [height, width], the angle of the hatching, which changes from material to material."""
    spread = scene.rng.uniform(0, 1.2)
    angles = scene.rng.uniform(0, np.pi) + scene.rng.normal(0, spread, len(Material))
    directions: Floats = angles.astype(np.float32)[scene.materials()]
    return directions


def _palette(rng: np.random.Generator) -> Floats:
    chosen = [paints[rng.integers(len(paints))] for paints in _PAINTS]
    return np.clip(np.array(chosen, np.float32) + rng.normal(0, 12, (len(chosen), 3)), 0, 255).astype(np.float32)


def _blend(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


TECHNIQUES: dict[str, Technique] = {
    "woodcut": Technique(render=render_woodcut, line_width=(1.3, 3.4)),
    "engraving": Technique(render=render_engraving, line_width=(0.6, 1.6)),
    "pen": Technique(render=render_pen, line_width=(0.6, 2.0)),
    "wash": Technique(render=render_wash, line_width=(0.6, 1.8)),
    "crayon": Technique(render=render_crayon, line_width=(0.5, 1.5)),
    "white_line": Technique(render=render_white_line, line_width=(0.7, 1.6), covers=True),
    "photograph": Technique(render=render_photograph, line_width=(0.6, 1.5), covers=True),
    "painting": Technique(render=render_painting, line_width=(0.8, 2.0)),
}
