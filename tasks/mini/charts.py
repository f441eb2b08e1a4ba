"""Charts of invented numbers: bars, lines, pies and tables, and questions that are read off them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PIL import Image

from tasks.mini.asks import Ask, choice, number
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, PAPER, SIZE, Pen, blank, label

LEFT, BOTTOM, HEIGHT = 36, 190, 140
"""Where a chart's axes meet, and how long the upright one is, in pixels."""
GREY = (190, 190, 190)
HUES = ("red", "blue", "green", "orange", "purple", "brown")


class Theme(NamedTuple):
    """What a chart tells: numbers for some names."""

    title: str
    item: str
    names: tuple[str, ...]
    measure: str
    unit: str


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug")
QUARTERS = ("Q1", "Q2", "Q3", "Q4")
THEMES = (
    Theme("Fruit sold", "fruit", ("apple", "pear", "plum", "fig", "lemon", "melon"), "sale", "kg"),
    Theme("Rain", "month", MONTHS, "rainfall", "mm"),
    Theme("Visitors", "day", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "number of visitors", "people"),
    Theme("Pets at school", "pet", ("cat", "dog", "fish", "bird", "mouse", "horse"), "count", "pets"),
    Theme("Books read", "reader", ("Anna", "Tom", "Mei", "Jack", "Rosa", "Omar"), "number of books", "books"),
    Theme("Height of trees", "tree", ("oak", "pine", "elm", "ash", "palm", "birch"), "height", "m"),
)


class Chart(NamedTuple):
    image: Image.Image
    theme: Theme
    names: tuple[str, ...]
    values: tuple[int, ...]


def values_for(dice: Dice, names: int, step: int = 5, most: int = 50) -> tuple[int, ...]:
    """Different numbers, in steps."""
    return tuple(dice.sample(range(step, most + 1, step), names))


def bars(dice: Dice, theme: Theme, count: int = 4, step: int = 5) -> Chart:
    names, values, image, pen = _begin(dice, theme, count, step)
    pitch, written = (SIZE - LEFT - 8) // count, dice.choice((True, False))
    hues = dice.sample(HUES, len(HUES))
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        x, top = LEFT + 6 + pitch * i, _height(value, step)
        pen.rectangle((x, top, x + pitch - 12, BOTTOM), fill=COLOURS[hues[i]])
        label(pen, name, (x + pitch / 2 - 6, BOTTOM + 14), 15)
        if written:
            label(pen, str(value), (x + pitch / 2 - 6, top - 9), 15)
    return Chart(image, theme, names, values)


def lines(dice: Dice, theme: Theme, count: int = 5, step: int = 5) -> Chart:
    count = min(count, len(theme.names))
    names, values, image, pen = _begin(dice, theme, count, step)
    pitch, colour = (SIZE - LEFT - 16) // count, COLOURS[dice.choice(HUES)]
    points = [(LEFT + pitch // 2 + pitch * i, _height(value, step)) for i, value in enumerate(values)]
    pen.line(points, fill=colour, width=3)
    for name, (x, y) in zip(names, points, strict=True):
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour)
        label(pen, name, (x, BOTTOM + 14), 12 if max(map(len, names)) > 3 else 15)
    return Chart(image, theme, names, values)


def _height(value: int, step: int) -> int:
    return BOTTOM - round(value / (10 * step) * HEIGHT)


def _begin(
    dice: Dice, theme: Theme, count: int, step: int
) -> tuple[tuple[str, ...], tuple[int, ...], Image.Image, Pen]:
    """Axes with a scale from 0 to ten steps, in fives of two steps."""
    start = dice.number(0, len(theme.names) - count)
    names, values = theme.names[start : start + count], values_for(dice, count, step, 10 * step)
    image, pen = blank(dice.choice(PAPER))
    label(pen, f"{theme.title} ({theme.unit})", (SIZE // 2, 16), 17)
    for mark in range(0, 10 * step + 1, 2 * step):
        y = _height(mark, step)
        pen.line((LEFT, y, SIZE - 8, y), fill=GREY)
        label(pen, str(mark), (LEFT - 18, y), 14)
    pen.line((LEFT, BOTTOM - HEIGHT, LEFT, BOTTOM, SIZE - 8, BOTTOM), fill=INK, width=2)
    return names, values, image, pen


def pie(dice: Dice, theme: Theme, count: int = 4, step: int = 5) -> Chart:
    """Shares in percent, written into the slices."""
    names = tuple(dice.sample(theme.names, count))
    while True:
        values = values_for(dice, count - 1, 5, 50)
        if 10 <= 100 - sum(values) <= 60 and 100 - sum(values) not in values and min(values) >= 10:
            break
    values = (*values, 100 - sum(values))
    image, pen = blank(dice.choice(PAPER))
    label(pen, f"{theme.title} (%)", (SIZE // 2, 14), 17)
    start, hues = float(dice.number(0, 330, 30)), dice.sample(HUES, len(HUES))
    for i, value in enumerate(values):
        end = start + 3.6 * value
        pen.pieslice((10, 34, 150, 174), start, end, fill=COLOURS[hues[i]], outline=(255, 255, 255))
        turn = math.radians((start + end) / 2)
        label(pen, str(value), (80 + 46 * math.cos(turn), 104 + 46 * math.sin(turn)), 15, (255, 255, 255))
        y = 46 + 32 * i
        pen.rectangle((156, y, 170, y + 14), fill=COLOURS[hues[i]])
        label(pen, names[i], (197, y + 7), 15)
        start = end
    return Chart(image, theme._replace(unit="percent"), names, values)


def table(dice: Dice, theme: Theme, count: int = 4, step: int = 1) -> Chart:
    names, values = tuple(dice.sample(theme.names, count)), values_for(dice, count, step, 30 * step)
    image, pen = blank(dice.choice(PAPER))
    label(pen, theme.title, (SIZE // 2, 20), 18)
    grid(pen, [(theme.item, theme.unit), *((name, str(value)) for name, value in zip(names, values, strict=True))], 40)
    return Chart(image, theme, names, values)


def grid(pen: Pen, rows: Sequence[Sequence[str]], top: int, size: int = 17) -> None:
    """A table as wide as the picture; its first row is its head."""
    width, height = (SIZE - 24) // len(rows[0]), min(34, (SIZE - top - 8) // len(rows))
    pen.rectangle((12, top, 12 + width * len(rows[0]), top + height), fill=(215, 225, 240))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            x, y = 12 + width * column, top + height * row
            pen.rectangle((x, y, x + width, y + height), outline=INK)
            label(pen, cell, (x + width / 2, y + height / 2), size)


Draw = Callable[[Dice, Theme], Chart]
KINDS: tuple[Draw, ...] = (bars, lines, pie, table)


def most(dice: Dice, chart: Chart) -> Ask:
    top = dice.choice((True, False))
    value = max(chart.values) if top else min(chart.values)
    item, measure = chart.theme.item, chart.theme.measure
    big, far = ("highest", "largest") if top else ("lowest", "smallest")
    wordings = (
        f"Which {item} has the {big} {measure}?",
        f"For which {item} is the {measure} the {far}?",
        f"Name the {item} with the {far} {measure} in the chart.",
    )
    return choice(dice, chart.image, wordings, chart.names[chart.values.index(value)], chart.names)


def value(dice: Dice, chart: Chart) -> Ask:
    name, value = dice.choice(list(zip(chart.names, chart.values, strict=True)))
    theme = chart.theme
    wordings = (
        f"What is the {theme.measure} for {name}, in {theme.unit}?",
        f"Which {theme.measure} (in {theme.unit}) does the chart show for {name}?",
    )
    return number(dice, chart.image, wordings, value, 5)


def difference(dice: Dice, chart: Chart) -> Ask:
    (less, first), (more, second) = sorted(dice.sample(list(enumerate(chart.values)), 2), key=lambda pair: pair[1])
    theme, big, small = chart.theme, chart.names[more], chart.names[less]
    wordings = (
        f"By how many {theme.unit} is the {theme.measure} for {big} above that for {small}?",
        f"What is the difference between {big} and {small}, in {theme.unit}?",
    )
    return number(dice, chart.image, wordings, second - first, 5 if (second - first) % 5 == 0 else 1)


def total(dice: Dice, chart: Chart) -> Ask:
    first, second = dice.sample(range(len(chart.values)), 2)
    wordings = (
        f"What do {chart.names[first]} and {chart.names[second]} add up to, in {chart.theme.unit}?",
        f"How many {chart.theme.unit} are {chart.names[first]} and {chart.names[second]} together?",
    )
    return number(dice, chart.image, wordings, chart.values[first] + chart.values[second], 5)


def above(dice: Dice, chart: Chart) -> Ask:
    ordered = sorted(chart.values)
    many = dice.number(1, len(ordered) - 1)
    limit = ordered[-many - 1]
    wordings = (
        f"How many of the {len(ordered)} values lie above {limit} {chart.theme.unit}?",
        f"In how many cases is the {chart.theme.measure} more than {limit} {chart.theme.unit}?",
    )
    return choice(dice, chart.image, wordings, str(many), [str(n) for n in range(len(ordered) + 1)])


QUESTIONS: tuple[Callable[[Dice, Chart], Ask], ...] = (most, value, difference, total, above)


def about(
    themes: tuple[Theme, ...] = THEMES,
    kinds: tuple[Draw, ...] = KINDS,
    questions: tuple[Callable[[Dice, Chart], Ask], ...] = QUESTIONS,
) -> Callable[[Dice], Ask]:
    """A family: some chart on one of the themes, and a question on it."""

    def family(dice: Dice) -> Ask:
        chart = dice.choice(kinds)(dice, dice.choice(themes))
        return dice.choice(questions)(dice, chart)

    return family
