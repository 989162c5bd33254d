"""Figures, faces and mounts for a scene; (x, y) is where they stand and size their height, in page pixels."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.objects.scene import Material, Scene, Spot
from farthing.documents.synthetic.strokes import curve, ellipse, placed, points, sweep

_ROBES = (Material.ROBE, Material.CLOAK, Material.LINING, Material.GRASS, Material.WHITE)

# Outlines in heights of the figure, its foot at (0, 0), y down.
_CLOAK = curve(points((-0.1, -0.82), (0.1, -0.82), (0.2, -0.02), (-0.22, 0)), closed=True)
_BODICE = points((-0.12, -0.7), (-0.08, -0.84), (0.08, -0.84), (0.11, -0.7), (0.075, -0.54))
# A body between its shoulders and hips at -1 and 1, its middle at the height 0.
_TRUNK = curve(points((-1, -0.1), (0, -0.12), (1, -0.14), (1.05, 0.08), (0, 0.16), (-1.05, 0.1)), closed=True)
_BIRD_BODY = curve(
    points((0.2, -0.75), (0.25, -0.5), (0, -0.25), (-0.5, -0.2), (-0.6, -0.3), (-0.2, -0.55)), closed=True
)
_WING = curve(points((0.1, -0.6), (0.5, -1), (0.7, -0.7), (0.5, -0.4), (0.15, -0.35)), closed=True)
# The same of a bust; shoulders and hair reach from -1 to 1 and are made as wide as wanted.
_SHOULDERS = curve(points((-1, 0.02), (-0.85, -0.3), (-0.25, -0.43), (0.25, -0.43), (0.85, -0.3), (1, 0.02)))
_HAIR = curve(points((-1, -0.35), (-1.05, -0.75), (0, -1), (1.05, -0.75), (1, -0.35), (0, -0.5)), closed=True)
_NECK = points((-0.09, -0.55), (0.09, -0.55), (0.12, -0.4), (-0.12, -0.4))
_FACE = curve(
    points((0, -0.93), (0.15, -0.82), (0.16, -0.65), (0.07, -0.49), (-0.07, -0.49), (-0.16, -0.65), (-0.15, -0.82)),
    closed=True,
)
_BEARD = curve(points((-0.1, -0.58), (0.1, -0.58), (0.07, -0.36), (0, -0.3), (-0.07, -0.36)), closed=True)
_RUFF = curve(points((-0.28, -0.42), (0, -0.52), (0.28, -0.42), (0, -0.3)), closed=True)
_CAP = curve(points((-0.25, -0.82), (-0.18, -1), (0.15, -1.02), (0.27, -0.82)), closed=True)
# In radii of a head, its middle at (0, 0).
_HAT = points((-1.5, -0.4), (-0.8, -0.6), (-0.6, -1.6), (0.6, -1.7), (0.9, -0.6), (1.5, -0.4))
_CROWN = points((-0.9, -0.6), (-1.1, -1.7), (-0.4, -1.1), (0, -1.8), (0.4, -1.1), (1.1, -1.7), (0.9, -0.6))


def draw_figure(scene: Scene, x: float, y: float, size: float) -> None:
    """A standing person in a robe, or in a tunic with legs."""
    rng = scene.rng
    spot = Spot(x=x, y=y, size=size, is_mirrored=bool(rng.random() < 0.5))
    tone = rng.uniform(0.05, 0.6)
    cloth = _ROBES[rng.integers(len(_ROBES))]
    if rng.random() < 0.4:
        scene.shape(spot.placed(_CLOAK), Material.CLOAK, tone * 0.7 + 0.2)
    lean = rng.uniform(-0.04, 0.04)
    (_draw_robe if rng.random() < 0.55 else _draw_tunic)(scene, spot, cloth, tone, lean)
    _draw_arms(scene, spot, cloth, tone)
    _draw_head(scene, *spot.point(lean * 0.5, -0.91), size * rng.uniform(0.055, 0.075))


def _draw_robe(scene: Scene, spot: Spot, cloth: Material, tone: float, lean: float) -> None:
    hem = scene.rng.uniform(0.11, 0.24)
    skirt = points((hem + lean, 0), (lean - hem, 0.01), (lean - 0.085, -0.5))
    scene.shape(spot.placed(np.concatenate([_BODICE, skirt])), cloth, tone)
    for share in scene.rng.uniform(-0.8, 0.8, int(scene.rng.integers(2, 6))):
        fold = spot.path((share * 0.07, -0.5), (share * 0.1 + lean, -0.25), (share * hem + lean, -0.02))
        scene.line(curve(fold), width=0.7)


def _draw_tunic(scene: Scene, spot: Spot, cloth: Material, tone: float, lean: float) -> None:
    rng = scene.rng
    for foot in (rng.uniform(-0.16, -0.03), rng.uniform(0.02, 0.16)):
        leg = spot.path((foot * 0.4, -0.48), (foot * 0.9, -0.24), (foot, -0.02), (foot + 0.06, 0))
        width = spot.size * np.array([0.09, 0.07, 0.045, 0.04])
        scene.shape(sweep(leg, width), Material.LINING, rng.uniform(0, 0.5))
    flare = rng.uniform(0.1, 0.17)
    skirt = points((flare + lean, -0.38), (lean - flare, -0.38), (-0.08, -0.58))
    scene.shape(spot.placed(np.concatenate([_BODICE, skirt])), cloth, tone)


def _draw_arms(scene: Scene, spot: Spot, cloth: Material, tone: float) -> None:
    rng = scene.rng
    for side in (-1, 1):
        elbow = (side * rng.uniform(0.1, 0.2), rng.uniform(-0.72, -0.55))
        hand = (elbow[0] + side * rng.uniform(-0.12, 0.15), elbow[1] + rng.uniform(-0.25, 0.15))
        if rng.random() < 0.25:
            reach = rng.uniform(-0.08, 0.08)
            scene.line(
                spot.path(
                    (hand[0] - reach, hand[1] - rng.uniform(0.1, 0.5)),
                    (hand[0] + reach, hand[1] + rng.uniform(0.05, 0.5)),
                ),
                width=1.6,
            )
        scene.shape(
            sweep(spot.path((side * 0.09, -0.8), elbow, hand), spot.size * np.array([0.07, 0.065, 0.045])), cloth, tone
        )
        scene.shape(ellipse(*spot.point(*hand), 0.022 * spot.size, 0.022 * spot.size), Material.SKIN, 0.05, shade=0)


def _draw_head(scene: Scene, x: float, y: float, radius: float) -> None:
    """A head with hair, a hat, a crown or a halo, and marks of a face where there is room."""
    rng = scene.rng
    kind = rng.integers(5)
    if kind == 0:
        scene.shape(ellipse(x, y, 1.7 * radius, 1.7 * radius), Material.GOLD, 0.1, shade=0)
    scene.shape(ellipse(x, y - 0.2 * radius, 1.15 * radius, 1.2 * radius), Material.HAIR, rng.uniform(0.3, 0.9))
    scene.shape(ellipse(x, y, 0.8 * radius, 1.05 * radius), Material.SKIN, 0.03, shade=0.12, width=0.7)
    if kind == 1:
        scene.shape(placed(_HAT * (rng.uniform(0.8, 1.4), 1), x, y, radius), Material.ROBE, 0.5)
    elif kind == 2:
        scene.shape(placed(_CROWN, x, y, radius), Material.GOLD, 0.2)
    if radius > 3.5:
        for side in (-0.35, 0.35):
            scene.line(placed(points((side - 0.15, -0.1), (side + 0.15, -0.1)), x, y, radius), width=0.8)
        scene.line(placed(points((0.05, 0), (-0.08, 0.35), (0.08, 0.35)), x, y, radius), width=0.6)
        scene.line(placed(points((-0.25, 0.62), (0.25, 0.62)), x, y, radius), width=0.7)


def draw_bust(scene: Scene, x: float, y: float, size: float) -> None:
    """Head and shoulders, standing on (x, y)."""
    rng = scene.rng
    spot = Spot(x=x, y=y, size=size, is_mirrored=bool(rng.random() < 0.5))
    wide = rng.uniform(0.42, 0.6)
    scene.shape(spot.placed(_SHOULDERS * (wide, 1)), Material.ROBE, rng.uniform(0.25, 0.85))
    for share in rng.uniform(-0.8, 0.8, 5):
        scene.line(curve(spot.path((share * 0.15, -0.38), (share * 0.5, -0.2), (share * wide, 0))), width=0.8)
    if rng.random() < 0.6:
        _draw_hair(scene, spot)
    scene.shape(spot.placed(_NECK), Material.SKIN, 0.25, shade=0.2)
    _draw_collar(scene, spot)
    scene.shape(spot.placed(_FACE), Material.SKIN, 0.06, shade=0.3)
    _draw_features(scene, spot)
    if rng.random() < 0.4:
        scene.fill(spot.placed(_BEARD), Material.HAIR, 0.5)
    if rng.random() < 0.25:
        scene.shape(spot.placed(_CAP), Material.CLOAK, 0.7)


def _draw_hair(scene: Scene, spot: Spot) -> None:
    wide = scene.rng.uniform(0.2, 0.33)
    scene.shape(spot.placed(_HAIR * (wide, 1)), Material.HAIR, scene.rng.uniform(0.4, 0.85))
    for share in np.linspace(-0.9, 0.9, 9):
        strand = spot.path((share * 0.1, -0.97), (share * wide, -0.7), (share * wide * 1.05, -0.4))
        scene.line(curve(strand), width=0.6)


def _draw_features(scene: Scene, spot: Spot) -> None:
    """Eyes under brows, a nose and a mouth, turned a little to one side."""
    turn = scene.rng.uniform(-0.03, 0.05)
    for side in (turn - 0.065, turn + 0.06):
        scene.line(ellipse(*spot.point(side, -0.72), 0.03 * spot.size, 0.015 * spot.size), width=0.9)
        scene.line(curve(spot.path((side - 0.04, -0.76), (side, -0.78), (side + 0.04, -0.76))))
    scene.line(spot.path((turn, -0.72), (turn + 0.025, -0.63), (turn - 0.015, -0.62)), width=0.8)
    scene.line(curve(spot.path((turn - 0.045, -0.565), (turn, -0.575), (turn + 0.045, -0.565))), width=1.1)


def _draw_collar(scene: Scene, spot: Spot) -> None:
    kind = scene.rng.integers(3)
    if kind == 0:
        scene.shape(spot.placed(_RUFF), Material.WHITE, 0.02, shade=0.15)
    elif kind == 1:
        for side in (-1, 1):
            flap = spot.path((0, -0.42), (side * 0.2, -0.38), (side * 0.12, -0.2))
            scene.shape(flap, Material.WHITE, 0.02, shade=0.1)


def draw_mount(scene: Scene, x: float, y: float, size: float) -> None:
    """A four-footed animal as high as `size`, now and then with a rider."""
    rng = scene.rng
    spot = Spot(x=x, y=y, size=size, is_mirrored=bool(rng.random() < 0.5))
    tone = rng.uniform(0.05, 0.75)
    long, high = rng.uniform(0.35, 0.55), rng.uniform(-0.62, -0.45)
    for place in (-0.85, -0.65, 0.6, 0.85):
        knee = place * long + rng.uniform(-0.08, 0.08)
        leg = spot.path((place * long, high + 0.08), (knee, high * 0.45), (knee + rng.uniform(-0.08, 0.08), 0))
        scene.shape(sweep(leg, size * np.array([0.12, 0.07, 0.06])), Material.HAIR, tone)
    scene.line(curve(spot.path((-long, high - 0.05), (-long - 0.15, high), (-long - 0.12, high * 0.4))), width=2)
    scene.shape(spot.placed(_TRUNK * (long, 1) + points((0, high))), Material.HAIR, tone)
    raised = rng.uniform(-1.0, -0.75)
    neck = (
        (long * 0.85, high),
        (long * 1.15, 0.5 * (high + raised)),
        (long * 1.25, raised),
        (long * 1.75, raised + 0.15),
    )
    scene.shape(sweep(spot.path(*neck), size * np.array([0.28, 0.2, 0.16, 0.08])), Material.HAIR, tone)
    if rng.random() < 0.5:
        draw_figure(scene, x, y + high * size * 0.6, size * rng.uniform(0.8, 1.0))


def draw_bird(scene: Scene, x: float, y: float, size: float) -> None:
    """A bird, standing or with spread wings."""
    rng = scene.rng
    spot = Spot(x=x, y=y, size=size, is_mirrored=bool(rng.random() < 0.5))
    tone = rng.uniform(0.1, 0.7)
    for foot in (-0.05, 0.07):
        scene.line(spot.path((foot, -0.3), (foot + 0.02, 0), (foot + 0.1, 0)))
    if rng.random() < 0.4:
        for side in (-1, 1):
            scene.shape(spot.placed(_WING * (side, 1)), Material.CLOAK, tone)
    scene.shape(spot.placed(_BIRD_BODY), Material.ROBE, tone)
    for share in (0.2, 0.45, 0.7):
        feather = spot.path((0.1 - 0.5 * share, -0.55), (-0.1 - 0.4 * share, -0.4), (-0.2 - 0.4 * share, -0.28))
        scene.line(curve(feather), width=0.7)
    scene.shape(ellipse(*spot.point(0.24, -0.82), 0.12 * size, 0.12 * size), Material.ROBE, tone)
    scene.shape(spot.path((0.34, -0.86), (0.52, -0.8), (0.33, -0.77)), Material.GOLD, 0.3)
