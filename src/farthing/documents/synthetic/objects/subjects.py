"""What illustrations show: a table of subjects, each of which fills a new scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from farthing.documents.synthetic.objects import buildings, emblems, leaves, nature, people
from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.strokes import ellipse, points, rectangle


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One kind of picture.

    Attributes:
        draw: fills an empty scene.
        is_ground_covered: whether it reaches all four sides, so that a frame suits it; others stand on bare paper.
        is_schematic: whether letters refer to its parts.
        weight: how often it is chosen, relative to the others.
    """

    draw: Callable[[Scene], None]
    is_ground_covered: bool
    is_schematic: bool = False
    weight: float = 1.0


def draw_landscape(scene: Scene) -> None:
    """Land under a sky, with trees and a few houses and people."""
    rng, width, height = scene.rng, scene.width, scene.height
    nature.draw_sky(scene)
    horizon = height * rng.uniform(0.25, 0.6)
    for _ in range(int(rng.integers(0, 3))):
        buildings.draw_tower(scene, rng.uniform(0, width), horizon + 0.06 * height, height * rng.uniform(0.08, 0.25))
    nature.draw_land(scene, horizon)
    for _ in range(int(rng.integers(0, 3))):
        buildings.draw_house(
            scene, rng.uniform(0, width), height * rng.uniform(0.6, 0.9), scene.size * rng.uniform(0.12, 0.35)
        )
    for _ in range(int(rng.integers(0, 4))):
        people.draw_figure(
            scene, rng.uniform(0, width), height * rng.uniform(0.8, 0.97), scene.size * rng.uniform(0.1, 0.35)
        )


def draw_town(scene: Scene) -> None:
    """Rows of houses and towers, or one grand front."""
    rng, width, height = scene.rng, scene.width, scene.height
    nature.draw_sky(scene)
    ground = height * rng.uniform(0.65, 0.85)
    if rng.random() < 0.5:
        wide = width * rng.uniform(0.6, 0.95)
        high = min(0.9 * ground, wide * rng.uniform(0.5, 1.3))
        scene.shape(rectangle(0, ground, width, height), Material.GROUND, rng.uniform(0, 0.3), shade=0.1)
        buildings.draw_facade(scene, width / 2, ground, high, wide=wide)
    else:
        for row in np.linspace(ground - 0.25 * height, ground, 3):
            for x in rng.uniform(0, width, int(rng.integers(2, 6))):
                (buildings.draw_tower if rng.random() < 0.4 else buildings.draw_house)(
                    scene, x, row, scene.size * rng.uniform(0.2, 0.45)
                )
        scene.shape(
            nature.skyline(rng, width, height, level=ground, relief=0.03 * height, num=5),
            Material.GROUND,
            0.1,
            shade=0.1,
        )
    for x in rng.uniform(0, width, int(rng.integers(0, 8))):
        people.draw_figure(scene, x, height * rng.uniform(0.87, 0.98), scene.size * rng.uniform(0.06, 0.2))


def draw_sea(scene: Scene) -> None:
    """Ships on the water, perhaps a coast."""
    rng, width, height = scene.rng, scene.width, scene.height
    nature.draw_sky(scene)
    level = height * rng.uniform(0.4, 0.7)
    if rng.random() < 0.5:
        buildings.draw_tower(scene, rng.uniform(0, width), level, height * rng.uniform(0.15, 0.4))
    nature.draw_water(scene, level)
    for y in np.sort(rng.uniform(level, 0.92 * height, int(rng.integers(1, 5)))):
        buildings.draw_ship(scene, rng.uniform(0.1, 0.9) * width, y, scene.size * rng.uniform(0.15, 0.6))


def draw_gathering(scene: Scene) -> None:
    """A few people large in the picture, indoors or outdoors."""
    rng, width, height = scene.rng, scene.width, scene.height
    if rng.random() < 0.5:
        buildings.draw_room(scene)
    else:
        nature.draw_sky(scene)
        for x in rng.uniform(0, width, int(rng.integers(0, 4))):
            draw = buildings.draw_tower if rng.random() < 0.5 else buildings.draw_house
            draw(scene, x, height * rng.uniform(0.4, 0.7), height * rng.uniform(0.2, 0.5))
        nature.draw_land(scene, height * rng.uniform(0.3, 0.6))
    tall = height * rng.uniform(0.45, 0.85)
    for row in np.linspace(0.9, 1.0, int(rng.integers(1, 4))):
        num = int(np.clip(round(width / tall * rng.uniform(0.8, 3)), 1, 9))
        for x in (np.arange(num) + rng.uniform(0.1, 0.9, num)) / num * width:
            people.draw_figure(scene, x, height * (row + rng.normal(0, 0.02)), tall * rng.uniform(0.85, 1.1))
    for x in rng.uniform(0.1, 0.9, int(rng.integers(0, 3)) if rng.random() < 0.3 else 0):
        emblems.draw_banderole(scene, x * width, height * rng.uniform(0.1, 0.4), scene.size * rng.uniform(0.2, 0.5))


def draw_battle(scene: Scene) -> None:
    """Many riders and people on foot, row behind row."""
    rng, width, height = scene.rng, scene.width, scene.height
    nature.draw_sky(scene)
    horizon = height * rng.uniform(0.25, 0.45)
    nature.draw_land(scene, horizon)
    for share in (0.2, 0.6, 1.0):
        y, size = horizon + share * (0.95 * height - horizon), scene.size * (0.1 + 0.18 * share)
        for x in rng.uniform(0, width, int(rng.integers(3, 8))):
            (people.draw_mount if rng.random() < 0.4 else people.draw_figure)(scene, x, y + rng.normal(0, 3), size)


def draw_portrait(scene: Scene) -> None:
    """A bust before a shaded ground."""
    rng, width, height = scene.rng, scene.width, scene.height
    scene.fill(rectangle(0, 0, width, height), Material.STONE, rng.choice([0.0, 0.3, 0.5, 0.7]), shade=0.2)
    people.draw_bust(scene, width / 2, height, min(0.95 * height, 1.15 * width) * rng.uniform(0.75, 1.0))


def draw_saint(scene: Scene) -> None:
    """One figure that fills the picture, before a plain ground or in a niche."""
    rng, width, height = scene.rng, scene.width, scene.height
    scene.fill(
        rectangle(0, 0, width, height),
        Material.CLOAK if rng.random() < 0.5 else Material.GOLD,
        rng.uniform(0, 0.5),
        shade=0.1,
    )
    if rng.random() < 0.5:
        buildings.draw_arcade(scene, 0.95 * height)
    people.draw_figure(scene, width / 2, 0.97 * height, min(0.92 * height, 2.2 * width))


def draw_frontispiece(scene: Scene) -> None:
    """An engraved title: columns and a gable around a field for the words, figures at the sides, an oval below."""
    rng, width, height = scene.rng, scene.width, scene.height
    scene.fill(rectangle(0, 0, width, height), Material.STONE, rng.uniform(0.1, 0.6), shade=0.1)
    top, foot = height * rng.uniform(0.15, 0.28), height * rng.uniform(0.72, 0.84)
    aisle = width * rng.uniform(0.16, 0.26)
    scene.shape(rectangle(0.02 * width, foot, 0.98 * width, 0.98 * height), Material.STONE, 0.2)
    scene.shape(points((0.03 * width, top), (0.5 * width, 0.02 * height), (0.97 * width, top)), Material.STONE, 0.15)
    field = rectangle(aisle, top + 0.02 * height, width - aisle, foot - 0.02 * height)
    scene.shape(field, Material.WHITE, 0.0, shade=0)
    for x in (0.5 * aisle, width - 0.5 * aisle):
        if rng.random() < 0.4:
            scene.shape(rectangle(x - 0.3 * aisle, top, x + 0.3 * aisle, foot), Material.WHITE, 0.1, shade=0.5)
        people.draw_figure(scene, x, foot, (foot - top) * rng.uniform(0.6, 0.9))
    for y, size in ((0.5 * top, 0.35 * top), (0.5 * (foot + height), 0.4 * (height - foot))):
        scene.shape(ellipse(width / 2, y, 1.4 * size, size), Material.STONE, rng.uniform(0, 0.4), shade=0.1)
        people.draw_figure(scene, width / 2, y + 0.85 * size, 1.6 * size)
    for y in np.arange(top + 0.08 * height, foot - 0.06 * height, height * rng.uniform(0.05, 0.1)):
        reach = (0.5 * width - aisle) * rng.uniform(0.2, 0.85)
        marks = np.arange(width / 2 - reach, width / 2 + reach, max(2.0, 0.012 * height))
        scene.outlines.lines([points((x, y), (x, y - 0.018 * height)) for x in marks], width=0.006 * height)


def draw_coat(scene: Scene) -> None:
    """A coat of arms."""
    size = min(0.98 * scene.height, 1.1 * scene.width)
    emblems.draw_arms(scene, scene.width / 2, 0.5 * (scene.height + size), size)


def draw_mark(scene: Scene) -> None:
    """A printer's device."""
    emblems.draw_device(scene, scene.width / 2, scene.height / 2, min(scene.height, 1.15 * scene.width))


def draw_herb(scene: Scene) -> None:
    """One to three plants."""
    rng, width, height = scene.rng, scene.width, scene.height
    num = int(np.clip(round(width / height * rng.uniform(0.8, 2)), 1, 3))
    for x in (np.arange(num) + 0.5) / num * width:
        nature.draw_plant(scene, x, 0.9 * height, height * rng.uniform(0.7, 0.88))


def draw_beasts(scene: Scene) -> None:
    """Animals on bare paper or on a strip of ground."""
    rng, width, height = scene.rng, scene.width, scene.height
    num = int(np.clip(round(width / height * rng.uniform(0.8, 2)), 1, 4))
    if rng.random() < 0.5:
        scene.shape(
            nature.skyline(rng, width, height, level=0.85 * height, relief=0.03 * height, num=5),
            Material.GRASS,
            0.2,
            shade=0.1,
        )
    for x in (np.arange(num) + 0.5) / num * width:
        kind = rng.integers(3)
        size = min(height * 0.9, width / num * 0.9)
        if kind == 0:
            people.draw_mount(scene, x, 0.92 * height, 0.7 * size)
        elif kind == 1:
            people.draw_bird(scene, x, 0.92 * height, 0.9 * size)
        else:
            nature.draw_fish(scene, x, height * rng.uniform(0.3, 0.7), size)


def draw_geometry(scene: Scene) -> None:
    """Figures of geometry, or a wheel of the heavens."""
    rng, width, height = scene.rng, scene.width, scene.height
    if rng.random() < 0.5:
        emblems.draw_wheel(scene, width / 2, height / 2, 0.48 * scene.size)
        return
    columns, rows = (int(rng.integers(1, 4)), int(rng.integers(1, 4))) if scene.size > 150 else (1, 1)
    for row in range(rows):
        for column in range(columns):
            left, top = (column + 0.08) / columns * width, (row + 0.08) / rows * height
            emblems.draw_construction(scene, (left, top, left + 0.84 / columns * width, top + 0.84 / rows * height))


def draw_engine(scene: Scene) -> None:
    """A machine."""
    emblems.draw_machine(scene, scene.width / 2, 0.95 * scene.height, 0.9 * scene.size)


def draw_plate(scene: Scene) -> None:
    """Several things set out on bare paper, as on the plates of an encyclopaedia."""
    rng, width, height = scene.rng, scene.width, scene.height
    columns, rows = (
        max(1, round(width / scene.size * rng.uniform(1, 2.6))),
        max(1, round(height / scene.size * rng.uniform(1, 2.6))),
    )
    draws = (
        emblems.draw_vessel,
        nature.draw_plant,
        people.draw_bird,
        people.draw_mount,
        emblems.draw_machine,
        people.draw_figure,
        buildings.draw_house,
    )
    draw = draws[rng.integers(len(draws))]
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.3:
                draw = draws[rng.integers(len(draws))]
            size = 0.8 * min(width / columns, height / rows) * rng.uniform(0.7, 1)
            draw(scene, (column + 0.5) / columns * width, (row + 0.92) / rows * height, size)


def draw_medal(scene: Scene) -> None:
    """A coin or medal: a head or a figure in a ring."""
    rng, x, y, radius = scene.rng, scene.width / 2, scene.height / 2, 0.48 * scene.size
    scene.shape(ellipse(x, y, radius, radius), Material.STONE, rng.uniform(0, 0.5), shade=0.2)
    scene.line(ellipse(x, y, 0.78 * radius, 0.78 * radius), width=0.8)
    (people.draw_bust if rng.random() < 0.6 else people.draw_figure)(scene, x, y + 0.68 * radius, 1.3 * radius)


SUBJECTS: dict[str, Subject] = {
    "landscape": Subject(draw=draw_landscape, is_ground_covered=True, weight=1.5),
    "town": Subject(draw=draw_town, is_ground_covered=True),
    "sea": Subject(draw=draw_sea, is_ground_covered=True, weight=0.7),
    "gathering": Subject(draw=draw_gathering, is_ground_covered=True, weight=2.5),
    "battle": Subject(draw=draw_battle, is_ground_covered=True, weight=0.8),
    "portrait": Subject(draw=draw_portrait, is_ground_covered=True, weight=1.5),
    "saint": Subject(draw=draw_saint, is_ground_covered=True),
    "frontispiece": Subject(draw=draw_frontispiece, is_ground_covered=True, weight=0.7),
    "coat": Subject(draw=draw_coat, is_ground_covered=False, weight=1.2),
    "mark": Subject(draw=draw_mark, is_ground_covered=False, weight=1.2),
    "herb": Subject(draw=draw_herb, is_ground_covered=False),
    "beasts": Subject(draw=draw_beasts, is_ground_covered=False),
    "geometry": Subject(draw=draw_geometry, is_ground_covered=False, is_schematic=True, weight=1.3),
    "engine": Subject(draw=draw_engine, is_ground_covered=False, is_schematic=True),
    "plate": Subject(draw=draw_plate, is_ground_covered=False, is_schematic=True),
    "medal": Subject(draw=draw_medal, is_ground_covered=False, weight=0.7),
    "leaves": Subject(draw=leaves.draw_leaves, is_ground_covered=True, weight=7.0),
    "heap": Subject(draw=leaves.draw_heap, is_ground_covered=False, weight=2.0),
}


def choose_subject(rng: np.random.Generator, names: tuple[str, ...] = tuple(SUBJECTS)) -> Subject:
    """One of the subjects with these names, by their weights."""
    weights = np.array([SUBJECTS[name].weight for name in names])
    return SUBJECTS[names[rng.choice(len(names), p=weights / weights.sum())]]
