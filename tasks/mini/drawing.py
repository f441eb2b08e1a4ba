"""Pictures of single things, flat and bold, so that they stay readable at a quarter of the size."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from tasks.mini.noting import Colour, Frame, NotingPen, Thing, as_one, lettered

SIZE = 224
"""Pictures are square, this many pixels wide."""

Pen = ImageDraw.ImageDraw

COLOURS: dict[str, Colour] = {
    "red": (214, 30, 30),
    "blue": (30, 70, 215),
    "green": (25, 150, 50),
    "yellow": (245, 205, 20),
    "purple": (140, 40, 170),
    "orange": (245, 125, 15),
    "black": (20, 20, 20),
    "brown": (125, 75, 35),
}
PAPER: tuple[Colour, ...] = ((255, 255, 255), (235, 240, 250), (250, 238, 225), (230, 245, 230), (240, 230, 240))
"""Pale grounds, on which every colour above stands out."""
HUES: dict[Colour, str] = {value: name for name, value in COLOURS.items()}
INK: Colour = (20, 20, 20)
WHITE: Colour = (255, 255, 255)


class Box(NamedTuple):
    """A square: left, top, side, in pixels."""

    x: int
    y: int
    side: int

    def at(self, *points: tuple[float, float]) -> list[tuple[int, int]]:
        """Points given in units of the side, from the left top corner."""
        return [(round(self.x + a * self.side), round(self.y + b * self.side)) for a, b in points]

    def frame(self, left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
        (x0, y0), (x1, y1) = self.at((left, top), (right, bottom))
        return x0, y0, x1, y1

    def width(self, part: float) -> int:
        return max(1, round(part * self.side))


WHOLE = Box(0, 0, SIZE)


def thing(box: Box, name: str) -> Thing:
    return Thing(Frame(box.x, box.y, box.x + box.side, box.y + box.side), name)


def blank(ground: Colour) -> tuple[Image.Image, Pen]:
    """An empty picture, and a pen that notes what it draws there (`tasks.mini.noting`)."""
    image = Image.new("RGB", (SIZE, SIZE), ground)
    return image, NotingPen(image, HUES)


def write(pen: Pen, text: str, centre: tuple[int, int], size: int, colour: Colour = INK) -> None:
    """Bold text, in the font that Pillow brings along."""
    pen.text(
        centre, text, fill=colour, font=font(size), anchor="mm", stroke_width=max(1, size // 28), stroke_fill=colour
    )


def written(text: str, centre: tuple[int, int], size: int) -> list[Thing]:
    """What `write` leaves: a word, as it stands in quotes, or the digits and signs of a number or sum."""
    things = lettered(text, centre, font(size), "mm")
    return [thing._replace(name=text) for thing in things] if text.isalpha() else things


def write_line(pen: Pen, text: str, left_top: tuple[int, int], size: int, colour: Colour = INK) -> None:
    pen.text(left_top, text, fill=colour, font=font(size), stroke_width=1, stroke_fill=colour)


def label(pen: Pen, text: str, centre: tuple[float, float], size: int = 16, colour: Colour = INK) -> None:
    """Text of ordinary weight, for charts and diagrams."""
    pen.text(centre, text, fill=colour, font=font(size), anchor="mm")


def fitting_size(text: str, width: int, largest: int) -> int:
    """The largest font size, in steps of 2, at which the text is at most `width` pixels wide."""
    return next((size for size in range(largest, 10, -2) if font(size).getlength(text) <= width), 10)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install a wheel of Pillow from the package index")
    return font


def rays(box: Box, count: int, inner: float, outer: float) -> list[tuple[int, int]]:
    """A star's outline: `count` points."""
    turn = [math.pi * (i / count - 0.5) for i in range(2 * count)]
    reach = [outer, inner] * count
    return box.at(*((0.5 + r * math.cos(t), 0.5 + r * math.sin(t)) for t, r in zip(turn, reach, strict=True)))


def _circle(pen: Pen, box: Box, colour: Colour) -> None:
    pen.ellipse(box.frame(0.02, 0.02, 0.98, 0.98), fill=colour)


def _square(pen: Pen, box: Box, colour: Colour) -> None:
    pen.rectangle(box.frame(0.06, 0.06, 0.94, 0.94), fill=colour)


def _triangle(pen: Pen, box: Box, colour: Colour) -> None:
    pen.polygon(box.at((0.5, 0.03), (0.99, 0.95), (0.01, 0.95)), fill=colour)


def _star(pen: Pen, box: Box, colour: Colour) -> None:
    pen.polygon(rays(box, 5, 0.21, 0.52), fill=colour)


def _heart(pen: Pen, box: Box, colour: Colour) -> None:
    pen.ellipse(box.frame(0.02, 0.08, 0.52, 0.58), fill=colour)
    pen.ellipse(box.frame(0.48, 0.08, 0.98, 0.58), fill=colour)
    pen.polygon(box.at((0.05, 0.45), (0.95, 0.45), (0.5, 0.98)), fill=colour)


def _cross(pen: Pen, box: Box, colour: Colour) -> None:
    pen.rectangle(box.frame(0.36, 0.03, 0.64, 0.97), fill=colour)
    pen.rectangle(box.frame(0.03, 0.36, 0.97, 0.64), fill=colour)


def _ring(pen: Pen, box: Box, colour: Colour) -> None:
    pen.ellipse(box.frame(0.02, 0.02, 0.98, 0.98), outline=colour, width=box.width(0.2))


def _arrow(pen: Pen, box: Box, colour: Colour) -> None:
    pen.rectangle(box.frame(0.02, 0.38, 0.6, 0.62), fill=colour)
    pen.polygon(box.at((0.55, 0.1), (0.99, 0.5), (0.55, 0.9)), fill=colour)


def _house(pen: Pen, box: Box, colour: Colour) -> None:
    pen.rectangle(box.frame(0.12, 0.45, 0.88, 0.98), fill=colour)
    pen.polygon(box.at((0.5, 0.02), (1.0, 0.47), (0.0, 0.47)), fill=colour)
    pen.rectangle(box.frame(0.42, 0.65, 0.6, 0.98), fill=WHITE)
    pen.rectangle(box.frame(0.2, 0.53, 0.34, 0.67), fill=WHITE)


def _tree(pen: Pen, box: Box, colour: Colour) -> None:
    pen.rectangle(box.frame(0.42, 0.6, 0.58, 0.99), fill=colour)
    for left, top in ((0.2, 0.02), (0.02, 0.25), (0.42, 0.25)):
        pen.ellipse(box.frame(left, top, left + 0.56, top + 0.5), fill=colour)


def _boat(pen: Pen, box: Box, colour: Colour) -> None:
    pen.polygon(box.at((0.0, 0.7), (1.0, 0.7), (0.8, 0.97), (0.2, 0.97)), fill=colour)
    pen.polygon(box.at((0.52, 0.03), (0.52, 0.63), (0.95, 0.63)), fill=colour)
    pen.polygon(box.at((0.44, 0.15), (0.44, 0.63), (0.1, 0.63)), fill=colour)


def _fish(pen: Pen, box: Box, colour: Colour) -> None:
    pen.ellipse(box.frame(0.0, 0.22, 0.75, 0.78), fill=colour)
    pen.polygon(box.at((0.62, 0.5), (0.99, 0.18), (0.99, 0.82)), fill=colour)
    pen.ellipse(box.frame(0.14, 0.38, 0.25, 0.49), fill=WHITE)


def _flower(pen: Pen, box: Box, colour: Colour) -> None:
    for i in range(6):
        x, y = 0.5 + 0.3 * math.cos(i * math.pi / 3), 0.5 + 0.3 * math.sin(i * math.pi / 3)
        pen.ellipse(box.frame(x - 0.19, y - 0.19, x + 0.19, y + 0.19), fill=colour)
    pen.ellipse(box.frame(0.36, 0.36, 0.64, 0.64), fill=WHITE)


def _cup(pen: Pen, box: Box, colour: Colour) -> None:
    pen.ellipse(box.frame(0.55, 0.3, 1.0, 0.72), outline=colour, width=box.width(0.1))
    pen.polygon(box.at((0.05, 0.12), (0.78, 0.12), (0.7, 0.95), (0.13, 0.95)), fill=colour)


def _mushroom(pen: Pen, box: Box, colour: Colour) -> None:
    pen.pieslice(box.frame(0.0, 0.05, 1.0, 1.05), 180, 360, fill=colour)
    pen.rectangle(box.frame(0.36, 0.5, 0.64, 0.97), fill=colour)
    pen.ellipse(box.frame(0.24, 0.24, 0.42, 0.42), fill=WHITE)
    pen.ellipse(box.frame(0.58, 0.24, 0.76, 0.42), fill=WHITE)


Draw = Callable[[Pen, Box, Colour], None]


def named(name: str, draw: Draw) -> Draw:
    """Draws a thing that is noted by its name, behind the colour's if that has one."""

    def drawn(pen: Pen, box: Box, colour: Colour) -> None:
        with as_one(pen, thing(box, f" {HUES[colour]} {name}" if colour in HUES else f" {name}")):
            draw(pen, box, colour)

    return drawn


_OBJECTS: dict[str, Draw] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "heart": _heart,
    "cross": _cross,
    "ring": _ring,
    "arrow": _arrow,
    "house": _house,
    "tree": _tree,
    "boat": _boat,
    "fish": _fish,
    "flower": _flower,
    "cup": _cup,
    "mushroom": _mushroom,
}
OBJECTS: dict[str, Draw] = {name: named(name, draw) for name, draw in _OBJECTS.items()}

HANZI: dict[str, tuple[str, ...]] = {
    "山": ("50 56", "13 19 99 93"),
    "口": ("12 92 98 18 12",),
    "日": ("20 80 89 29 20", "25 85"),
    "中": ("12 92 97 17 12", "50 59"),
    "田": ("11 91 99 19 11", "15 95", "51 59"),
    "人": ("50 53 37 09", "53 68 99"),
    "大": ("03 93", "50 54 37 09", "54 68 99"),
    "小": ("50 59 48", "24 17", "74 97"),
    "木": ("03 93", "50 59", "53 08", "53 98"),
    "水": ("50 59 48", "13 43 08", "82 55", "54 98"),
    "火": ("14 36", "84 65", "50 54 09", "54 99"),
    "王": ("11 91", "15 85", "09 99", "51 59"),
    "上": ("50 59", "54 84", "09 99"),
    "下": ("01 91", "51 59", "54 86"),
    "门": ("20 32", "13 19", "41 91 99 89"),
    "一": ("05 95",),
    "二": ("22 72", "08 98"),
    "三": ("11 91", "25 75", "09 99"),
}
"""Characters as pen strokes: points `xy` on a grid of ten by ten."""


def write_hanzi(pen: Pen, character: str, box: Box, colour: Colour = INK) -> None:
    with as_one(pen, thing(box, character)):
        for stroke in HANZI[character]:
            points = box.at(*((int(p[0]) / 9, int(p[1]) / 9) for p in stroke.split()))
            pen.line(points, fill=colour, width=box.width(0.12), joint="curve")
            radius = box.width(0.06)
            for x, y in points:
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
