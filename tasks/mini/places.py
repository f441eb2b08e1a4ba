"""Landmarks and kinds of places. Each keeps its looks, its layout varies."""

from __future__ import annotations

from collections.abc import Callable

from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, INK, OBJECTS, SIZE, WHITE, WHOLE, Box, Pen, thing
from tasks.mini.noting import Colour, as_one

SKY: tuple[Colour, ...] = ((150, 205, 250), (190, 225, 250), (250, 215, 170), (200, 200, 220))
STONE: Colour = (200, 185, 150)
GRASS: Colour = (95, 175, 75)


# Landmarks stand in a box on the ground below a sky.


def _pyramids(pen: Pen, box: Box) -> None:
    for left, top, right in ((0.0, 0.2, 0.7), (0.45, 0.45, 1.0)):
        middle = (left + right) / 2
        pen.polygon(box.at((middle, top), (right, 1.0), (left, 1.0)), fill=(220, 180, 90))
        pen.polygon(box.at((middle, top), (right, 1.0), (middle + 0.08, 1.0)), fill=(170, 130, 60))


def _eiffel(pen: Pen, box: Box) -> None:
    iron = (110, 80, 60)
    pen.polygon(box.at((0.5, 0.0), (0.58, 0.5), (0.85, 1.0), (0.68, 1.0), (0.5, 0.72), (0.32, 1.0), (0.15, 1.0),
                       (0.42, 0.5)), fill=iron)  # fmt: skip
    pen.rectangle(box.frame(0.3, 0.58, 0.7, 0.65), fill=iron)
    pen.rectangle(box.frame(0.4, 0.33, 0.6, 0.38), fill=iron)


def _clock_tower(pen: Pen, box: Box) -> None:
    pen.rectangle(box.frame(0.35, 0.25, 0.65, 1.0), fill=(190, 150, 80))
    pen.polygon(box.at((0.5, 0.0), (0.68, 0.27), (0.32, 0.27)), fill=(70, 80, 90))
    pen.ellipse(box.frame(0.38, 0.32, 0.62, 0.56), fill=WHITE, outline=INK, width=box.width(0.025))
    pen.line(box.at((0.5, 0.36), (0.5, 0.44), (0.57, 0.47)), fill=INK, width=box.width(0.025))


def _great_wall(pen: Pen, box: Box) -> None:
    pen.polygon(box.at((-0.2, 0.75), (0.3, 0.5), (0.65, 0.7), (1.2, 0.4), (1.2, 0.6), (0.65, 0.9), (0.3, 0.7),
                       (-0.2, 0.95)), fill=STONE)  # fmt: skip
    for x, y in ((0.2, 0.3), (0.85, 0.3)):
        pen.rectangle(box.frame(x, y, x + 0.25, y + 0.42), fill=(165, 150, 115))
        for notch in (0.0, 0.1, 0.2):
            pen.rectangle(box.frame(x + notch, y - 0.06, x + notch + 0.05, y), fill=(165, 150, 115))


def _red_bridge(pen: Pen, box: Box) -> None:
    pen.rectangle(box.frame(-0.3, 0.72, 1.3, 0.78), fill=COLOURS["red"])
    for x in (0.12, 0.78):
        pen.rectangle(box.frame(x, 0.1, x + 0.1, 1.0), fill=COLOURS["red"])
    cable = [(0.17 + 0.66 * t / 10, 0.12 + 0.55 * (1 - (t / 5 - 1) ** 2)) for t in range(11)]
    pen.line(box.at((-0.3, 0.7), *cable, (1.3, 0.7)), fill=COLOURS["red"], width=box.width(0.035))


def _volcano(pen: Pen, box: Box) -> None:
    pen.polygon(box.at((0.4, 0.15), (0.6, 0.15), (1.15, 1.0), (-0.15, 1.0)), fill=(80, 100, 165))
    pen.polygon(box.at((0.4, 0.15), (0.6, 0.15), (0.77, 0.42), (0.65, 0.36), (0.55, 0.46), (0.45, 0.36), (0.35, 0.46),
                       (0.23, 0.42)), fill=WHITE)  # fmt: skip


def _taj_mahal(pen: Pen, box: Box) -> None:
    marble = (250, 245, 235)
    pen.rectangle(box.frame(0.2, 0.5, 0.8, 1.0), fill=marble)
    pen.ellipse(box.frame(0.3, 0.18, 0.7, 0.62), fill=marble)
    pen.polygon(box.at((0.5, 0.05), (0.54, 0.25), (0.46, 0.25)), fill=marble)
    for x in (0.02, 0.9):
        pen.rectangle(box.frame(x, 0.3, x + 0.08, 1.0), fill=marble)
    pen.ellipse(box.frame(0.42, 0.62, 0.58, 0.9), fill=(120, 110, 120))
    pen.rectangle(box.frame(0.42, 0.76, 0.58, 1.0), fill=(120, 110, 120))


def _opera_house(pen: Pen, box: Box) -> None:
    for left, top in ((-0.05, 0.5), (0.2, 0.3), (0.5, 0.45)):
        pen.chord(box.frame(left, top, left + 0.55, top + 1.1), 180, 320, fill=(250, 250, 245), outline=(120, 120, 120),
                  width=box.width(0.015))  # fmt: skip
    pen.rectangle(box.frame(-0.1, 0.85, 1.1, 1.05), fill=(160, 110, 90))


def _leaning_tower(pen: Pen, box: Box) -> None:
    for floor in range(6):
        x, y = 0.25 + 0.06 * floor, 0.86 - 0.165 * floor
        pen.polygon(box.at((x, y + 0.14), (x + 0.32, y + 0.14), (x + 0.37, y), (x + 0.05, y)), fill=(225, 215, 190))
        pen.line(box.at((x, y + 0.15), (x + 0.34, y + 0.15)), fill=(110, 95, 80), width=box.width(0.025))


def _stonehenge(pen: Pen, box: Box) -> None:
    for x in (0.0, 0.26, 0.52, 0.78):
        pen.rectangle(box.frame(x, 0.5, x + 0.14, 1.0), fill=(130, 130, 130))
    for x in (-0.03, 0.49):
        pen.rectangle(box.frame(x, 0.38, x + 0.46, 0.5), fill=(100, 100, 100))


LANDMARKS: dict[str, Callable[[Pen, Box], None]] = {
    "the Pyramids": _pyramids,
    "the Eiffel Tower": _eiffel,
    "Big Ben": _clock_tower,
    "the Great Wall": _great_wall,
    "the Golden Gate Bridge": _red_bridge,
    "Mount Fuji": _volcano,
    "the Taj Mahal": _taj_mahal,
    "the Sydney Opera House": _opera_house,
    "the Tower of Pisa": _leaning_tower,
    "Stonehenge": _stonehenge,
}


def draw_landmark(pen: Pen, name: str, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=dice.choice(SKY))
    pen.rectangle((0, 184, SIZE, SIZE), fill=dice.choice((GRASS, (225, 205, 150), (140, 165, 190))))
    side = dice.number(120, 160, 8)
    with as_one(pen, thing(WHOLE, f" {name}")):
        LANDMARKS[name](pen, Box(dice.number(20, 204 - side, 6), 190 - side, side))


# Places fill the picture.


def _sun(pen: Pen, dice: Dice, colour: Colour = (255, 215, 40)) -> None:
    x, y = dice.number(10, 170, 20), dice.number(8, 32, 8)
    pen.ellipse((x, y, x + 38, y + 38), fill=colour)


def _beach(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, 90), fill=(150, 210, 250))
    pen.rectangle((0, 90, SIZE, 150), fill=(30, 110, 200))
    pen.rectangle((0, 150, SIZE, SIZE), fill=(245, 220, 150))
    _sun(pen, dice)
    x, colour = dice.number(20, 150, 10), dice.choice(("red", "orange", "purple"))
    pen.pieslice((x, 130, x + 60, 190), 180, 360, fill=COLOURS[colour])
    pen.line((x + 30, 150, x + 30, 205), fill=COLOURS["brown"], width=4)


def _forest(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=(190, 225, 190))
    pen.rectangle((0, 170, SIZE, SIZE), fill=(60, 110, 45))
    for i in range(5):
        x, y = 44 * i - 10 + dice.number(0, 12, 4), dice.number(10, 50, 8)
        pen.rectangle((x + 24, 130, x + 36, 205), fill=(100, 65, 30))
        pen.polygon(((x + 30, y), (x + 64, 165), (x - 4, 165)), fill=(25, 100, 45))


def _city(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=(185, 205, 225))
    for i in range(4):
        x, top = 56 * i + 4, dice.number(20, 110, 10)
        pen.rectangle((x, top, x + 46, SIZE), fill=dice.choice(((90, 95, 110), (120, 90, 80), (70, 80, 120))))
        for y in range(top + 12, 200, 26):
            for dx in (8, 28):
                pen.rectangle((x + dx, y, x + dx + 10, y + 13), fill=(250, 235, 150))


def _mountains(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=(170, 215, 250))
    for i in range(3):
        x, top = 70 * i + dice.number(10, 50, 10), dice.number(30, 80, 10)
        pen.polygon(((x, top), (x + 95, 190), (x - 95, 190)), fill=(120, 115, 125))
        pen.polygon(((x, top), (x + 27, top + 40), (x - 27, top + 40)), fill=WHITE)
    pen.rectangle((0, 185, SIZE, SIZE), fill=GRASS)


def _desert(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=(250, 210, 150))
    _sun(pen, dice, (235, 90, 40))
    pen.ellipse((-60, 130, 160, 320), fill=(215, 155, 80))
    pen.ellipse((80, 145, 320, 320), fill=(230, 175, 100))
    x, green = dice.number(40, 160, 10), (40, 120, 60)
    pen.rectangle((x, 90, x + 16, 190), fill=green)
    pen.line(((x - 22, 115), (x - 22, 140), (x + 8, 140)), fill=green, width=10)
    pen.line(((x + 38, 105), (x + 38, 128), (x + 8, 128)), fill=green, width=10)


def _winter(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=(150, 170, 195))
    pen.rectangle((0, 160, SIZE, SIZE), fill=WHITE)
    x = dice.number(40, 160, 10)
    for top, radius in ((150, 32), (105, 23), (72, 16)):
        pen.ellipse((x - radius, top - radius + 20, x + radius, top + radius + 20), fill=WHITE)
    pen.polygon(((x, 92), (x + 22, 97), (x, 101)), fill=COLOURS["orange"])
    for i in range(14):
        sx, sy = 16 * i + dice.number(0, 8, 4), dice.number(8, 140, 12)
        pen.ellipse((sx, sy, sx + 7, sy + 7), fill=WHITE)


def _road(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, 100), fill=(165, 210, 245))
    pen.rectangle((0, 100, SIZE, SIZE), fill=GRASS)
    x = dice.number(80, 144, 8)
    pen.polygon(((x - 8, 100), (x + 8, 100), (200, SIZE), (24, SIZE)), fill=(80, 80, 85))
    for near, far in ((0.1, 0.25), (0.4, 0.6), (0.75, 1.0)):
        (a, b), (c, d) = ((x + (112 - x) * t, 100 + 124 * t) for t in (near, far))
        pen.line((round(a), round(b), round(c), round(d)), fill=WHITE, width=round(2 + 8 * far))
    _sun(pen, dice)


def _night(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=(15, 20, 60))
    x, y = dice.number(20, 150, 10), dice.number(15, 70, 11)
    pen.ellipse((x, y, x + 50, y + 50), fill=(250, 245, 200))
    pen.ellipse((x + 18, y - 6, x + 64, y + 40), fill=(15, 20, 60))
    for i in range(12):
        OBJECTS["star"](pen, Box(18 * i + dice.number(0, 8, 4), dice.number(5, 150, 5), 13), (250, 245, 200))
    pen.rectangle((0, 185, SIZE, SIZE), fill=(20, 35, 30))


def _farm(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, 110), fill=(170, 215, 250))
    for i in range(6):
        pen.rectangle((0, 110 + 20 * i, SIZE, 130 + 20 * i), fill=((205, 180, 70), (140, 170, 60))[i % 2])
    x = dice.number(10, 120, 10)
    pen.rectangle((x, 70, x + 84, 140), fill=COLOURS["red"])
    pen.polygon(((x + 42, 25), (x + 96, 72), (x - 12, 72)), fill=(110, 40, 35))
    pen.rectangle((x + 28, 92, x + 56, 140), fill=WHITE)


def _kitchen(pen: Pen, dice: Dice) -> None:
    pen.rectangle((0, 0, SIZE, SIZE), fill=(245, 225, 200))
    pen.rectangle((0, 120, SIZE, SIZE), fill=(150, 105, 70))
    pen.rectangle((0, 112, SIZE, 124), fill=(90, 90, 90))
    x = dice.number(15, 100, 5)
    pen.rectangle((x, 140, x + 80, 210), fill=(60, 60, 65))
    pen.rectangle((x + 12, 155, x + 68, 192), fill=(245, 140, 40))
    pot = COLOURS[dice.choice(("red", "blue", "green"))]
    pen.rectangle((x + 14, 72, x + 66, 112), fill=pot)
    pen.rectangle((x + 4, 78, x + 76, 86), fill=pot)
    pen.rectangle((150 + dice.number(0, 24, 8), 20, 200, 70), fill=(170, 215, 250), outline=WHITE, width=5)


Place = Callable[[Pen, Dice], None]


def _named(name: str, draw: Place) -> Place:
    def drawn(pen: Pen, dice: Dice) -> None:
        with as_one(pen, thing(WHOLE, f" {name}")):
            draw(pen, dice)

    return drawn


_SCENES: dict[str, Place] = {
    "beach": _beach,
    "forest": _forest,
    "city": _city,
    "mountain range": _mountains,
    "desert": _desert,
    "snow field": _winter,
    "road": _road,
    "night sky": _night,
    "farm": _farm,
    "kitchen": _kitchen,
}
SCENES: dict[str, Place] = {name: _named(name, draw) for name, draw in _SCENES.items()}
