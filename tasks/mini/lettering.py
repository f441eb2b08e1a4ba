"""Words drawn in several manners: straight, on a curve, decorated, by hand."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, PAPER, SIZE, Pen, blank, fitting_size, font, write
from tasks.mini.noting import Colour

DARK = ("red", "blue", "green", "black", "purple", "brown")
RADIUS = 110
"""Pixels, of an arch."""
SLOPES = (-25, -18, 18, 25)
"""Degrees to the left."""


def _hue(dice: Dice) -> Colour:
    return COLOURS[dice.choice(DARK)]


def straight(dice: Dice, text: str) -> Image.Image:
    image, pen = blank(dice.choice(PAPER))
    size = fitting_size(text, 180, dice.number(36, 64, 4))
    write(pen, text, (SIZE // 2 + dice.number(-8, 8, 4), dice.number(60, 164, 8)), size, _hue(dice))
    return image


def turned(image: Image.Image, sign: str, centre: tuple[float, float], size: int, angle: float, colour: Colour) -> None:
    """One sign, turned to the left by some degrees."""
    mask = Image.new("L", (2 * size, 2 * size), 0)
    ImageDraw.Draw(mask).text(
        (size, size), sign, fill=255, font=font(size), anchor="mm", stroke_width=1, stroke_fill=255
    )
    mask = mask.rotate(angle, Image.Resampling.BICUBIC)
    image.paste(colour, (round(centre[0] - size), round(centre[1] - size)), mask)


def spread(text: str, size: int) -> list[tuple[str, float]]:
    """Each sign with how far its middle is from the middle of a line, in pixels."""
    widths = [font(size).getlength(sign) + 2 for sign in text]
    at, found = -sum(widths) / 2, list[tuple[str, float]]()
    for sign, width in zip(text, widths, strict=True):
        found.append((sign, at + width / 2))
        at += width
    return found


def curved(dice: Dice, text: str) -> Image.Image:
    """On an arch, in a bowl or up a slope."""
    image, _ = blank(dice.choice(PAPER))
    size, colour, manner = fitting_size(text, 160, 44), _hue(dice), dice.choice(("arch", "bowl", "slope"))
    turn = dice.choice(SLOPES)
    middle = dice.number(90, 130, 5)
    for sign, along in spread(text, size):
        if manner == "slope":
            t = math.radians(turn)
            turned(image, sign, (112 + along * math.cos(t), middle - along * math.sin(t)), size, turn, colour)
            continue
        t = along / RADIUS
        up = 1 if manner == "arch" else -1
        x, y = 112 + RADIUS * math.sin(t), middle + up * RADIUS * (1 - math.cos(t))
        turned(image, sign, (x, y), size, -up * math.degrees(t), colour)
    return image


def decorated(dice: Dice, text: str) -> Image.Image:
    """Every letter in its own colour and with a rim, or with a shadow, or hollow."""
    image, pen = blank(dice.choice(PAPER))
    size, manner = fitting_size(text, 170, dice.number(40, 60, 4)), dice.choice(("rim", "shadow", "hollow"))
    x, y = (SIZE - font(size).getlength(text)) / 2, dice.number(70, 150, 8)
    hues = dice.sample(list(COLOURS), 4)
    for i, sign in enumerate(text):
        where = (x, y + (6 if i % 2 else -6))
        if manner == "rim":
            pen.text(
                where, sign, fill=COLOURS[hues[i % 4]], font=font(size), anchor="lm", stroke_width=2, stroke_fill=0
            )
        elif manner == "hollow":
            pen.text(where, sign, fill=(255, 255, 255), font=font(size), anchor="lm", stroke_width=2,
                     stroke_fill=COLOURS[hues[0]])  # fmt: skip
        else:
            for shift, colour in ((4, (175, 175, 175)), (0, COLOURS[hues[0]])):
                pen.text((where[0] + shift, where[1] + shift), sign, fill=colour, font=font(size), anchor="lm",
                         stroke_width=1, stroke_fill=colour)  # fmt: skip
        x += font(size).getlength(sign)
    return image


def by_hand(dice: Dice, text: str) -> Image.Image:
    """Thin, slanted and a little unsteady, on lined paper."""
    image, pen = blank((252, 250, 240))
    for y in range(34, SIZE, 30):
        pen.line((0, y, SIZE, y), fill=(190, 210, 235))
    scribble(image, dice, text, (112, dice.number(60, 160, 10)), fitting_size(text, 160, 50), COLOURS["blue"])
    return image


def scribble(image: Image.Image, dice: Dice, text: str, centre: tuple[int, int], size: int, colour: Colour) -> None:
    mask = Image.new("L", (SIZE, 2 * size), 0)
    pen: Pen = ImageDraw.Draw(mask)
    x = (SIZE - font(size).getlength(text)) / 2
    for sign in text:
        pen.text((x, size + dice.number(-3, 3)), sign, fill=255, font=font(size), anchor="lm")
        x += font(size).getlength(sign) + dice.number(-1, 1)
    slant = 0.3
    mask = mask.transform(
        mask.size, Image.Transform.AFFINE, (1, slant, -slant * size, 0, 1, 0), Image.Resampling.BILINEAR
    )
    image.paste(colour, (centre[0] - SIZE // 2, centre[1] - size), mask)
