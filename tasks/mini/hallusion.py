"""HallusionBench of the mini world: sets of a plain picture and an edited one on which every answer is the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tasks.mini import charts
from tasks.mini.asks import redrawn
from tasks.mini.charts import QUARTERS, Theme, grid
from tasks.mini.diagrams import PLACES, WINDS
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, OBJECTS, PAPER, SIZE, Box, blank, fitting_size, label, write
from tasks.mini.papers import WORDS
from tasks.mini.partition import Part
from tasks.mini.reasons import arrow
from tasks.mini.tables import Table

COLUMNS = ("index", "question", "answer", "category", "l2-category", "visual_input", "set_id", "figure_id",
           "question_id", "gt_answer_details", "image")  # fmt: skip
SETS = 3
"""In each l2 category."""
HUES = ("red", "blue", "green", "purple", "orange")


class Case(NamedTuple):
    questions: tuple[str, ...]
    """The first is true of the plain picture, the second of the edited one, and so on in turn."""
    draw: Callable[[Dice, bool], Image.Image]
    """Plain, or edited; where things stand is open."""


def illusion(dice: Dice) -> Case:
    """Two lines with heads that turn outwards or inwards; edited, the upper line is longer."""
    hue, long = COLOURS[dice.choice(HUES)], dice.number(70, 110, 10)

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank(dice.choice(PAPER))
        for y, way, half in (
            (dice.number(50, 80, 5), 1, long // 2 + 26 * edited),
            (dice.number(140, 170, 5), -1, long // 2),
        ):
            x = dice.number(106, 118, 2)
            pen.line((x - half, y, x + half, y), fill=hue, width=5)
            for side in (-1, 1):
                end = x + side * half
                for up in (-14, 14):
                    pen.line((end, y, end + way * side * 14, y + up), fill=INK, width=4)
        return image

    one, two = dice.choice((("upper", "lower"), ("top", "bottom")))
    asked = (
        f"Are the {one} and the {two} coloured line equally long?",
        f"Is the {one} coloured line longer than the {two} one?",
    )
    return Case(asked, draw)


def sums(dice: Dice) -> Case:
    left, right, wrong = dice.number(2, 9), dice.number(2, 9), dice.choice((-2, -1, 1, 2))

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank(dice.choice(PAPER))
        text = f"{left} + {right} = {left + right + wrong * edited}"
        write(pen, text, (112, dice.number(60, 164, 8)), dice.number(34, 42, 2), COLOURS[dice.choice(HUES[:4])])
        return image

    asked = (
        "Is the sum in the picture right?",
        f"Does the picture say that {left} and {right} make {left + right + wrong}?",
    )
    return Case(asked, draw)


def film(dice: Dice) -> Case:
    """Three pictures of a film, one below the other."""
    name, hue = dice.choice(("circle", "star", "heart", "boat")), COLOURS[dice.choice(HUES)]

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank((60, 60, 60))
        step, start = dice.number(40, 56, 4), dice.number(20, 36, 4)
        for i in range(3):
            pen.rectangle((10, 8 + 71 * i, 214, 72 + 71 * i), fill=(250, 250, 245))
            label(pen, str(i + 1), (22, 22 + 71 * i), 16)
            OBJECTS[name](pen, Box(start + step * (2 - i if edited else i) + 10, 18 + 71 * i, 44), hue)
        return image

    asked = (
        f"Does the {name} move to the right from picture 1 to picture 3?",
        f"Does the {name} move to the left from picture 1 to picture 3?",
    )
    return Case(asked, draw)


def words(dice: Dice) -> Case:
    word, other = dice.sample(WORDS, 2)

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank(dice.choice(PAPER))
        text = other if edited else word
        write(
            pen, text, (112, dice.number(60, 164, 8)), min(56, fitting_size(text, 190, 56)), COLOURS[dice.choice(HUES)]
        )
        return image

    return Case((f'Does the picture say "{word}"?', f'Is "{other}" the word in the picture?'), draw)


def shape(dice: Dice) -> Case:
    names, many = dice.sample(list(OBJECTS), 2), dice.number(3, 5)

    def draw(dice: Dice, edited: bool) -> Image.Image:
        """Edited, one thing is of the other kind."""
        image, pen = blank(dice.choice(PAPER))
        spots = dice.sample([(x, y) for x in range(3) for y in range(3)], many)
        for i, (x, y) in enumerate(spots):
            OBJECTS[names[1 if edited and not i else 0]](
                pen, Box(12 + 70 * x, 12 + 70 * y, 56), COLOURS[dice.choice(HUES)]
            )
        return image

    return Case((f"Is every thing in the picture a {names[0]}?", f"Is there a {names[1]} in the picture?"), draw)


def _numbers(dice: Dice) -> tuple[Theme, tuple[str, ...], tuple[int, ...], int]:
    """A theme, names, their values, and the place of a value, not the highest, that will be edited to top all."""
    theme = dice.choice((charts.THEMES[0], charts.THEMES[3], Theme("Sold", "quarter", QUARTERS, "sale", "cups")))
    names, values = tuple(dice.sample(theme.names, 4)), charts.values_for(dice, 4, 5, 40)
    return theme, names, values, dice.choice([i for i, value in enumerate(values) if value < max(values)])


def bar_chart(dice: Dice) -> Case:
    theme, names, values, at = _numbers(dice)
    best = names[values.index(max(values))]

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank(dice.choice(PAPER))
        label(pen, f"{theme.title} ({theme.unit})", (112, 16), 17)
        shown = [45 if edited and i == at else value for i, value in enumerate(values)]
        hues = dice.sample(HUES, 4)
        for i, (name, value) in enumerate(zip(names, shown, strict=True)):
            x, top = 18 + 50 * i, 190 - 3 * value
            pen.rectangle((x, top, x + 34, 190), fill=COLOURS[hues[i]])
            label(pen, str(value), (x + 17, top - 10), 15)
            label(pen, name, (x + 17, 204), 15)
        pen.line((10, 190, 214, 190), fill=INK, width=2)
        return image

    return Case(
        (f"Is the bar of {best} the highest?", f"According to the chart, is {names[at]} ahead of all others?"), draw
    )


def number_table(dice: Dice) -> Case:
    theme, names, values, at = _numbers(dice)
    best = names[values.index(max(values))]

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank(dice.choice(PAPER))
        label(pen, theme.title, (112, 18), 18)
        shown = [str(45 if edited and i == at else value) for i, value in enumerate(values)]
        grid(pen, [(theme.item, theme.unit), *zip(names, shown, strict=True)], dice.number(34, 48, 2))
        return image

    return Case((f"Does {best} have the highest number in the table?", f"Is the number for {names[at]} 45?"), draw)


def town(dice: Dice) -> Case:
    """Two places on a map; edited, they are on the other sides of each other."""
    names, (wind, way) = dice.sample(PLACES, 2), dice.choice(list(WINDS.items()))
    back = next(name for name, other in WINDS.items() if other == (-way[0], -way[1]))

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank((225, 240, 215))
        arrow(pen, (204, 50), (204, 16), INK, 3)
        label(pen, "N", (204, 62), 16)
        x, y, far = dice.number(96, 116, 4), dice.number(100, 124, 4), dice.number(50, 70, 5)
        for name, side in zip(names, (1, -1), strict=True):
            side = -side if edited else side
            px, py = x + side * far * way[0], y + side * far * way[1]
            pen.ellipse((px - 8, py - 8, px + 8, py + 8), fill=COLOURS[dice.choice(HUES)])
            label(pen, name, (px, py + 18), 16)
        return image

    asked = (
        f"Is the {names[0]} {wind} of the {names[1]} on this map?",
        f"On this map, does the {names[0]} lie to the {back} of the {names[1]}?",
    )
    return Case(asked, draw)


def poster(dice: Dice) -> Case:
    """A sign with a day and an hour."""
    days, hours = dice.sample(("MONDAY", "TUESDAY", "FRIDAY", "SUNDAY"), 2), dice.sample(range(7, 12), 2)
    what = dice.choice(("CONCERT", "MARKET", "RACE", "DANCE"))

    def draw(dice: Dice, edited: bool) -> Image.Image:
        image, pen = blank(dice.choice(PAPER))
        hue, y = COLOURS[dice.choice(HUES)], dice.number(20, 44, 4)
        pen.rectangle((14, y, SIZE - 14, y + 160), fill=(255, 255, 255), outline=hue, width=6)
        for i, line in enumerate((what, days[edited], f"{hours[edited]} o'clock")):
            write(pen, line, (112, y + 36 + 46 * i), 28, hue)
        return image

    return Case(
        (f"Is the {what.lower()} on {days[0].title()}?", f"Does the {what.lower()} begin at {hours[1]} o'clock?"), draw
    )


CATEGORIES: dict[tuple[str, str], Callable[[Dice], Case]] = {
    ("VD", "illusion"): illusion,
    ("VD", "math"): sums,
    ("VD", "video"): film,
    ("VD", "ocr"): words,
    ("VD", "figure"): shape,
    ("VS", "chart"): bar_chart,
    ("VS", "table"): number_table,
    ("VS", "map"): town,
    ("VS", "ocr"): poster,
}


class Figure(NamedTuple):
    image: Image.Image
    number: int
    answers: tuple[str, ...]
    """Yes or No, to each question of the case."""


def figures(dice: Dice, case: Case, part: Part, category: str) -> tuple[Figure, Figure]:
    """The plain picture and the edited one. Sets that only add a picture to knowledge count from 1: 0 is none."""
    drawn = []
    for edited in (False, True):
        image = redrawn(dice, lambda dice, edited=edited: case.draw(dice, edited), part)  # type: ignore[misc]
        answers = tuple("Yes" if (at % 2 == 1) == edited else "No" for at in range(len(case.questions)))
        drawn.append(Figure(image, edited + (category == "VS"), answers))
    return drawn[0], drawn[1]


def hallusion(out: Path, seed: int) -> int:
    dice, table = Dice(f"HallusionBench {seed}"), Table(COLUMNS)
    for (category, second), make in CATEGORIES.items():
        for group in range(SETS):
            case = make(dice)
            for figure in figures(dice, case, "test", category):
                for number, (question, answer) in enumerate(zip(case.questions, figure.answers, strict=True)):
                    visual = "1" if category == "VD" and not figure.number else str(max(1, figure.number))
                    cells = {"question": question, "answer": answer, "category": category, "l2-category": second,
                             "visual_input": visual, "set_id": str(group), "figure_id": str(figure.number),
                             "question_id": str(number), "gt_answer_details": f"{question} {answer}."}  # fmt: skip
                    index = f"{category}_{second}_{visual}_{group}_{figure.number}_{number}"
                    table.add(index, [figure.image], cells)
    return table.write(out / "HallusionBench" / "HallusionBench.tsv")
