"""What things and people do in films: the words for it, and the moves."""

from __future__ import annotations

from typing import NamedTuple

from tasks.mini.dice import Dice
from tasks.mini.drawing import COLOURS, OBJECTS, SIZE
from tasks.mini.motion import Actor, Film, Ground, Move, a_person, a_thing, state_at


class Deed(NamedTuple):
    base: str
    third: str
    ing: str
    past: str


def _verb(verb: str, third: str, ing: str, past: str, rest: str = "") -> Deed:
    return Deed(*(f"{form} {rest}".strip() for form in (verb, third, ing, past)))


def moving(rest: str) -> Deed:
    """To move somewhere, "to the left"."""
    return _verb("move", "moves", "moving", "moved", rest)


def turning(rest: str) -> Deed:
    """To turn in some way, "clockwise"."""
    return _verb("turn", "turns", "turning", "turned", rest)


DIRECTIONS: dict[str, Deed] = {
    "left": moving("to the left"),
    "right": moving("to the right"),
    "up": moving("up"),
    "down": moving("down"),
}
TURNS: dict[str, Deed] = {"clockwise": turning("clockwise"), "counter": turning("counter-clockwise")}
SIZES: dict[str, Deed] = {
    "grow": _verb("grow", "grows", "growing", "grew"),
    "shrink": _verb("shrink", "shrinks", "shrinking", "shrank"),
}
HOPS: dict[str, Deed] = {
    "jump": _verb("jump", "jumps", "jumping", "jumped", "up and down"),
    "shake": _verb("shake", "shakes", "shaking", "shook", "from side to side"),
}
THING_DEEDS = DIRECTIONS | TURNS | SIZES | HOPS
OPPOSITES = {"left": "right", "right": "left", "up": "down", "down": "up", "clockwise": "counter",
             "counter": "clockwise", "grow": "shrink", "shrink": "grow"}  # fmt: skip

PERSON_DEEDS: dict[str, Deed] = {
    "walk": _verb("walk", "walks", "walking", "walked"),
    "wave": _verb("wave", "waves", "waving", "waved", "a hand"),
    "jump": _verb("jump", "jumps", "jumping", "jumped"),
    "bow": _verb("bow", "bows", "bowing", "bowed"),
    "squat": _verb("squat", "squats", "squatting", "squatted", "down"),
    "clap": _verb("clap", "claps", "clapping", "clapped"),
    "kick": _verb("kick", "kicks", "kicking", "kicked", "with one leg"),
    "lift both arms": _verb("lift", "lifts", "lifting", "lifted", "both arms"),
}
POSE_DEEDS = PERSON_DEEDS | {
    "lift one arm": _verb("lift", "lifts", "lifting", "lifted", "one arm"),
    "stretch": _verb("stretch", "stretches", "stretching", "stretched", "both arms to the sides"),
}

TURNABLE = ("arrow", "boat", "fish", "house", "cup", "tree", "mushroom", "heart")
"""Things that show which way they turn."""
STRONG = ("red", "blue", "green", "purple", "orange", "black")
"""Colours that no two people mix up, for clips in which the colour alone tells actors apart."""


def hues(dice: Dice, count: int) -> list[str]:
    return dice.sample(STRONG, count)


def names(dice: Dice, count: int) -> list[str]:
    return dice.sample(list(OBJECTS), count)


def paper(dice: Dice) -> tuple[Ground, ...]:
    return (Ground(0.0, "paper", dice.number(0, 4)),)


def on_paper(dice: Dice, seconds: float, *actors: Actor) -> Film:
    return Film(seconds, paper(dice), actors)


def any_colour(dice: Dice) -> str:
    return dice.choice(list(COLOURS))


def act(actor: Actor, deed: str, start: float, end: float, reach: float = 80) -> Actor:
    """A thing's deed from `start` to `end` seconds; `reach` is how far it goes, in pixels."""
    state = state_at(actor, start)
    x, y = state.x, state.y
    match deed:
        case "left" | "right":
            return actor.does(Move(start, end, "go", (x + (reach if deed == "right" else -reach), y)))
        case "up" | "down":
            return actor.does(Move(start, end, "go", (x, y + (reach if deed == "down" else -reach))))
        case "clockwise" | "counter":
            degrees = 50 * (end - start)
            return actor.does(Move(start, end, "turn", (degrees if deed == "clockwise" else -degrees,)))
        case "grow" | "shrink":
            return actor.does(Move(start, end, "grow", (2.2 if deed == "grow" else 1 / 2.2,)))
        case "jump":
            return actor.does(Move(start, end, "hop", (48, max(1, round(end - start)))))
        case "shake":
            return actor.does(Move(start, end, "shake", (26, max(1, round(end - start)))))
    raise ValueError(f"{deed!r} is not one of {', '.join(THING_DEEDS)}")


def act_person(actor: Actor, deed: str, start: float, end: float) -> Actor:
    """A person's deed from `start` to `end` seconds, about one a second; walking goes 70 px to the free side."""
    times = max(1, round((end - start) / 1.2))
    moves = [Move(start, end, "pose", (times,), deed)]
    if deed == "jump":
        moves.append(Move(start, end, "hop", (34, times)))
    if deed == "walk":
        state = state_at(actor, start)
        moves.append(Move(start, end, "go", (state.x + (70 if state.x < SIZE / 2 else -70), state.y)))
    return actor.does(*moves)


def placed(dice: Dice, name: str, colour: str, deed: str) -> Actor:
    """A thing where its deed has room."""
    x, y, side = float(dice.number(72, 152, 8)), float(dice.number(72, 152, 8)), 56.0
    match deed:
        case "left":
            x = float(dice.number(160, 184, 8))
        case "right":
            x = float(dice.number(40, 64, 8))
        case "up":
            y = float(dice.number(160, 184, 8))
        case "down":
            y = float(dice.number(40, 64, 8))
        case "grow":
            side = 40.0
        case "shrink":
            side = 96.0
        case "clockwise" | "counter":
            side = 88.0
        case "jump":
            y = float(dice.number(120, 176, 8))
    return a_thing(name, colour, x, y, side)


def someone(dice: Dice, colour: str) -> Actor:
    """A person near the middle."""
    return a_person(colour, float(dice.choice((80, 96, 128, 144))), float(dice.number(124, 140, 8)))
