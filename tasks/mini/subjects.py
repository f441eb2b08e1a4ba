"""Pictures of school and college subjects that need a drawing of their own."""

from __future__ import annotations

import math

from tasks.mini import persons, works
from tasks.mini.asks import Ask, choice, number
from tasks.mini.charts import grid
from tasks.mini.diagrams import PALE
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, PAPER, SIZE, WHITE, Box, blank, label, write
from tasks.mini.reasons import arrow

HUES = ("red", "blue", "green", "orange", "purple")


def body(dice: Dice) -> Ask:
    """A person with letters at parts of the body."""
    spots = {"head": (0.5, 0.12), "hand": (0.3, 0.55), "chest": (0.5, 0.38), "foot": (0.6, 0.97), "knee": (0.45, 0.79)}
    image, pen = blank(dice.choice(PAPER))
    box = Box(dice.number(30, 44, 2), dice.number(14, 28, 2), 180)
    persons.draw_person(pen, box, "standing", COLOURS[dice.choice(HUES)])
    letters = dice.sample("PQRST", 5)
    for letter, (x, y) in zip(letters, spots.values(), strict=True):
        start, end = box.at((x, y))[0], box.at((0.9 if x >= 0.5 else 0.06, y))[0]
        pen.line((*start, *end), fill=INK, width=2)
        pen.ellipse((end[0] - 12, end[1] - 12, end[0] + 12, end[1] + 12), fill=WHITE, outline=INK, width=2)
        label(pen, letter, end, 16)
    part, letter = dice.choice(list(zip(spots, letters, strict=True)))
    if dice.random() < 0.5:
        return choice(dice, image, (f"Which part of the body has the letter {letter}?",), part, list(spots))
    return choice(
        dice, image, (f"Which letter is at the {part}?", f"What is the label of the {part}?"), letter, letters
    )


ELEMENTS = {"H": (1, "hydrogen"), "He": (2, "helium"), "C": (6, "carbon"), "N": (7, "nitrogen"), "O": (8, "oxygen"),
            "Ne": (10, "neon"), "Na": (11, "sodium"), "Al": (13, "aluminium"), "S": (16, "sulphur"),
            "Fe": (26, "iron"), "Cu": (29, "copper"), "Ag": (47, "silver")}  # fmt: skip


def element(dice: Dice) -> Ask:
    symbol = dice.choice(list(ELEMENTS))
    protons, name = ELEMENTS[symbol]
    image, pen = blank(dice.choice(PAPER))
    x, y = dice.number(30, 60, 5), dice.number(30, 60, 5)
    pen.rectangle((x, y, x + 130, y + 130), fill=dice.choice(PALE), outline=INK, width=4)
    label(pen, symbol, (x + 65, y + 72), 60)
    label(pen, str(protons), (x + 22, y + 20), 22)
    if dice.random() < 0.5:
        wordings = ("How many protons has an atom of this element?", "What is the number of protons in the nucleus?")
        return number(dice, image, wordings, protons, dice.choice((1, 2)))
    wordings = ("Which element is this?", "What is the name of the element in the box?")
    return choice(dice, image, wordings, name, [other for _, other in ELEMENTS.values()])


def cells(dice: Dice) -> Ask:
    """Cells under a microscope, some of them stained."""
    sick, well = dice.number(1, 6), dice.number(2, 7)
    image, pen = blank((235, 235, 240))
    pen.ellipse((4, 4, 220, 220), fill=(255, 245, 235), outline=INK, width=4)
    spots = dice.sample([(x, y) for x in range(4) for y in range(4)], sick + well)
    for i, (x, y) in enumerate(spots):
        left, top = 44 + 36 * x + dice.number(-3, 3), 44 + 36 * y + dice.number(-3, 3)
        pen.ellipse((left, top, left + 26, top + 26), fill=(225, 150, 165) if i >= sick else (110, 60, 150))
        pen.ellipse((left + 9, top + 9, left + 17, top + 17), fill=(150, 70, 90) if i >= sick else (40, 20, 70))
    if dice.random() < 0.5:
        wordings = ("How many violet (stained) cells are in the sample?", "Count the dark violet cells.")
        return number(dice, image, wordings, sick, 1)
    return number(dice, image, ("How many cells are in the sample in all?", "Count all the cells."), sick + well, 1)


def market(dice: Dice) -> Ask:
    """Supply and demand as straight lines that cross."""
    price, amount = dice.number(2, 6), dice.number(2, 6)
    image, pen = blank(dice.choice(PAPER))
    x0, y0, unit = 34, 190, 22
    for i in range(1, 9):
        pen.line((x0, y0 - unit * i, 212, y0 - unit * i), fill=(215, 215, 215))
        pen.line((x0 + unit * i, 14, x0 + unit * i, y0), fill=(215, 215, 215))
        label(pen, str(i), (x0 - 12, y0 - unit * i), 13)
        label(pen, str(i), (x0 + unit * i, y0 + 12), 13)
    pen.line((x0, 10, x0, y0, 216, y0), fill=INK, width=3)
    label(pen, "price", (x0 + 22, 8), 13)
    label(pen, "amount", (190, y0 + 26), 13)
    low = min(price, amount, 8 - price, 8 - amount)
    for way, name in ((1, "supply"), (-1, "demand")):
        ends = [(x0 + unit * (amount + t), y0 - unit * (price + way * t)) for t in (-low, low)]
        hue = COLOURS["red" if way < 0 else "blue"]
        pen.line([*ends[0], *ends[1]], fill=hue, width=4)
        label(pen, name, (min(ends[1][0] + 8, 192), ends[1][1] - 12), 14, hue)
    if dice.random() < 0.5:
        return number(
            dice, image, ("At which price are supply and demand equal?", "What is the equilibrium price?"), price
        )
    wordings = ("Which amount is traded in equilibrium?", "At what amount do supply and demand meet?")
    return number(dice, image, wordings, amount)


NOTES = ("E", "F", "G", "A", "B", "C", "D", "E", "F")
"""On the lines and between them, from the lowest line up."""


def music(dice: Dice) -> Ask:
    """Notes on five lines."""
    count = dice.number(2, 6)
    image, pen = blank((255, 253, 245))
    y = dice.number(60, 100, 4)
    for line in range(5):
        pen.line((8, y + 18 * line, 216, y + 18 * line), fill=INK, width=2)
    label(pen, "treble clef", (50, y - 30), 14)
    heights = [dice.number(0, 8) for _ in range(count)]
    for i, height in enumerate(heights):
        x, middle = 30 + 32 * i, y + 72 - 9 * height
        pen.ellipse((x - 11, middle - 8, x + 11, middle + 8), fill=INK)
        up = height < 4
        pen.line(
            (x + 10, middle, x + 10, middle - 48) if up else (x - 10, middle, x - 10, middle + 48), fill=INK, width=3
        )
    kind = dice.choice(("count", "first", "last"))
    if kind == "count":
        return number(
            dice, image, ("How many notes are on the staff?", "How many beats are these quarter notes?"), count
        )
    note = NOTES[heights[0 if kind == "first" else -1]]
    wordings = (f"What is the name of the {kind} note?", f"Which note is the {kind} one?")
    return choice(dice, image, wordings, note, NOTES)


def bottle(dice: Dice) -> Ask:
    """A bottle of pills with a label."""
    pills, times, days = dice.number(1, 3), dice.number(1, 4), dice.number(4, 10)
    image, pen = blank(dice.choice(PAPER))
    x = dice.number(34, 54, 4)
    pen.rounded_rectangle((x, 40, x + 130, 214), radius=14, fill=(225, 150, 70))
    pen.rectangle((x + 16, 12, x + 114, 44), fill=WHITE, outline=INK, width=3)
    pen.rectangle((x, 74, x + 130, 190), fill=WHITE)
    for i, line in enumerate((f"{pills * times * days} pills", f"take {pills}", f"{times} x a day")):
        label(pen, line, (x + 65, 96 + 36 * i), 22)
    kind = dice.choice(("daily", "days"))
    if kind == "daily":
        wordings = ("How many pills does a patient take in one day?", "How many pills a day does the label ask for?")
        return number(dice, image, wordings, pills * times, 1)
    wordings = ("For how many days does the bottle last?", "After how many days is the bottle empty?")
    return number(dice, image, wordings, days, 1)


def profit(dice: Dice) -> Ask:
    income, costs = dice.number(40, 95, 5), dice.number(10, 35, 5)
    taxes = dice.choice((0, 5))
    image, pen = blank(dice.choice(PAPER))
    label(pen, f"{dice.choice(tuple(works.PEOPLE))}'s shop, in $", (SIZE // 2, 22), 18)
    rows = [("entry", "amount"), ("income", str(income)), ("costs", str(costs)), ("taxes", str(taxes))]
    grid(pen, rows, dice.number(44, 70, 2), 19)
    wordings = ("What is the profit after costs and taxes, in dollars?", "How many dollars are left in the end?")
    return number(dice, image, wordings, income - costs - taxes, 5)


def painter(dice: Dice) -> Ask:
    name = dice.choice(list(works.ARTISTS))
    image, pen = blank(INK)
    works.draw_artwork(pen, name, dice)
    wordings = ("Who painted this picture?", "Which painter has this manner?")
    return choice(dice, image, wordings, name, list(works.ARTISTS))


WHEEL = ("red", "orange", "yellow", "green", "blue", "purple")


def wheel(dice: Dice) -> Ask:
    """A colour wheel of six."""
    image, pen = blank(dice.choice(PAPER))
    r, turn = dice.number(80, 100, 5), dice.number(0, 330, 30)
    for i, name in enumerate(WHEEL):
        start = turn + 60 * i
        pen.pieslice((112 - r, 112 - r, 112 + r, 112 + r), start, start + 60, fill=COLOURS[name], outline=WHITE)
    at = dice.randrange(6)
    wordings = (f"Which colour lies opposite {WHEEL[at]} on the wheel?", f"What is the complement of {WHEEL[at]} here?")
    return choice(dice, image, wordings, WHEEL[(at + 3) % 6], WHEEL)


def lever(dice: Dice) -> Ask:
    """A weight on each side of a level beam, at whole distances."""
    near, far, times = dice.number(1, 2), dice.number(3, 4), dice.number(1, 4)
    left = far * times
    image, pen = blank(dice.choice(PAPER))
    y = dice.number(105, 135, 5)
    pen.rectangle((10, y, 214, y + 8), fill=INK)
    pen.polygon(((112, y + 8), (130, y + 50), (94, y + 50)), fill=COLOURS["brown"])
    for place, text in ((-near, f"{left} kg"), (far, "x")):
        x = 112 + 22 * place
        pen.rectangle((x - 22, y - 40, x + 22, y), fill=(190, 200, 215), outline=INK, width=2)
        label(pen, text, (x, y - 20), 16)
        arrow(pen, (112, y + 62), (x, y + 62), COLOURS["red"], 3)
        label(pen, f"{abs(place)} m", (112 + 14 * (1 if place > 0 else -1) + 12 * place // 2, y + 76), 15)
    wordings = ("The lever is level. What is the weight x, in kg?", "Which weight x, in kg, keeps the lever level?")
    return number(dice, image, wordings, near * times, 1)


def hill(dice: Dice) -> Ask:
    """Height lines of a hill, with a point between two of them or at one."""
    step, rings = dice.choice((10, 20, 50, 100)), dice.number(3, 5)
    image, pen = blank((225, 240, 215))
    x, y = dice.number(100, 124, 4), dice.number(100, 124, 4)
    for i in range(rings):
        r = 96 - 18 * i
        pen.ellipse((x - r, y - 0.8 * r, x + r, y + 0.8 * r), outline=COLOURS["brown"], width=2)
        pen.rectangle((x - 13, y - 0.8 * r - 6, x + 13, y - 0.8 * r + 6), fill=(225, 240, 215))
        label(pen, str(step * (i + 1)), (x, y - 0.8 * r), 13)
    at = dice.number(0, rings - 1)
    t = math.radians(dice.choice((-60, -40, 40, 60)))
    px, py = x + (96 - 18 * at) * math.cos(t), y + 0.8 * (96 - 18 * at) * math.sin(t)
    pen.ellipse((px - 6, py - 6, px + 6, py + 6), fill=COLOURS["red"])
    wordings = ("At which height, in metres, is the red point?", "How high, in m, does the red point lie?")
    return number(dice, image, wordings, step * (at + 1), step)


def flask(dice: Dice) -> Ask:
    """Liquid in a measuring cylinder."""
    value = dice.number(10, 90, 10)
    image, pen = blank(dice.choice(PAPER))
    x, bottom = dice.number(60, 100, 5), 206
    top = bottom - round(1.8 * value)
    pen.rectangle((x, top, x + 56, bottom), fill=COLOURS[dice.choice(HUES)])
    pen.line((x, 12, x, bottom, x + 56, bottom, x + 56, 12), fill=INK, width=4)
    for mark in range(10, 101, 10):
        y = bottom - round(1.8 * mark)
        pen.line((x + 42, y, x + 56, y), fill=INK, width=2)
        if mark % 20 == 0:
            label(pen, str(mark), (x + 76, y), 14)
    label(pen, "ml", (x + 104, 28), 16)
    wordings = ("How much liquid is in the cylinder, in ml?", "Which volume (in ml) do you read?")
    return number(dice, image, wordings, value, 10)


def banner(dice: Dice) -> Ask:
    """The title of an invented book."""
    first, second = dice.sample(("SEA", "TREE", "STAR", "ROAD", "RING", "BIRD", "LAKE", "MOON"), 2)
    writer = dice.choice(list(works.PEOPLE))
    image, pen = blank(COLOURS[dice.choice(("red", "blue", "green", "purple", "brown"))])
    write(pen, first, (112, 60 + dice.number(0, 10, 5)), 40, WHITE)
    label(pen, "and", (112, 100), 22, WHITE)
    write(pen, second, (112, 138), 40, WHITE)
    label(pen, f"by {writer}", (112, 196), 22, WHITE)
    if dice.random() < 0.5:
        return choice(dice, image, ("Who wrote this book?", "What is the author called?"), writer, list(works.PEOPLE))
    pool = [
        f"{a.title()} and {b.title()}" for a, b in ((first, second), (second, first), (first, "Sun"), ("Wind", second))
    ]
    return choice(dice, image, ("What is the title of the book?", "What is the book called?"), pool[0], pool)
