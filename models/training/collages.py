"""Pictures full of things, from which a vision tower learns to name what is where."""

from __future__ import annotations

import random
from typing import NamedTuple

from PIL.Image import Image

from tasks.mini import papers, persons, vocabulary, works
from tasks.mini.charts import MONTHS, THEMES
from tasks.mini.diagrams import CYCLES, FOOD, LAYERS, PARTS, PLACES, PLANETS
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
    font,
    label,
    thing,
    write,
    write_hanzi,
    written,
)
from tasks.mini.motion import GREY, HUES
from tasks.mini.noting import Frame, Thing
from tasks.mini.props import PROPS, THINGS
from tasks.mini.reasons import USES, draw_tool
from tasks.mini.scenes import MEANINGS, SHORT_WORDS, meaning

CHARACTERS = [character for character in HANZI if character in MEANINGS]
WRITING_COLOURS = ("red", "blue", "green", "black", "purple", "brown")
MARGIN = 16
"""Pixels to each side of a written line."""
LABELS = tuple(
    dict.fromkeys(
        word
        for text in (
            *(name for _, names in (*CYCLES, *LAYERS) for name in names),
            *(name for names in FOOD for name in names),
            *(name for parts in PARTS.values() for name in parts),
            *(name for theme in THEMES for name in theme.names),
            *PLACES, *PLANETS, *MONTHS, *papers.SHOPS, *papers.NAMES, *papers.DAYS, *papers.WORDS, *works.PEOPLE,
            *(noun.english.lower() for noun in (*vocabulary.ANIMALS, *vocabulary.GOODS, *vocabulary.FOODS)),
            *(word.upper() for word in SHORT_WORDS), *"ABCDEFGHKLMNPQRSTUVXYZ",
        )
        for word in text.split()
        if word.isalpha()
    )
)  # fmt: skip
"""Words that stand in charts, diagrams and papers."""
LABEL_SIZES = (14, 15, 16, 17, 18, 20, 22, 26, 30)


class Collage(NamedTuple):
    image: Image
    things: list[Thing]


def collage(rng: random.Random) -> Collage:
    """A picture of SIZE x SIZE full of shapes, people, labels, written lines or Hanzi."""
    image, pen = blank(rng.choice((*PAPER, (255, 255, 255))))
    draw = rng.choices((_shapes, _lines, _hanzi, _labels, _people, _small), (4, 2, 2, 6, 4, 2))[0]
    return Collage(image, draw(pen, rng))


def _shapes(pen: Pen, rng: random.Random) -> list[Thing]:
    things = []
    for box in cells(rng.choice((2, 3, 3)), rng):
        name, colour = rng.choice(list(THINGS)), rng.choice(list(COLOURS))
        THINGS[name](pen, box, COLOURS[colour])
        things.append(thing(box, f" {colour} {name}"))
    return things


def _small(pen: Pen, rng: random.Random) -> list[Thing]:
    """Some things as small as they are in clips and charts, with the colours of those."""
    things = []
    for box in rng.sample(cells(4, rng), 10):
        name, colour = rng.choice([*OBJECTS, *PROPS]), rng.choice([*COLOURS, GREY])
        THINGS[name](pen, box, HUES[colour])
        things.append(thing(box, f" {colour} {name}"))
    return things


def _hanzi(pen: Pen, rng: random.Random) -> list[Thing]:
    things = []
    for box in cells(2, rng):
        character = rng.choice(CHARACTERS)
        write_hanzi(pen, character, box, COLOURS[rng.choice(WRITING_COLOURS)])
        things.append(thing(box, meaning(character)))
    return things


def _people(pen: Pen, rng: random.Random) -> list[Thing]:
    """Faces, deeds, trades and tools."""
    return [rng.choice((_face, _deed, _worker, _tool))(pen, box, rng) for box in cells(2, rng)]


def _face(pen: Pen, box: Box, rng: random.Random) -> Thing:
    mood = rng.choice(persons.MOODS)
    persons.draw_mood(pen, box, mood, rng.choice(((250, 220, 90), (240, 195, 155), (200, 150, 110))))
    return thing(box, f" {mood}")


def _deed(pen: Pen, box: Box, rng: random.Random) -> Thing:
    pose, shirt = rng.choice(list(persons.ACTIONS)), rng.choice(("red", "blue", "green", "orange", "purple"))
    persons.draw_person(pen, box, pose, COLOURS[shirt])
    return thing(box, f" {shirt} {persons.ACTIONS[pose]}")


def _worker(pen: Pen, box: Box, rng: random.Random) -> Thing:
    job = rng.choice(persons.JOBS)
    persons.draw_worker(pen, box, job)
    return thing(box, f" {job}")


def _tool(pen: Pen, box: Box, rng: random.Random) -> Thing:
    name, colour = rng.choice(list(USES)), rng.choice(list(COLOURS))
    draw_tool(pen, name, box, COLOURS[colour])
    return thing(box, f" {name}")


def _labels(pen: Pen, rng: random.Random) -> list[Thing]:
    """Words and numbers of ordinary weight in three columns, as charts and diagrams have them."""
    things, top = list[Thing](), rng.randint(2, 12)
    while True:
        size = rng.choice(LABEL_SIZES)
        if top + size > SIZE - 2:
            return things
        columns = 3 if size < 20 else 2
        for column in range(columns):
            if rng.random() < 0.75:
                text = rng.choice(LABELS) if rng.random() < 0.5 else rng.choice((_number, _hundreds, _sum))(rng)
                size_here = min(size, fitting_size(text, SIZE // columns - 6, size))
                x = round((column + 0.5) * SIZE / columns) + rng.randint(-4, 4)
                hue = (20, 20, 20) if rng.random() < 0.6 else COLOURS[rng.choice(WRITING_COLOURS)]
                label(pen, text, (x, top + size // 2), size_here, hue)
                things += _read(text, (x, top + size // 2), size_here)
        top += size + rng.randint(2, 18)


def _read(text: str, centre: tuple[int, int], size: int) -> list[Thing]:
    """What a label says: a word as it stands within a sentence, or digits and signs where each is."""
    if not text.isalpha():
        return written(text, centre, size)
    half = font(size).getlength(text) / 2
    x, y = centre
    return [Thing(Frame(round(x - half), y - size // 2, round(x + half), y + size // 2), f" {text}")]


def _lines(pen: Pen, rng: random.Random) -> list[Thing]:
    """Words, numbers and sums one below the other, as large as they are in scenes."""
    things, top = list[Thing](), 0
    while True:
        text = rng.choice((_word, _word, _number, _sum))(rng)
        size = min(rng.randrange(40, 97, 8), fitting_size(text, SIZE - 2 * MARGIN, 96))
        if top + size > SIZE:
            return things
        centre = (SIZE // 2 + rng.randint(-MARGIN, MARGIN), top + size // 2)
        write(pen, text, centre, size, COLOURS[rng.choice(WRITING_COLOURS)])
        things += written(text, centre, size)
        top += size


def _word(rng: random.Random) -> str:
    return rng.choice(SHORT_WORDS)


def _number(rng: random.Random) -> str:
    return str(rng.randint(0, 99))


def _hundreds(rng: random.Random) -> str:
    return str(rng.randint(100, 9999))


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
