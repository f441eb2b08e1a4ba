"""Pictures full of things whose places are known, from which a vision tower learns to name what is where."""

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
    blank,
    fitting_size,
    write,
    write_hanzi,
)
from tasks.mini.scenes import SHORT_WORDS, TRANSLATIONS

MEANINGS = TRANSLATIONS | {"大": "big", "小": "small", "上": "on", "中": "in", "下": "below"}
CHARACTERS = [character for character in HANZI if character in MEANINGS]
WRITING_COLOURS = ("red", "blue", "green", "black", "purple", "brown")
MARGIN = 16
"""Pixels to each side of a written line."""


class Frame(NamedTuple):
    """A part of a picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


class Thing(NamedTuple):
    frame: Frame
    name: str
    """Its words as captions have them, with the spaces before them."""


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
    for box in _cells(rng.choice((2, 3, 3)), rng):
        name, colour = rng.choice(list(OBJECTS)), rng.choice(list(COLOURS))
        OBJECTS[name](pen, box, COLOURS[colour])
        things.append(Thing(_frame(box), f" {colour} {name}"))
    return things


def _hanzi(pen: Pen, rng: random.Random) -> list[Thing]:
    things = []
    for box in _cells(2, rng):
        character = rng.choice(CHARACTERS)
        write_hanzi(pen, character, box, COLOURS[rng.choice(WRITING_COLOURS)])
        meaning = MEANINGS[character]
        things.append(Thing(_frame(box), f"{meaning} {meaning}"))  # first in its caption, or not
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
        things.append(Thing(Frame(0, top, SIZE, top + size), text))
        top += size


def _word(rng: random.Random) -> str:
    return rng.choice(SHORT_WORDS)


def _number(rng: random.Random) -> str:
    return str(rng.randint(10, 99))


def _sum(rng: random.Random) -> str:
    return f"{rng.randint(1, 9)} {rng.choice('+-x')} {rng.randint(1, 6)}"


def _cells(across: int, rng: random.Random) -> list[Box]:
    """A box in each cell of a grid, of any size and place that the cell allows."""
    pitch = SIZE // across
    boxes = []
    for row in range(across):
        for column in range(across):
            side = round(pitch * rng.uniform(0.72, 0.95))
            free = pitch - side
            boxes.append(Box(column * pitch + rng.randint(0, free), row * pitch + rng.randint(0, free), side))
    return boxes


def _frame(box: Box) -> Frame:
    return Frame(box.x, box.y, box.x + box.side, box.y + box.side)
