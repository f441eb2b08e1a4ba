"""Pictures full of things, from which a vision tower learns to name what is where."""

from __future__ import annotations

import random
from typing import NamedTuple

from PIL.Image import Image

from tasks.mini.drawing import (
    COLOURS,
    HANZI,
    OBJECTS,
    PAPER,
    SIZE,
    Box,
    Pen,
    Thing,
    blank,
    fitting_size,
    thing,
    write,
    write_hanzi,
    written,
)
from tasks.mini.scenes import MEANINGS, SHORT_WORDS, meaning

CHARACTERS = [character for character in HANZI if character in MEANINGS]
WRITING_COLOURS = ("red", "blue", "green", "black", "purple", "brown")
MARGIN = 16
"""Pixels to each side of a written line."""


class Collage(NamedTuple):
    image: Image
    things: list[Thing]


def collage(rng: random.Random) -> Collage:
    """A picture of SIZE x SIZE full of shapes, of written lines or of Hanzi."""
    image, pen = blank(rng.choice(PAPER))
    draw = rng.choices((_shapes, _lines, _hanzi), (6, 3, 2))[0]
    return Collage(image, draw(pen, rng))


def _shapes(pen: Pen, rng: random.Random) -> list[Thing]:
    things = []
    for box in cells(rng.choice((2, 3, 3)), rng):
        name, colour = rng.choice(list(OBJECTS)), rng.choice(list(COLOURS))
        OBJECTS[name](pen, box, COLOURS[colour])
        things.append(thing(box, f" {colour} {name}"))
    return things


def _hanzi(pen: Pen, rng: random.Random) -> list[Thing]:
    things = []
    for box in cells(2, rng):
        character = rng.choice(CHARACTERS)
        write_hanzi(pen, character, box, COLOURS[rng.choice(WRITING_COLOURS)])
        things.append(thing(box, meaning(character)))
    return things


def _lines(pen: Pen, rng: random.Random) -> list[Thing]:
    """Words, numbers and sums one below the other, as large as they are in scenes."""
    things, top = list[Thing](), 0
    while True:
        text = rng.choice((_word, _word, _number, _sum))(rng)
        size = min(rng.randrange(56, 97, 8), fitting_size(text, SIZE - 2 * MARGIN, 96))
        if top + size > SIZE:
            return things
        centre = (SIZE // 2 + rng.randint(-MARGIN, MARGIN), top + size // 2)
        write(pen, text, centre, size, COLOURS[rng.choice(WRITING_COLOURS)])
        things += written(text, centre, size)
        top += size


def _word(rng: random.Random) -> str:
    return rng.choice(SHORT_WORDS)


def _number(rng: random.Random) -> str:
    return str(rng.randint(10, 99))


def _sum(rng: random.Random) -> str:
    return f"{rng.randint(1, 9)} {rng.choice('+-x')} {rng.randint(1, 6)}"


def cells(across: int, rng: random.Random) -> list[Box]:
    """A box in each cell of a grid, of any size and place that the cell allows."""
    pitch = SIZE // across
    boxes = []
    for row in range(across):
        for column in range(across):
            side = round(pitch * rng.uniform(0.72, 0.95))
            free = pitch - side
            boxes.append(Box(column * pitch + rng.randint(0, free), row * pitch + rng.randint(0, free), side))
    return boxes
