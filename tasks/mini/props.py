"""What moves in clips besides the things of single pictures: a person in poses, and things that show that they roll."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

from tasks.mini.drawing import COLOURS, INK, OBJECTS, WHITE, Box, Draw, Pen, named
from tasks.mini.noting import Colour

Pose = Literal[
    "stand", "walk", "wave", "jump", "bow", "squat", "clap", "kick", "lift one arm", "lift both arms", "stretch"
]
POSES: tuple[Pose, ...] = get_args(Pose)

SKIN: Colour = (235, 185, 145)
TROUSERS: Colour = (60, 65, 90)

Point = tuple[float, float]


class Body(NamedTuple):
    """Where the parts of a person are, in units of the box's side."""

    hip: Point = (0.5, 0.58)
    lean: float = 0.0
    """Degrees by which the body above the hip leans to the right."""
    left_hand: Point = (0.27, 0.56)
    right_hand: Point = (0.73, 0.56)
    left_knee: Point = (0.43, 0.78)
    right_knee: Point = (0.57, 0.78)
    left_foot: Point = (0.4, 0.97)
    right_foot: Point = (0.6, 0.97)


def body(pose: Pose, phase: float) -> Body:
    """The body at a moment of a movement; `phase` counts its repetitions, each from rest to rest."""
    swing = math.sin(2 * math.pi * phase)
    full = 0.5 - 0.5 * math.cos(2 * math.pi * phase)
    match pose:
        case "stand":
            return Body()
        case "walk":
            step = 0.17 * swing
            return Body(
                left_knee=(0.47 + step / 2, 0.77), right_knee=(0.53 - step / 2, 0.77),
                left_foot=(0.47 + step, 0.97), right_foot=(0.53 - step, 0.97),
                left_hand=(0.4 - step, 0.56), right_hand=(0.6 + step, 0.56),
            )  # fmt: skip
        case "wave":
            return Body(right_hand=(0.8 + 0.13 * math.sin(4 * math.pi * phase), 0.07))
        case "jump":
            return Body(left_hand=(0.3, 0.45 - 0.35 * full), right_hand=(0.7, 0.45 - 0.35 * full))
        case "bow":
            return Body(lean=75 * full)
        case "squat":
            drop = 0.24 * full
            return Body(
                hip=(0.5, 0.58 + drop),
                left_knee=(0.43 - 0.15 * full, 0.78 + 0.02 * full), right_knee=(0.57 + 0.15 * full, 0.78 + 0.02 * full),
                left_hand=(0.27 - 0.08 * full, 0.56 + drop / 3), right_hand=(0.73 + 0.08 * full, 0.56 + drop / 3),
            )  # fmt: skip
        case "clap":
            apart = 0.03 + 0.19 * abs(math.cos(2 * math.pi * phase))
            return Body(left_hand=(0.5 - apart, 0.4), right_hand=(0.5 + apart, 0.4))
        case "kick":
            return Body(right_knee=(0.57 + 0.13 * full, 0.78 - 0.1 * full),
                        right_foot=(0.6 + 0.36 * full, 0.97 - 0.27 * full))  # fmt: skip
        case "lift one arm":
            return Body(right_hand=(0.73 - 0.1 * full, 0.56 - 0.54 * full))
        case "lift both arms":
            return Body(left_hand=(0.27 + 0.1 * full, 0.56 - 0.54 * full),
                        right_hand=(0.73 - 0.1 * full, 0.56 - 0.54 * full))  # fmt: skip
        case "stretch":
            return Body(left_hand=(0.27 - 0.22 * full, 0.56 - 0.24 * full),
                        right_hand=(0.73 + 0.22 * full, 0.56 - 0.24 * full))  # fmt: skip


def draw_person(pen: Pen, box: Box, shirt: Colour, pose: Pose, phase: float) -> None:
    """A person from the front, in a shirt of the colour."""
    form = body(pose, phase)
    turn = math.radians(form.lean)

    def upper(x: float, y: float) -> Point:
        """A point above the hip of a body that stands straight, moved and leant as the body is."""
        dx, dy = x - 0.5, y - 0.58
        return (
            form.hip[0] + dx * math.cos(turn) - dy * math.sin(turn),
            form.hip[1] + dx * math.sin(turn) + dy * math.cos(turn),
        )

    def limb(colour: Colour, width: float, *points: Point) -> None:
        pen.line(box.at(*points), fill=colour, width=box.width(width), joint="curve")
        for x, y in points:
            pen.ellipse(box.frame(x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)

    (hip_x, hip_y), leant = form.hip, form.lean != 0
    for side, knee, foot in ((-0.06, form.left_knee, form.left_foot), (0.06, form.right_knee, form.right_foot)):
        limb(TROUSERS, 0.1, (hip_x + side, hip_y), knee, foot)
    pen.polygon(box.at(upper(0.38, 0.27), upper(0.62, 0.27), upper(0.6, 0.62), upper(0.4, 0.62)), fill=shirt)
    for shoulder, hand in ((0.4, form.left_hand), (0.6, form.right_hand)):
        limb(shirt, 0.08, upper(shoulder, 0.31), upper(*hand) if leant else hand)
        x, y = upper(*hand) if leant else hand
        pen.ellipse(box.frame(x - 0.055, y - 0.055, x + 0.055, y + 0.055), fill=SKIN)
    x, y = upper(0.5, 0.14)
    pen.ellipse(box.frame(x - 0.12, y - 0.12, x + 0.12, y + 0.12), fill=SKIN)
    pen.chord(box.frame(x - 0.12, y - 0.13, x + 0.12, y + 0.1), 180 + form.lean, 360 + form.lean, fill=INK)


def _ball(pen: Pen, box: Box, colour: Colour) -> None:
    pen.ellipse(box.frame(0.02, 0.02, 0.98, 0.98), fill=colour)
    pen.pieslice(box.frame(0.14, 0.14, 0.86, 0.86), 200, 290, fill=WHITE)


def _wheel(pen: Pen, box: Box, colour: Colour) -> None:
    pen.ellipse(box.frame(0.02, 0.02, 0.98, 0.98), fill=WHITE, outline=colour, width=box.width(0.14))
    for degrees in (0, 60, 120):
        x, y = 0.42 * math.cos(math.radians(degrees)), 0.42 * math.sin(math.radians(degrees))
        pen.line(box.at((0.5 - x, 0.5 - y), (0.5 + x, 0.5 + y)), fill=colour, width=box.width(0.07))
    pen.pieslice(box.frame(0.1, 0.1, 0.9, 0.9), 0, 60, fill=colour)


def _lamp(pen: Pen, box: Box, colour: Colour) -> None:
    """Lit where its colour is yellow."""
    if colour == COLOURS["yellow"]:
        for degrees in range(180, 361, 30):
            x, y = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            ray = box.at((0.5 + 0.36 * x, 0.38 + 0.36 * y), (0.5 + 0.48 * x, 0.38 + 0.48 * y))
            pen.line(ray, fill=(245, 150, 20), width=box.width(0.05))
    pen.ellipse(box.frame(0.22, 0.1, 0.78, 0.66), fill=colour, outline=INK, width=box.width(0.03))
    pen.rectangle(box.frame(0.36, 0.64, 0.64, 0.94), fill=(120, 120, 130))


def _bowl(pen: Pen, box: Box, colour: Colour) -> None:
    """A bowl upside down, under which a ball is hidden."""
    pen.pieslice(box.frame(0.0, 0.1, 1.0, 1.7), 180, 360, fill=colour)
    pen.rectangle(box.frame(0.38, 0.02, 0.62, 0.14), fill=colour)


_PROPS: dict[str, Draw] = {
    "ball": _ball,
    "wheel": _wheel,
    "lamp": _lamp,
    "bowl": _bowl,
}
PROPS: dict[str, Draw] = {name: named(name, draw) for name, draw in _PROPS.items()}
THINGS = OBJECTS | PROPS
"""All that can be drawn in a colour."""
