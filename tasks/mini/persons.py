"""Small persons who do things, and faces with feelings."""

from __future__ import annotations

from typing import NamedTuple

from tasks.mini.drawing import COLOURS, HUES, INK, WHITE, Box, Pen, label, thing
from tasks.mini.noting import Colour, as_one

SKIN: Colour = (240, 195, 155)
TROUSERS: Colour = (60, 65, 90)


class Pose(NamedTuple):
    """Joints in units of the box: head, neck, hip, hands and feet."""

    head: tuple[float, float]
    hip: tuple[float, float]
    hands: tuple[tuple[float, float], tuple[float, float]]
    feet: tuple[tuple[float, float], tuple[float, float]]


POSES: dict[str, Pose] = {
    "standing": Pose((0.5, 0.12), (0.5, 0.6), ((0.3, 0.55), (0.7, 0.55)), ((0.4, 0.98), (0.6, 0.98))),
    "waving": Pose((0.5, 0.12), (0.5, 0.6), ((0.3, 0.55), (0.85, 0.05)), ((0.4, 0.98), (0.6, 0.98))),
    "running": Pose((0.58, 0.12), (0.48, 0.58), ((0.2, 0.48), (0.85, 0.36)), ((0.06, 0.8), (0.86, 0.9))),
    "sitting": Pose((0.4, 0.15), (0.4, 0.66), ((0.66, 0.56), (0.66, 0.6)), ((0.74, 0.98), (0.82, 0.98))),
    "sleeping": Pose((0.12, 0.72), (0.58, 0.76), ((0.4, 0.86), (0.45, 0.88)), ((0.98, 0.76), (0.98, 0.84))),
    "lifting": Pose((0.5, 0.24), (0.5, 0.66), ((0.25, 0.04), (0.75, 0.04)), ((0.38, 0.98), (0.62, 0.98))),
    "kicking": Pose((0.4, 0.12), (0.42, 0.58), ((0.14, 0.4), (0.7, 0.42)), ((0.34, 0.98), (0.8, 0.74))),
    "holding": Pose((0.5, 0.12), (0.5, 0.6), ((0.78, 0.42), (0.8, 0.46)), ((0.4, 0.98), (0.6, 0.98))),
}


def draw_person(pen: Pen, box: Box, pose: str, shirt: Colour, hair: Colour = (60, 40, 25)) -> None:
    hue = f" {HUES[shirt]}" if shirt in HUES else ""
    with as_one(pen, thing(box, f"{hue} {ACTIONS.get(pose, pose)}")):
        _draw_person(pen, box, pose, shirt, hair)


def _draw_person(pen: Pen, box: Box, pose: str, shirt: Colour, hair: Colour) -> None:
    joints = POSES[pose]
    (hx, hy), (px, py) = joints.head, joints.hip
    neck = (hx + 0.18 * (px - hx), hy + 0.32 * (py - hy))
    if pose == "sitting":
        pen.rectangle(box.frame(0.22, 0.66, 0.62, 0.72), fill=COLOURS["brown"])
        pen.rectangle(box.frame(0.22, 0.4, 0.28, 0.98), fill=COLOURS["brown"])
    if pose == "sleeping":
        pen.rectangle(box.frame(0.0, 0.86, 1.0, 0.94), fill=COLOURS["brown"])
        label(pen, "z z z", box.at((0.3, 0.5))[0], box.width(0.16))
    for foot in joints.feet:
        knee = (0.72, 0.68) if pose == "sitting" else ((px + foot[0]) / 2, (py + foot[1]) / 2)
        pen.line(box.at((px, py), knee, foot), fill=TROUSERS, width=box.width(0.09), joint="curve")
    for hand in joints.hands:
        pen.line(box.at(neck, hand), fill=shirt, width=box.width(0.07))
        pen.ellipse(box.frame(hand[0] - 0.045, hand[1] - 0.045, hand[0] + 0.045, hand[1] + 0.045), fill=SKIN)
    pen.line(box.at(neck, (px, py)), fill=shirt, width=box.width(0.18))
    pen.ellipse(box.frame(hx - 0.12, hy - 0.13, hx + 0.12, hy + 0.11), fill=hair)
    pen.ellipse(box.frame(hx - 0.1, hy - 0.08, hx + 0.1, hy + 0.12), fill=SKIN)
    if pose == "lifting":
        pen.line(box.at((0.05, 0.04), (0.95, 0.04)), fill=INK, width=box.width(0.03))
        for x in (0.05, 0.95):
            pen.rectangle(box.frame(x - 0.05, -0.08, x + 0.05, 0.16), fill=INK)
    if pose == "kicking":
        pen.ellipse(box.frame(0.86, 0.62, 1.04, 0.8), fill=COLOURS["orange"], outline=INK, width=2)


ACTIONS = {
    "waving": "waving a hand",
    "running": "running",
    "sitting": "sitting on a chair",
    "sleeping": "sleeping",
    "lifting": "lifting weights",
    "kicking": "kicking a ball",
}


def draw_mood(pen: Pen, box: Box, mood: str, skin: Colour) -> None:
    """A round face that is happy, sad, angry, surprised or sleepy."""
    with as_one(pen, thing(box, f" {mood}")):
        _draw_mood(pen, box, mood, skin)


def _draw_mood(pen: Pen, box: Box, mood: str, skin: Colour) -> None:
    pen.ellipse(box.frame(0, 0, 1, 1), fill=skin, outline=INK, width=3)
    thick = box.width(0.045)
    for side in (-1, 1):
        x = 0.5 + 0.2 * side
        if mood == "sleepy":
            pen.line(box.at((x - 0.1, 0.42), (x + 0.1, 0.42)), fill=INK, width=thick)
        else:
            r = 0.08 if mood == "surprised" else 0.055
            pen.ellipse(box.frame(x - r, 0.42 - r, x + r, 0.42 + r), fill=INK)
        if mood == "angry":
            pen.line(box.at((x + 0.12 * side, 0.24), (x - 0.1 * side, 0.34)), fill=INK, width=thick)
    if mood == "happy":
        pen.arc(box.frame(0.26, 0.42, 0.74, 0.84), 15, 165, fill=INK, width=thick)
    elif mood in ("sad", "angry"):
        pen.arc(box.frame(0.3, 0.64, 0.7, 1.0), 200, 340, fill=INK, width=thick)
    elif mood == "surprised":
        pen.ellipse(box.frame(0.4, 0.6, 0.6, 0.86), fill=INK)
    else:
        pen.line(box.at((0.4, 0.72), (0.6, 0.72)), fill=INK, width=thick)
    if mood == "sad":
        pen.ellipse(box.frame(0.66, 0.5, 0.74, 0.66), fill=(80, 150, 240))


MOODS = ("happy", "sad", "angry", "surprised", "sleepy")


def draw_worker(pen: Pen, box: Box, job: str) -> None:
    """A person with the things of a trade."""
    with as_one(pen, thing(box, f" {job}")):
        _draw_worker(pen, box, job)


def _draw_worker(pen: Pen, box: Box, job: str) -> None:
    draw_person(pen, box, "holding", (185, 210, 235) if job in ("doctor", "cook") else COLOURS["blue"])
    hat, hand = box.frame(0.34, -0.14, 0.66, 0.05), box.at((0.82, 0.44))[0]
    if job == "doctor":
        pen.rectangle(box.frame(0.78, 0.46, 1.16, 0.76), fill=WHITE, outline=INK, width=2)
        pen.rectangle(box.frame(0.94, 0.5, 1.0, 0.72), fill=COLOURS["red"])
        pen.rectangle(box.frame(0.86, 0.58, 1.08, 0.64), fill=COLOURS["red"])
    elif job == "cook":
        pen.rounded_rectangle(hat, radius=box.width(0.06), fill=WHITE, outline=INK, width=2)
        pen.ellipse(box.frame(0.84, 0.36, 1.2, 0.5), fill=INK)
    elif job == "painter":
        pen.ellipse(box.frame(0.78, 0.4, 1.16, 0.7), fill=(200, 150, 90), outline=INK)
        for dx, dy, name in ((0.86, 0.48, "red"), (0.98, 0.46, "yellow"), (1.04, 0.56, "green"), (0.9, 0.6, "blue")):
            pen.ellipse(box.frame(dx, dy, dx + 0.09, dy + 0.09), fill=COLOURS[name])
    elif job == "farmer":
        pen.rectangle(box.frame(0.26, 0.0, 0.74, 0.05), fill=COLOURS["yellow"])
        pen.rectangle(box.frame(0.38, -0.1, 0.62, 0.05), fill=COLOURS["yellow"])
        pen.line((hand[0], box.y + box.side, hand[0], box.y), fill=COLOURS["brown"], width=4)
        for dx in (-9, 0, 9):
            pen.line((hand[0] + dx, box.y + 8, hand[0] + dx, box.y - 16), fill=INK, width=3)
        pen.line((hand[0] - 9, box.y + 8, hand[0] + 9, box.y + 8), fill=INK, width=3)
    elif job == "teacher":
        pen.rectangle(box.frame(0.8, -0.1, 1.5, 0.38), fill=(30, 80, 60), outline=COLOURS["brown"], width=4)
        label(pen, "2+2=4", box.at((1.15, 0.14))[0], box.width(0.17), WHITE)
    elif job == "fisher":
        pen.line(box.at((0.78, 0.44), (1.3, -0.05), (1.3, 0.55)), fill=COLOURS["brown"], width=3)
        pen.ellipse(box.frame(1.18, 0.52, 1.36, 0.64), fill=COLOURS["orange"])
        pen.polygon(box.at((1.34, 0.58), (1.44, 0.5), (1.44, 0.66)), fill=COLOURS["orange"])


JOBS = ("doctor", "cook", "painter", "farmer", "teacher", "fisher")
