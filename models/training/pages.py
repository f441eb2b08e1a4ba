"""Pages full of writing in several hands and sizes, from which a vision tower learns to read."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

from PIL.Image import Image

from models.training.collages import LABELS, WRITING_COLOURS, Collage
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, PAPER, SIZE, Pen, blank, fitting_size, font, label, write, written
from tasks.mini.lettering import RADIUS, SLOPES, scribble, spread, turned
from tasks.mini.noting import Colour, Frame, Thing
from tasks.mini.papers import WORDS

LAYOUTS = ((1, 1), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (2, 5), (3, 5), (3, 6), (3, 7))
"""Columns and rows."""
MARGIN = 8
"""Pixels of a cell that stay free."""
LARGEST, SMALLEST_BENT = 64, 24
"""Font sizes: of any writing, and from which on a line may be bent."""


class Line(NamedTuple):
    """Something to be written, with where and how large."""

    text: str
    centre: tuple[int, int]
    size: int
    colour: Colour


def page(rng: random.Random) -> Collage:
    """A picture of SIZE x SIZE with a word or number in most cells of a grid."""
    image, pen = blank(rng.choice((*PAPER, (255, 255, 255), (252, 250, 240))))
    columns, rows = rng.choice(LAYOUTS)
    width, height = SIZE // columns, SIZE // rows
    things = list[Thing]()
    for row in range(rows):
        for column in range(columns):
            if columns * rows > 2 and rng.random() < 0.15:
                continue
            text = _text(rng)
            size = fitting_size(text, width - 2 * MARGIN, min(LARGEST, height - MARGIN))
            size = max(12, round(size * rng.uniform(0.65, 1)))
            free = (width - font(size).getlength(text)) / 2 - MARGIN / 2
            across = round(rng.uniform(-free, free)) if free > 0 else 0
            centre = (round((column + 0.5) * width) + across, round((row + 0.5) * height) + rng.randint(-3, 3))
            line = Line(text, centre, size, COLOURS[rng.choice(WRITING_COLOURS)])
            things += _write(image, pen, line, rng, rows == 1)
    return Collage(image, things)


def _text(rng: random.Random) -> str:
    if rng.random() < 0.25:
        return str(rng.randint(0, 10 ** rng.choice((1, 2, 2, 3, 4)) - 1))
    if rng.random() < 0.4:
        return rng.choice(LABELS)
    word = rng.choice(WORDS)
    return word if rng.random() < 0.6 else word.lower()


def _write(image: Image, pen: Pen, line: Line, rng: random.Random, room: bool) -> list[Thing]:
    """Write a line and say what it names where. With `room` it may be bent, which makes it higher."""
    if not line.text.isalpha():
        (write if rng.random() < 0.5 else label)(pen, line.text, line.centre, line.size, line.colour)
        return written(line.text, line.centre, line.size)
    hands = [_bold, _plain, _by_hand, _decorated]
    if room and line.size >= SMALLEST_BENT:
        hands += [_arched, _sloped]
    rng.choice(hands)(image, pen, line, rng)
    half, (x, y) = font(line.size).getlength(line.text) / 2, line.centre
    frame = Frame(round(x - half), y - line.size // 2, round(x + half), y + line.size // 2)
    return [Thing(frame, line.text if line.text.isupper() else f" {line.text}")]


def _bold(image: Image, pen: Pen, line: Line, rng: random.Random) -> None:
    write(pen, *line)


def _plain(image: Image, pen: Pen, line: Line, rng: random.Random) -> None:
    label(pen, *line)


def _by_hand(image: Image, pen: Pen, line: Line, rng: random.Random) -> None:
    scribble(image, Dice(f"hand {rng.getrandbits(40)}"), *line)


def _decorated(image: Image, pen: Pen, line: Line, rng: random.Random) -> None:
    """Letters of one size that go up and down, with a rim, a shadow or hollow."""
    manner, hues = rng.choice(("rim", "shadow", "hollow")), rng.sample(list(COLOURS), 4)
    letters = font(line.size)
    x, up = line.centre[0] - letters.getlength(line.text) / 2, line.size // 9
    for place, sign in enumerate(line.text):
        where = (x, line.centre[1] + (up if place % 2 else -up))
        hue = COLOURS[hues[place % 4]]
        if manner == "rim":
            pen.text(where, sign, fill=hue, font=letters, anchor="lm", stroke_width=2, stroke_fill=(0, 0, 0))
        elif manner == "hollow":
            pen.text(where, sign, fill=(255, 255, 255), font=letters, anchor="lm", stroke_width=2,
                     stroke_fill=line.colour)  # fmt: skip
        else:
            for shift, colour in ((line.size // 14, (175, 175, 175)), (0, line.colour)):
                pen.text((where[0] + shift, where[1] + shift), sign, fill=colour, font=letters, anchor="lm",
                         stroke_width=1, stroke_fill=colour)  # fmt: skip
        x += letters.getlength(sign)


def _arched(image: Image, pen: Pen, line: Line, rng: random.Random) -> None:
    up = rng.choice((1, -1))
    for sign, along in spread(line.text, line.size):
        angle = along / RADIUS
        x, y = line.centre[0] + RADIUS * math.sin(angle), line.centre[1] + up * RADIUS * (1 - math.cos(angle))
        turned(image, sign, (x, y), line.size, -up * math.degrees(angle), line.colour)


def _sloped(image: Image, pen: Pen, line: Line, rng: random.Random) -> None:
    turn = rng.choice(SLOPES)
    angle = math.radians(turn)
    for sign, along in spread(line.text, line.size):
        centre = (line.centre[0] + along * math.cos(angle), line.centre[1] - along * math.sin(angle))
        turned(image, sign, centre, line.size, turn, line.colour)
