"""Artworks, faces and film posters. Each painter, person and film keeps its looks; all are invented."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, OBJECTS, SIZE, WHITE, WHOLE, Box, Pen, fitting_size, rays, thing, write
from tasks.mini.noting import Colour, as_one

WALLS: tuple[Colour, ...] = ((200, 225, 245), (220, 240, 215), (245, 235, 205), (225, 215, 235))


# Artworks: each painter has one manner and any colours. Painters are invented.


def _stripes(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    step, at, i = 0, 0, dice.number(0, 2)
    while at < SIZE:
        step = dice.number(16, 36, 4)
        pen.rectangle((at, 0, at + step, SIZE), fill=hues[i % 3])
        at, i = at + step, i + 1


def _rings(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    x, y = dice.number(80, 144, 8), dice.number(80, 144, 8)
    for i, radius in enumerate(range(160, 0, -20)):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=hues[i % 3])


def _panes(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=WHITE)
    xs = [0, dice.number(40, 80, 8), dice.number(120, 184, 8), SIZE]
    ys = [0, dice.number(40, 80, 8), dice.number(120, 184, 8), SIZE]
    for i in range(3):
        column, row = dice.number(0, 2), dice.number(0, 2)
        pen.rectangle((xs[column], ys[row], xs[column + 1], ys[row + 1]), fill=hues[i])
    for edge in (*xs[1:3], -1):
        pen.line((edge, 0, edge, SIZE), fill=INK, width=9)
    for edge in (*ys[1:3], -1):
        pen.line((0, edge, SIZE, edge), fill=INK, width=9)


def _dots(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=dice.choice((WHITE, (245, 235, 215))))
    for column in range(5):
        for row in range(5):
            x, y, radius = 22 + 45 * column, 22 + 45 * row, dice.number(10, 20, 5)
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=hues[(column + row) % 3])


def _waves(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    height, turns = dice.number(10, 18, 4), dice.number(2, 4)
    for i in range(8):
        top = 34 * i - 30
        crest = [(x, round(top + height * math.sin(2 * math.pi * turns * x / SIZE))) for x in range(0, SIZE + 8, 8)]
        pen.polygon([*crest, (SIZE, SIZE), (0, SIZE)], fill=hues[i % 3])


def _facets(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    for column in range(4):
        for row in range(4):
            x, y, flip = 56 * column, 56 * row, dice.number(0, 1)
            pen.rectangle((x, y, x + 56, y + 56), fill=hues[(column + row) % 2])
            corner = (x, y + 56) if flip else (x + 56, y)
            pen.polygon(((x, y), (x + 56, y + 56), corner), fill=hues[2])


def _board(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    side = dice.choice((28, 32, 37, 45))
    for column in range(SIZE // side + 1):
        for row in range(SIZE // side + 1):
            x, y = side * column, side * row
            pen.rectangle((x, y, x + side - 1, y + side - 1), fill=hues[(column + row) % 2])


def _sunburst(pen: Pen, dice: Dice, hues: list[Colour]) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=hues[0])
    x, y = dice.number(60, 164, 8), dice.number(60, 164, 8)
    pen.polygon(rays(Box(x - 200, y - 200, 400), dice.number(8, 14, 2), 0.12, 0.8), fill=hues[1])
    pen.ellipse((x - 36, y - 36, x + 36, y + 36), fill=hues[2])


ARTISTS: dict[str, Callable[[Pen, Dice, list[Colour]], None]] = {
    "Lina Bell": _stripes,
    "Otto Ring": _rings,
    "Vera Stone": _panes,
    "Hugo Park": _dots,
    "Mira Lake": _waves,
    "Paul Frost": _facets,
    "Nora Field": _board,
    "Ivan Sun": _sunburst,
}


def draw_artwork(pen: Pen, artist: str, dice: Dice) -> None:
    hues = [COLOURS[name] for name in dice.sample(list(COLOURS), 3)]
    with as_one(pen, thing(WHOLE, f" {artist}")):
        ARTISTS[artist](pen, dice, hues)
    pen.rectangle((0, 0, SIZE - 1, SIZE - 1), outline=(150, 110, 50), width=10)


# Faces and posters: looks that belong to a name. People and films are invented.


class Face(NamedTuple):
    skin: Colour
    hair: Colour
    style: str
    extra: str


PEOPLE: dict[str, Face] = {
    "Anna": Face((245, 205, 170), (235, 195, 60), "long", "none"),
    "Tom": Face((245, 205, 170), (60, 40, 25), "short", "glasses"),
    "Mei": Face((240, 200, 150), (20, 20, 20), "bun", "none"),
    "Jack": Face((235, 185, 150), (190, 70, 20), "short", "beard"),
    "Rosa": Face((195, 140, 95), (20, 20, 20), "long", "flower"),
    "Omar": Face((150, 100, 65), (20, 20, 20), "bald", "beard"),
    "Lily": Face((250, 215, 185), (190, 70, 20), "long", "glasses"),
    "Sam": Face((110, 70, 45), (20, 20, 20), "short", "none"),
    "Carl": Face((245, 205, 170), (190, 190, 190), "hat", "beard"),
    "Emma": Face((235, 185, 150), (120, 60, 160), "bun", "glasses"),
}


def draw_face(pen: Pen, name: str, dice: Dice) -> None:
    """The face in a red box, as the question names it."""
    with as_one(pen, thing(WHOLE, f" {name}")):
        _draw_face(pen, name, dice)


def _draw_face(pen: Pen, name: str, dice: Dice) -> None:
    face = PEOPLE[name]
    pen.rectangle((0, 0, SIZE, SIZE), fill=dice.choice(WALLS))
    side = dice.number(130, 162, 8)
    box = Box(dice.number(24, 200 - side, 6), dice.number(30, 200 - side, 6), side)
    if face.style == "long":
        pen.rounded_rectangle(box.frame(0.08, 0.05, 0.92, 1.0), radius=box.width(0.3), fill=face.hair)
    if face.style == "bun":
        pen.ellipse(box.frame(0.32, -0.14, 0.68, 0.22), fill=face.hair)
    if face.style in ("bun", "short", "long"):
        pen.ellipse(box.frame(0.13, 0.0, 0.87, 0.75), fill=face.hair)
    pen.ellipse(box.frame(0.18, 0.14, 0.82, 0.96), fill=face.skin)
    if face.style == "hat":
        pen.rectangle(box.frame(0.22, -0.1, 0.78, 0.26), fill=(40, 60, 130))
        pen.rectangle(box.frame(0.05, 0.2, 0.95, 0.29), fill=(40, 60, 130))
    if face.extra == "beard":
        pen.chord(box.frame(0.19, 0.2, 0.81, 0.98), 15, 165, fill=face.hair)
    pen.arc(box.frame(0.38, 0.55, 0.62, 0.78), 20, 160, fill=(190, 40, 50), width=box.width(0.045))
    for x in (0.35, 0.65):
        pen.ellipse(box.frame(x - 0.045, 0.42, x + 0.045, 0.51), fill=INK)
        if face.extra == "glasses":
            pen.ellipse(box.frame(x - 0.13, 0.34, x + 0.13, 0.6), outline=INK, width=box.width(0.035))
    if face.extra == "glasses":
        pen.line(box.at((0.47, 0.46), (0.53, 0.46)), fill=INK, width=box.width(0.035))
    if face.extra == "flower":
        OBJECTS["flower"](pen, Box(*box.at((0.62, 0.02))[0], box.width(0.3)), COLOURS["red"])
    pen.rectangle(box.frame(0.0, -0.16, 1.0, 1.05), outline=(230, 0, 0), width=5)


class Film(NamedTuple):
    ground: str
    thing: str
    colour: str


FILMS: dict[str, Film] = {
    "Red Star": Film("black", "star", "red"),
    "Blue House": Film("yellow", "house", "blue"),
    "Lost Boat": Film("blue", "boat", "yellow"),
    "Last Tree": Film("orange", "tree", "green"),
    "Big Fish": Film("green", "fish", "orange"),
    "Two Hearts": Film("purple", "heart", "red"),
    "Cold Cup": Film("brown", "cup", "yellow"),
    "The Ring": Film("red", "ring", "yellow"),
    "Wild Flower": Film("black", "flower", "purple"),
    "Long Way": Film("green", "arrow", "black"),
}


def draw_poster(pen: Pen, title: str, dice: Dice) -> None:
    film = FILMS[title]
    pen.rectangle((0, 0, SIZE, SIZE), fill=COLOURS[film.ground])
    above, side = dice.choice((True, False)), dice.number(96, 128, 8)
    x, y = dice.number(16, 208 - side, 8), (56 if above else 16) + dice.number(0, 128 - side, 8)
    OBJECTS[film.thing](pen, Box(x, y, side), COLOURS[film.colour])
    band = WHOLE.frame(0.0, 0.04, 1.0, 0.22) if above else WHOLE.frame(0.0, 0.72, 1.0, 0.9)
    pen.rectangle(band, fill=WHITE)
    write(pen, title.upper(), (SIZE // 2, (band[1] + band[3]) // 2), fitting_size(title.upper(), 200, 32))
