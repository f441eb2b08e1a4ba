"""Labelled diagrams: cycles, chains, parts, layers, moons, circuits, maps, and questions that they answer."""

from __future__ import annotations

import math
from itertools import pairwise

from PIL import Image

from tasks.mini.asks import Ask, choice, number
from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, OBJECTS, PAPER, SIZE, WHITE, Box, Pen, blank, label
from tasks.mini.noting import Colour, Frame, Thing, as_one
from tasks.mini.reasons import arrow

PALE: tuple[Colour, ...] = ((255, 240, 200), (215, 235, 255), (220, 245, 215), (245, 220, 240))
Names = tuple[str, ...]


def _sheet(dice: Dice) -> tuple[Image.Image, Pen]:
    return blank(dice.choice(PAPER))


def tag(pen: Pen, text: str, centre: tuple[float, float], fill: Colour, size: int = 15) -> None:
    """A word in a box."""
    (x, y), half = centre, 6 + 4 * len(text)
    pen.rounded_rectangle((x - half, y - 13, x + half, y + 13), radius=6, fill=fill, outline=INK, width=2)
    label(pen, text, centre, size)


CYCLES: tuple[tuple[str, Names], ...] = (
    ("Life of a frog", ("eggs", "tadpole", "froglet", "frog")),
    ("Life of a butterfly", ("egg", "larva", "pupa", "adult")),
    ("Life of a plant", ("seed", "sprout", "plant", "flower")),
    ("Water cycle", ("sea", "vapour", "cloud", "rain")),
    ("Life of a hen", ("egg", "chick", "hen", "nest")),
)


def draw_cycle(pen: Pen, dice: Dice, names: Names) -> None:
    """Clockwise from the top."""
    fill, colour = dice.choice(PALE), COLOURS[dice.choice(("red", "blue", "green", "purple"))]
    spots = [(112 + 72 * math.sin(t), 122 - 72 * math.cos(t)) for t in (2 * math.pi * i / len(names) for i in range(9))]
    for i in range(len(names)):
        (x0, y0), (x1, y1) = spots[i], spots[(i + 1) % len(names)]
        arrow(pen, (x0 + 0.34 * (x1 - x0), y0 + 0.34 * (y1 - y0)), (x0 + 0.7 * (x1 - x0), y0 + 0.7 * (y1 - y0)), colour)
    for name, spot in zip(names, spots, strict=False):
        tag(pen, name, spot, fill)


def cycle(dice: Dice, cycles: tuple[tuple[str, Names], ...] = CYCLES) -> Ask:
    title, stages = dice.choice(cycles)
    turn = dice.randrange(len(stages))
    names = stages[turn:] + stages[:turn]
    image, pen = _sheet(dice)
    label(pen, title, (SIZE // 2, 14), 18)
    draw_cycle(pen, dice, names)
    at = dice.randrange(len(names))
    after, before = names[(at + 1) % len(names)], names[at - 1]
    if dice.random() < 0.5:
        wordings = (f"What comes after {names[at]} in the cycle?", f"Which stage follows {names[at]} in this diagram?")
        return choice(dice, image, wordings, after, names)
    wordings = (f"What comes before {names[at]} in the cycle?", f"Which stage turns into {names[at]}?")
    return choice(dice, image, wordings, before, names)


FOOD: tuple[Names, ...] = (
    ("grass", "insect", "frog", "snake"),
    ("algae", "shrimp", "herring", "seal"),
    ("leaf", "snail", "thrush", "hawk"),
    ("wheat", "mouse", "weasel", "owl"),
    ("clover", "rabbit", "fox", "eagle"),
)


def chain(dice: Dice) -> Ask:
    """A food chain; arrows go from what is eaten to what eats."""
    names = dice.choice(FOOD)
    image, pen = _sheet(dice)
    label(pen, "Food chain", (SIZE // 2, 14), 18)
    fill, colour = dice.choice(PALE), COLOURS[dice.choice(("red", "blue", "green", "brown"))]
    shift, falling = dice.number(-20, 20, 5), dice.choice((True, False))
    spots = [(112 + shift + (-1) ** i * dice.number(10, 40, 5), 46 + 50 * (i if falling else 3 - i)) for i in range(4)]
    for (x0, y0), (x1, y1) in pairwise(spots):
        down = 1 if y1 > y0 else -1
        arrow(pen, (x0, y0 + 14 * down), (x1, y1 - 15 * down), colour)
    for name, spot in zip(names, spots, strict=True):
        tag(pen, name, spot, fill)
    kind = dice.choice(("eats", "eaten", "first", "last", "fewer"))
    at = dice.number(1, 3)
    if kind == "eats":
        wordings = (f"What does the {names[at]} eat?", f"Which living thing is food for the {names[at]}?")
        return choice(dice, image, wordings, names[at - 1], names)
    if kind == "eaten":
        wordings = (f"What is the {names[at - 1]} eaten by?", f"Which living thing feeds on the {names[at - 1]}?")
        return choice(dice, image, wordings, names[at], names)
    if kind == "first":
        wordings = ("Which is the producer in this food chain?", "Where does the chain start?")
        return choice(dice, image, wordings, names[0], names)
    if kind == "last":
        wordings = ("Which is the top predator of the chain?", "What does nobody eat here?")
        return choice(dice, image, wordings, names[3], names)
    wordings = (f"All of the {names[at - 1]} die. Which animal loses its food first?",
                f"If there was no more {names[at - 1]}, what would go hungry first?")  # fmt: skip
    return choice(dice, image, wordings, names[at], names)


PARTS: dict[str, dict[str, tuple[float, float]]] = {
    "flower": {"petal": (0.68, 0.24), "stem": (0.49, 0.58), "leaf": (0.72, 0.76), "root": (0.38, 0.96)},
    "fish": {"tail": (0.92, 0.5), "eye": (0.19, 0.43), "fin": (0.42, 0.16), "mouth": (0.02, 0.52)},
    "house": {"roof": (0.5, 0.2), "door": (0.51, 0.84), "window": (0.27, 0.6), "wall": (0.75, 0.75)},
    "tree": {"crown": (0.5, 0.25), "trunk": (0.5, 0.72), "root": (0.36, 0.97), "fruit": (0.76, 0.48)},
    "boat": {"hull": (0.5, 0.85), "mast": (0.48, 0.1), "sail": (0.64, 0.42), "flag": (0.6, -0.06)},
}


def draw_whole(pen: Pen, name: str, box: Box, colour: Colour) -> None:
    """A thing with all the parts that PARTS names."""
    if name == "flower":
        green = COLOURS["green"]
        pen.line(box.at((0.5, 0.3), (0.5, 0.9)), fill=green, width=box.width(0.06))
        pen.ellipse(box.frame(0.5, 0.7, 0.86, 0.82), fill=green)
        for x in (0.34, 0.5, 0.66):
            pen.line(box.at((0.5, 0.88), (x, 1.0)), fill=COLOURS["brown"], width=box.width(0.03))
        OBJECTS["flower"](pen, Box(*box.at((0.2, -0.06))[0], box.width(0.6)), colour)
        return
    OBJECTS[name](pen, box, colour)
    if name == "fish":
        pen.polygon(box.at((0.28, 0.24), (0.44, 0.06), (0.54, 0.26)), fill=colour)
        pen.line(box.at((0.0, 0.54), (0.09, 0.56)), fill=INK, width=3)
    elif name == "tree":
        for x in (0.3, 0.5, 0.7):
            pen.line(box.at((0.5, 0.92), (x, 1.02)), fill=COLOURS["brown"], width=4)
        for x, y in ((0.3, 0.45), (0.76, 0.48), (0.52, 0.14)):
            pen.ellipse(box.frame(x - 0.05, y - 0.05, x + 0.05, y + 0.05), fill=WHITE, outline=INK, width=2)
    elif name == "boat":
        pen.line(box.at((0.48, -0.1), (0.48, 0.7)), fill=INK, width=4)
        pen.rectangle(box.frame(0.49, -0.1, 0.68, 0.0), fill=COLOURS["red"])


def parts(dice: Dice) -> Ask:
    """Letters W to Z point at parts; which part is it, or which letter?"""
    name = dice.choice(list(PARTS))
    image, pen = _sheet(dice)
    box = Box(dice.number(52, 64, 3), dice.number(44, 56, 3), 112)
    hue = dice.choice(("blue", "orange", "purple", "brown") if name != "tree" else ("green",))
    draw_whole(pen, name, box, COLOURS[hue])
    names = list(PARTS[name])
    letters = dice.sample("WXYZ", 4)
    for part, letter in zip(names, letters, strict=True):
        x, y = PARTS[name][part]
        start = box.at((x, y))[0]
        end = box.at((1.28 if x >= 0.5 else -0.28, y + (0.06 if y > 0.5 else -0.06)))[0]
        pen.line((*start, *end), fill=INK, width=2)
        pen.ellipse((start[0] - 3, start[1] - 3, start[0] + 3, start[1] + 3), fill=INK)
        pen.ellipse((end[0] - 12, end[1] - 12, end[0] + 12, end[1] + 12), fill=WHITE, outline=INK, width=2)
        label(pen, letter, end, 16)
    at = dice.randrange(4)
    if dice.random() < 0.5:
        wordings = (f"Which part of the {name} has the letter {letters[at]}?", f"What does {letters[at]} point at?")
        return choice(dice, image, wordings, names[at], names)
    wordings = (f"Which letter points at the {names[at]} of the {name}?", f"What is the label of the {names[at]}?")
    return choice(dice, image, wordings, letters[at], letters)


PHASES = ("new moon", "first quarter", "full moon", "last quarter")


def draw_phase(pen: Pen, frame: tuple[float, float, float, float], phase: str) -> None:
    """As seen from the north: the growing moon is lit on its right."""
    with as_one(pen, Thing(Frame(*map(round, frame)), f" {phase}")):
        _draw_phase(pen, frame, phase)


def _draw_phase(pen: Pen, frame: tuple[float, float, float, float], phase: str) -> None:
    dark, lit = (60, 60, 80), (250, 245, 200)
    pen.ellipse(frame, fill=lit if phase == "full moon" else dark, outline=INK, width=2)
    if phase.endswith("quarter"):
        start = 270 if phase == "first quarter" else 90
        pen.pieslice(frame, start, start + 180, fill=lit, outline=INK)


def moons(dice: Dice) -> Ask:
    turn = dice.randrange(4)
    order = PHASES[turn:] + PHASES[:turn]
    image, pen = blank((190, 205, 235))
    label(pen, "Moon, seen from the north", (SIZE // 2, 16), 16)
    x, letters, lift = dice.number(10, 22, 2), dice.choice(("WXYZ", "PQRS", "KLMN", "1234")), dice.number(-20, 20, 5)
    for i, phase in enumerate(order):
        left, top = x + 100 * (i % 2), 44 + lift // 4 + 88 * (i // 2)
        draw_phase(pen, (left, top, left + 64, top + 64), phase)
        label(pen, letters[i], (left + 80, top + 32), 22)
    at = dice.randrange(4)
    if dice.random() < 0.5:
        wordings = (f"Which phase of the moon is {letters[at]}?", f"What is the moon at {letters[at]} called?")
        return choice(dice, image, wordings, order[at], PHASES)
    wordings = (f"Which label belongs to the {order[at]}?", f"Where do you see the {order[at]}?")
    return choice(dice, image, wordings, letters[at], letters)


LAYERS: tuple[tuple[str, Names], ...] = (
    ("Soil", ("humus", "topsoil", "subsoil", "bedrock")),
    ("Earth", ("crust", "mantle", "outer core", "inner core")),
    ("Rock", ("clay", "chalk", "sandstone", "granite")),
    ("Forest", ("canopy", "shrubs", "herbs", "litter")),
)
EARTHY: tuple[Colour, ...] = ((150, 190, 110), (200, 160, 110), (235, 205, 140), (180, 180, 185))


def layers(dice: Dice) -> Ask:
    title, known = dice.choice(LAYERS)
    names = known if title != "Rock" else tuple(dice.sample(known, 4))
    image, pen = _sheet(dice)
    label(pen, title, (SIZE // 2, 14), 18)
    x, top, tall = dice.number(20, 60, 5), dice.number(30, 42, 3), dice.sample((36, 42, 48), 3)
    for name, high, fill in zip(names, [*tall, 40], EARTHY, strict=True):
        pen.rectangle((x, top, x + 140, top + high), fill=fill, outline=INK, width=2)
        label(pen, name, (x + 70, top + high / 2), 17)
        top += high
    at = dice.number(1, 3)
    if dice.random() < 0.5:
        wordings = (f"Which layer lies directly above the {names[at]}?", f"What is just over the {names[at]}?")
        return choice(dice, image, wordings, names[at - 1], names)
    wordings = (f"Which layer lies directly below the {names[at - 1]}?", f"What is just under the {names[at - 1]}?")
    return choice(dice, image, wordings, names[at], names)


PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn")


def planets(dice: Dice) -> Ask:
    """Orbits seen from the side; a planet without its name."""
    start = dice.number(0, 2)
    names = PLANETS[start : start + 4]
    image, pen = blank((20, 25, 60))
    y = dice.number(90, 130, 5)
    pen.ellipse((-60, y - 50, 40, y + 50), fill=(255, 210, 50))
    label(pen, "Sun", (20, y), 15)
    for i, name in enumerate(names):
        x, r = 64 + 43 * i, dice.number(8, 14, 2)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=PALE[i])
        label(pen, name, (x, y + (28 if i % 2 else -26)), 14, WHITE)
    at = dice.number(1, 3)
    kind = dice.choice(("nearer", "next", "near", "far"))
    if kind == "nearer":
        return choice(
            dice, image, (f"Which planet is the next from {names[at]} towards the Sun?",), names[at - 1], names
        )
    if kind == "next":
        return choice(dice, image, (f"Which planet comes next after {names[at - 1]}, away from the Sun?",), names[at],
                      names)  # fmt: skip
    if kind == "near":
        return choice(dice, image, ("Which planet of the diagram is the nearest to the Sun?",), names[0], names)
    return choice(dice, image, ("Which planet of the diagram is the farthest from the Sun?",), names[3], names)


def lamps(dice: Dice) -> Ask:
    """Lamps one after the other, with a switch."""
    closed, row, count = dice.choice((True, False)), dice.choice((True, False)), dice.number(2, 3)
    image, pen = _sheet(dice)
    x, y = dice.number(20, 32, 4), dice.number(34, 50, 4)
    right, bottom = x + 160, y + 140
    pen.rectangle((x, y, right, bottom), outline=INK, width=3)
    pen.rectangle((x - 12, y + 54, x + 12, y + 86), fill=PAPER[0])
    pen.line((x - 14, y + 58, x + 14, y + 58), fill=INK, width=3)
    pen.line((x - 7, y + 82, x + 7, y + 82), fill=INK, width=6)
    label(pen, "battery", (x + 42, y + 72), 14)
    pen.rectangle((x + 60, bottom - 6, x + 100, bottom + 6), fill=PAPER[0])
    pen.line((x + 60, bottom, x + 100, bottom if closed else bottom - 24), fill=COLOURS["red"], width=4)
    label(pen, "switch", (x + 80, bottom + 18), 14)
    for i in range(count):
        spot = (x + 40 + 40 * i, y) if row else (right, y + 30 + 36 * i)
        pen.ellipse((spot[0] - 13, spot[1] - 13, spot[0] + 13, spot[1] + 13), fill=WHITE, outline=INK, width=3)
        pen.line((spot[0] - 9, spot[1] - 9, spot[0] + 9, spot[1] + 9), fill=INK, width=2)
        pen.line((spot[0] - 9, spot[1] + 9, spot[0] + 9, spot[1] - 9), fill=INK, width=2)
    if dice.random() < 0.5:
        wordings = ("How many lamps are in the circuit?", "Count the lamps of this circuit.")
        return choice(dice, image, wordings, str(count), ("1", "2", "3", "4"))
    wordings = ("Do the lamps light up, as the switch stands?", "What do the lamps do now?")
    pool = ("They are lit, the circuit is closed.", "They are dark, the circuit is open.")
    return choice(dice, image, wordings, pool[0] if closed else pool[1], pool)


def resistors(dice: Dice) -> Ask:
    values = tuple(dice.number(2, 12) for _ in range(dice.number(2, 3)))
    image, pen = _sheet(dice)
    y = dice.number(80, 130, 5)
    pen.line((6, y, 218, y), fill=INK, width=3)
    pitch = 200 // len(values)
    for i, ohm in enumerate(values):
        x = 12 + pitch * i + pitch // 2
        pen.rectangle((x - 26, y - 12, x + 26, y + 12), fill=(250, 225, 180), outline=INK, width=3)
        label(pen, f"{ohm} ohm", (x, y - 26), 15)
    wordings = ("What is the total resistance of the row, in ohm?", "How many ohm are the resistors in series?")
    return number(dice, image, wordings, sum(values), dice.choice((1, 2, 3)))


def gears(dice: Dice) -> Ask:
    count, right = dice.number(2, 5), dice.choice((True, False))
    image, pen = _sheet(dice)
    y, r = dice.number(90, 130, 5), 100 // count
    for i in range(count):
        x = 112 + (2 * i - count + 1) * r
        for t in range(12):
            a = math.pi * t / 6
            c, s = math.cos(a), math.sin(a)
            pen.line(
                (x + 0.7 * r * c, y + 0.7 * r * s, x + 1.02 * r * c, y + 1.02 * r * s), fill=(110, 115, 125), width=5
            )
        pen.ellipse(
            (x - 0.85 * r, y - 0.85 * r, x + 0.85 * r, y + 0.85 * r), fill=(185, 190, 200), outline=INK, width=2
        )
        label(pen, str(i + 1), (x, y), 18)
    x = 112 - (count - 1) * r
    arrow(pen, (x - 16, y - r - 12) if right else (x + 16, y - r - 12), (x + 18, y - r - 12) if right else
          (x - 18, y - r - 12), COLOURS["red"])  # fmt: skip
    pool = ("clockwise", "counter-clockwise")
    same = right == (count % 2 == 1)
    wordings = (f"The top of gear 1 moves as the arrow shows. How does gear {count} turn?",
                f"The arrow shows how the top of gear 1 moves. Which way does gear {count} turn?")  # fmt: skip
    return choice(dice, image, wordings, pool[0] if same else pool[1], pool)


PLACES = ("school", "lake", "park", "shop", "mill", "farm", "tower", "port")
WINDS = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}


def draw_map(pen: Pen, dice: Dice, names: Names) -> dict[str, tuple[int, int]]:
    """Places on the points of a grid of three by three; the north is at the top."""
    pen.rectangle((8, 8, 216, 216), fill=(225, 240, 215), outline=INK, width=2)
    arrow(pen, (200, 56), (200, 24), INK, 3)
    label(pen, "N", (200, 66), 16)
    spots = dice.sample([(x, y) for x in range(3) for y in range(3) if (x, y) != (2, 0)], len(names))
    for name, (column, row) in zip(names, spots, strict=True):
        x, y = 44 + 66 * column, 44 + 66 * row
        pen.ellipse((x - 8, y - 8, x + 8, y + 8), fill=COLOURS[dice.choice(("red", "blue", "purple", "orange"))])
        label(pen, name, (x, y + 18), 16)
    return dict(zip(names, spots, strict=True))


def compass(dice: Dice) -> Ask:
    image, pen = _sheet(dice)
    while True:
        spots = draw_map(pen, dice, tuple(dice.sample(PLACES, 4)))
        lined = [(a, b) for a in spots for b in spots if a != b and 0 in _gap(spots[a], spots[b])]
        if lined:
            break
    a, b = dice.choice(lined)
    dx, dy = _gap(spots[a], spots[b])
    wind = next(name for name, way in WINDS.items() if way == ((dx > 0) - (dx < 0), (dy > 0) - (dy < 0)))
    wordings = (
        f"In which direction is the {b}, seen from the {a}?",
        f"You go straight from the {a} to the {b}. Which way?",
    )
    return choice(dice, image, wordings, wind, list(WINDS))


def _gap(start: tuple[int, int], end: tuple[int, int]) -> tuple[int, int]:
    return end[0] - start[0], end[1] - start[1]
