"""Figures with measures, instruments to read, and small sums in pictures."""

from __future__ import annotations

import math
from typing import NamedTuple

from PIL import Image

from tasks.mini.asks import Ask, choice, number
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, OBJECTS, PAPER, SIZE, WHITE, Box, Pen, blank, label

Points = list[tuple[float, float]]
LIGHT = ((250, 220, 170), (190, 220, 250), (200, 235, 195), (235, 205, 235))


def _outline(pen: Pen, points: Points, fill: tuple[int, int, int]) -> None:
    pen.polygon(points, fill=fill)
    pen.line([*points, points[0], points[1]], fill=INK, width=3, joint="curve")


class _Rectangle(NamedTuple):
    image: Image.Image
    wide: int
    high: int


def _rectangle(dice: Dice) -> _Rectangle:
    wide, high = dice.sample(range(2, 10), 2)
    image, pen = blank(dice.choice(PAPER))
    scale = min(150 // wide, 130 // high)
    x, y = dice.number(44, 214 - scale * wide, 4), dice.number(20, 168 - scale * high, 4)
    pen.rectangle((x, y, x + scale * wide, y + scale * high), fill=dice.choice(LIGHT), outline=INK, width=3)
    label(pen, f"{wide} cm", (x + scale * wide / 2, y + scale * high + 16), 18)
    label(pen, f"{high} cm", (x - 24, y + scale * high / 2), 17)
    return _Rectangle(image, wide, high)


def area(dice: Dice) -> Ask:
    image, wide, high = _rectangle(dice)
    wordings = ("What is the area of the rectangle, in square centimetres?", "How many square cm does the shape cover?")
    return number(dice, image, wordings, wide * high, dice.choice((2, 3, 4)))


def perimeter(dice: Dice) -> Ask:
    image, wide, high = _rectangle(dice)
    wordings = ("What is the perimeter of the rectangle, in cm?", "How long, in cm, is the way around the rectangle?")
    return number(dice, image, wordings, 2 * (wide + high), 2)


def angle(dice: Dice) -> Ask:
    """The third angle of a triangle."""
    first, second = dice.number(30, 80, 5), dice.number(30, 80, 5)
    image, pen = blank(dice.choice(PAPER))
    a, b = math.radians(first), math.radians(second)
    high = 180 * math.sin(a) * math.sin(b) / math.sin(a + b)
    scale = min(1.0, 150 / high)
    wide, high = 180 * scale, high * scale
    x, y = (SIZE - wide) / 2, dice.number(184, 208, 4)
    top = (x + high / math.tan(a), y - high)
    _outline(pen, [(x, y), (x + wide, y), top], dice.choice(LIGHT))
    label(pen, f"{first}°", (x + 36 * scale, y - 13), 16)
    label(pen, f"{second}°", (x + wide - 36 * scale, y - 13), 16)
    label(pen, "x", (top[0], top[1] + 26), 18)
    wordings = ("What is the size of angle x, in degrees?", "How many degrees has the angle x of this triangle?")
    return number(dice, image, wordings, 180 - first - second, 5)


def long_side(dice: Dice) -> Ask:
    a, b, c = dice.choice(((3, 4, 5), (6, 8, 10), (5, 12, 13), (8, 15, 17), (9, 12, 15)))
    if dice.random() < 0.5:
        a, b = b, a
    image, pen = blank(dice.choice(PAPER))
    scale = 140 / max(a, b)
    x, y = dice.number(44, 68, 4), dice.number(176, 192, 4)
    points: Points = [(x, y), (x + a * scale, y), (x, y - b * scale)]
    _outline(pen, points, dice.choice(LIGHT))
    pen.rectangle((x, y - 12, x + 12, y), outline=INK, width=2)
    label(pen, str(a), (x + a * scale / 2, y + 16), 18)
    label(pen, str(b), (x - 18, y - b * scale / 2), 18)
    label(pen, "x", (x + a * scale / 2 + 14, y - b * scale / 2 - 12), 18)
    wordings = ("How long is the side x of the right triangle?", "What is the length of the longest side, x?")
    return number(dice, image, wordings, c, dice.choice((1, 2)))


def circle(dice: Dice) -> Ask:
    radius = dice.number(2, 12)
    image, pen = blank(dice.choice(PAPER))
    r = dice.number(60, 90, 5)
    x, y = dice.number(100, 124, 4), dice.number(100, 124, 4)
    pen.ellipse((x - r, y - r, x + r, y + r), fill=dice.choice(LIGHT), outline=INK, width=3)
    whole = dice.choice((True, False))
    pen.line((x - r if whole else x, y, x + r, y), fill=COLOURS["red"], width=3)
    pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=INK)
    label(pen, f"{2 * radius if whole else radius} cm", (x + (0 if whole else r / 2), y - 15), 18)
    if whole:
        return number(dice, image, ("What is the radius of the circle, in cm?",), radius, 2)
    return number(dice, image, ("What is the diameter of the circle, in cm?",), 2 * radius, 2)


POLYGONS = {3: "triangle", 4: "square", 5: "pentagon", 6: "hexagon", 8: "octagon"}


def polygon(dice: Dice) -> Ask:
    sides = dice.choice(list(POLYGONS))
    image, pen = blank(dice.choice(PAPER))
    r, turn = dice.number(64, 96, 8), math.radians(dice.number(0, 80, 10))
    angles = [turn + 2 * math.pi * i / sides for i in range(sides)]
    _outline(pen, [(112 + r * math.cos(t), 112 + r * math.sin(t)) for t in angles], dice.choice(LIGHT))
    if dice.random() < 0.5:
        wordings = ("What is this shape called?", "Which name fits the shape?")
        return choice(dice, image, wordings, POLYGONS[sides], list(POLYGONS.values()))
    wordings = ("How many sides has this shape?", "How many corners does the shape have?")
    return choice(dice, image, wordings, str(sides), [str(n) for n in POLYGONS])


def fraction(dice: Dice) -> Ask:
    """The part of a bar that is coloured."""
    parts = dice.choice((4, 5, 8, 10))
    full = dice.number(1, parts - 1)
    image, pen = blank(dice.choice(PAPER))
    width, y, colour = 200 // parts, dice.number(60, 120, 6), COLOURS[dice.choice(("red", "blue", "green", "orange"))]
    for i in range(parts):
        pen.rectangle((12 + i * width, y, 12 + (i + 1) * width, y + 50), fill=colour if i < full else WHITE,
                      outline=INK, width=2)  # fmt: skip
    wordings = ("Which part of the bar is coloured, as a decimal number?", "What share of the bar is filled (decimal)?")
    pool = [f"{n / parts:g}" for n in range(1, parts)]
    return choice(dice, image, wordings, f"{full / parts:g}", pool)


def clock(dice: Dice) -> Ask:
    hour, minute = dice.number(1, 12), dice.choice((0, 15, 30, 45))
    image, pen = blank(dice.choice(PAPER))
    draw_clock(pen, Box(dice.number(14, 34, 4), dice.number(14, 34, 4), 176), hour, minute)
    options = [f"{h}:{m:02d}" for h in (hour, hour % 12 + 1, (hour + 5) % 12 + 1) for m in (minute, (minute + 30) % 60)]
    wordings = ("What time does the clock show?", "Which time is it on this clock?")
    return choice(dice, image, wordings, f"{hour}:{minute:02d}", options)


def draw_clock(pen: Pen, box: Box, hour: int, minute: int) -> None:
    pen.ellipse(box.frame(0, 0, 1, 1), fill=WHITE, outline=INK, width=4)
    for i in range(1, 13):
        t = math.radians(30 * i - 90)
        [(x, y)] = box.at((0.5 + 0.41 * math.cos(t), 0.5 + 0.41 * math.sin(t)))
        label(pen, str(i), (x, y), box.width(0.1))
    hands = ((30 * (hour + minute / 60), 0.22, 0.05), (6 * minute, 0.34, 0.025))
    for turn, reach, width in hands:
        t = math.radians(turn - 90)
        pen.line(box.at((0.5, 0.5), (0.5 + reach * math.cos(t), 0.5 + reach * math.sin(t))), fill=INK,
                 width=box.width(width))  # fmt: skip


def dial(dice: Dice) -> Ask:
    """A needle over a half circle from 0 to 100."""
    value = dice.number(5, 95, 5)
    image, pen = blank(dice.choice(PAPER))
    x, y, r = 112, dice.number(140, 170, 5), 92
    pen.pieslice((x - r, y - r, x + r, y + r), 180, 360, fill=WHITE, outline=INK, width=3)
    for mark in range(0, 101, 10):
        t = math.radians(180 + 1.8 * mark)
        c, s = math.cos(t), math.sin(t)
        pen.line((x + r * c, y + r * s, x + (r - 10) * c, y + (r - 10) * s), fill=INK, width=2)
        if mark % 20 == 0:
            label(pen, str(mark), (x + (r - 22) * c, min(y - 10, y + (r - 22) * s)), 14)
    t = math.radians(180 + 1.8 * value)
    pen.line((x, y, x + 64 * math.cos(t), y + 64 * math.sin(t)), fill=COLOURS["red"], width=4)
    pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=INK)
    unit = dice.choice(("bar", "km/h", "litres", "volts"))
    label(pen, unit, (x, y + 24), 18)
    wordings = (f"Which value does the needle show, in {unit}?", f"How many {unit} does the dial read?")
    return number(dice, image, wordings, value, 5)


def ruler(dice: Dice) -> Ask:
    first = dice.number(0, 4)
    long = dice.number(2, 10 - first)
    image, pen = blank(dice.choice(PAPER))
    y, colour = dice.number(90, 140, 10), COLOURS[dice.choice(("red", "blue", "green", "purple"))]
    pen.rectangle((8, y, 216, y + 44), fill=(250, 225, 150), outline=INK, width=2)
    for mark in range(11):
        pen.line((12 + 20 * mark, y, 12 + 20 * mark, y + 16), fill=INK, width=2)
        label(pen, str(mark), (12 + 20 * mark, y + 28), 14)
    left, right = 12 + 20 * first, 12 + 20 * (first + long)
    pen.polygon(
        ((left, y - 28), (right - 10, y - 28), (right, y - 18), (right - 10, y - 8), (left, y - 8)), fill=colour
    )
    wordings = ("How long is the pencil above the ruler, in cm?", "What length has the pencil, in centimetres?")
    return number(dice, image, wordings, long, 1)


def balance(dice: Dice) -> Ask:
    """What a thing weighs on a level balance."""
    name, weight, known = dice.choice(("heart", "star", "cup", "fish")), dice.number(2, 9), dice.number(1, 6)
    image, pen = blank(dice.choice(PAPER))
    y = dice.number(130, 150, 5)
    pen.polygon(((112, y), (134, 200), (90, 200)), fill=COLOURS["brown"])
    pen.rectangle((14, y - 8, 210, y), fill=INK)
    OBJECTS[name](pen, Box(20, y - 50, 42), COLOURS[dice.choice(("red", "blue", "green"))])
    for x, text in ((68, known), (142, weight + known)):
        pen.rectangle((x, y - 44, x + 34, y - 9), fill=(160, 165, 175), outline=INK)
        label(pen, str(text), (x + 17, y - 26), 18)
    label(pen, "weights in kg", (112, 214), 15)
    wordings = (
        f"The balance is level. How many kg does the {name} weigh?",
        f"What is the weight of the {name}, in kg?",
    )
    return number(dice, image, wordings, weight, 1)


def shop(dice: Dice) -> Ask:
    """Prices of two things, and what some of each cost."""
    names, prices = dice.sample(("cup", "fish", "boat", "star", "heart", "house"), 2), dice.sample(range(2, 10), 2)
    image, pen = blank(dice.choice(PAPER))
    for i, (name, price) in enumerate(zip(names, prices, strict=True)):
        x = 16 + 106 * i
        OBJECTS[name](pen, Box(x + 4, 40 + dice.number(0, 30, 5), 76), COLOURS[dice.choice(("red", "blue", "green"))])
        pen.rectangle((x + 4, 160, x + 80, 196), fill=(255, 240, 150), outline=INK, width=2)
        label(pen, f"${price}", (x + 42, 178), 24)
    many, other = dice.number(2, 4), dice.number(0, 3)
    buyer = dice.choice(("Anna", "Tom", "Mei", "Jack"))
    plural = {"fish": "fish"}.get(names[0], f"{names[0]}s")
    first = f"{many} {plural}"
    second = {"fish": "fish"}.get(names[1], f"{names[1]}s") if other != 1 else names[1]
    what = first if other == 0 else f"{first} and {other} {second}"
    wordings = (f"{buyer} buys {what}. How many dollars is that?", f"How many dollars do {what} cost together?")
    return number(dice, image, wordings, many * prices[0] + other * prices[1], dice.choice((1, 2)))


def dots(dice: Dice) -> Ask:
    """The sum of two dice."""
    faces = (dice.number(1, 6), dice.number(1, 6))
    image, pen = blank(dice.choice(PAPER))
    spots = {1: "4", 2: "08", 3: "048", 4: "0268", 5: "02468", 6: "023568"}
    y = dice.number(50, 90, 8)
    for i, face in enumerate(faces):
        box = Box(14 + 104 * i, y + dice.number(-16, 16, 8), 92)
        pen.rounded_rectangle(box.frame(0, 0, 1, 1), radius=14, fill=WHITE, outline=INK, width=3)
        for spot in map(int, spots[face]):
            a, b = 0.22 + 0.28 * (spot % 3), 0.22 + 0.28 * (spot // 3)
            pen.ellipse(box.frame(a - 0.09, b - 0.09, a + 0.09, b + 0.09), fill=INK)
    wordings = ("How many dots are there on the two dice together?", "What is the sum of the two dice?")
    return number(dice, image, wordings, sum(faces), 1)


def point(dice: Dice) -> Ask:
    """The two coordinates of a point, as a list."""
    a, b = dice.sample(range(1, 9), 2)
    image, pen = blank(dice.choice(PAPER))
    for i in range(9):
        at = 30 + 21 * i
        pen.line((at, 25, at, 194), fill=(200, 200, 200))
        pen.line((30, 24 + 21 * i, 200, 24 + 21 * i), fill=(200, 200, 200))
        label(pen, str(i), (at, 208), 14)
        label(pen, str(i), (16, 194 - 21 * i), 14)
    pen.line((30, 20, 30, 194, 206, 194), fill=INK, width=3)
    x, y = 30 + 21 * a, 194 - 21 * b
    pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=COLOURS[dice.choice(("red", "blue", "green", "purple"))])
    wordings = ("What are the coordinates of the point, as a list [x, y]?", "Where is the point? Give [x, y].")
    pool = [f"[{p}, {q}]" for p, q in ((b, a), (a, b + 1), (a - 1, b), (a + 1, b))]
    return choice(dice, image, wordings, f"[{a}, {b}]", pool)


def slope(dice: Dice) -> Ask:
    """y at some x on a straight line, beyond what is drawn."""
    rise, start = dice.number(1, 3), dice.number(0, 2)
    image, pen = blank(dice.choice(PAPER))
    pen.line((30, 16, 30, 194, 210, 194), fill=INK, width=3)
    for i in range(1, 6):
        label(pen, str(i), (30 + 34 * i, 208), 14)
        label(pen, str(2 * i), (14, 194 - 34 * i), 14)
        pen.line((30, 194 - 34 * i, 206, 194 - 34 * i), fill=(205, 205, 205))
        pen.line((30 + 34 * i, 20, 30 + 34 * i, 194), fill=(205, 205, 205))
    last = 5 if rise == 1 else (3 if rise == 2 else 2)
    colour = COLOURS[dice.choice(("red", "blue", "green", "purple"))]
    pen.line((30, 194 - 17 * start, 30 + 34 * last, 194 - 17 * (start + rise * last)), fill=colour, width=4)
    if dice.random() < 0.5:
        return number(
            dice, image, ("What is the slope of the line?", "By how much does y grow for each step of x?"), rise
        )
    far = dice.number(6, 8)
    wordings = (f"The line goes on. What is y at x = {far}?", f"Which y belongs to x = {far} on this straight line?")
    return number(dice, image, wordings, start + rise * far, 2)


def equation(dice: Dice) -> Ask:
    x, add, times = dice.number(2, 9), dice.number(1, 9), dice.number(2, 4)
    image, pen = blank(dice.choice(PAPER))
    text = f"{times}x + {add} = {times * x + add}"
    label(
        pen, text, (112 + dice.number(-8, 8, 4), dice.number(70, 150, 10)), 34, COLOURS[dice.choice(("black", "blue"))]
    )
    wordings = ("What is x in this equation?", "Which x solves the equation?")
    return number(dice, image, wordings, x, 1)


GEOMETRY = (area, perimeter, angle, long_side, circle, polygon)
READINGS = (clock, dial, ruler, balance)
SUMS = (shop, dots, equation)
