"""Films of the mini world: things, people and words that move, as data, and the picture of any moment.

A film is a script; two films with the same script have the same frames, so a script tells which part of the world it
belongs to, and training can draw the few moments that it needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol, TypeVar

from PIL import Image, ImageDraw, ImageFilter

from tasks.mini.dice import Dice
from tasks.mini.drawing import (
    COLOURS,
    INK,
    PAPER,
    SIZE,
    WHITE,
    Box,
    blank,
    fitting_size,
    write,
    write_hanzi,
)
from tasks.mini.noting import Frame, Thing, note, noted
from tasks.mini.partition import Part, part_of
from tasks.mini.places import LANDMARKS, SCENES, draw_landmark
from tasks.mini.props import THINGS, Pose, draw_person

FPS = 8
GREY = "grey"
HUES = COLOURS | {GREY: (165, 165, 170), "white": WHITE}
_SPRITE = 128
FOREVER = 1e9

Kind = Literal["go", "rush", "brake", "grow", "turn", "hop", "shake", "paint", "become", "leave", "pose"]


class Move(NamedTuple):
    """What an actor does between two moments, in seconds. Its effect stays, but for hops, shakes and poses.

    go, rush, brake: to the centre (x, y), at one speed, ever faster, ever slower; a third number bends the way up by
    so many pixels. grow: by a factor. turn: degrees, clockwise. hop: (height, times). shake: (width, times). paint,
    become: to the colour or thing `name`, at `start`. leave: gone from `start`. pose: a person's,
    `name`, with its repetitions.
    """

    start: float
    end: float
    kind: Kind
    to: tuple[float, ...] = ()
    name: str = ""


class Look(NamedTuple):
    kind: Literal["thing", "person", "word", "hanzi"]
    name: str
    """The thing's, or what is written."""


class Actor(NamedTuple):
    """Centre and side in pixels of a picture SIZE wide; seen between `since` and `until`, in seconds."""

    look: Look
    colour: str
    x: float
    y: float
    side: float
    moves: tuple[Move, ...] = ()
    since: float = 0.0
    until: float = FOREVER

    def does(self, *moves: Move) -> Actor:
        return self._replace(moves=(*self.moves, *moves))

    @property
    def name(self) -> str:
        """How a question names it: "red star", "person in red"."""
        return f"person in {self.colour}" if self.look.kind == "person" else f"{self.colour} {self.look.name}"


def a_thing(name: str, colour: str, x: float, y: float, side: float = 56) -> Actor:
    return Actor(Look("thing", name), colour, x, y, side)


def a_person(colour: str, x: float, y: float = 130, side: float = 130) -> Actor:
    return Actor(Look("person", "person"), colour, x, y, side)


def a_word(text: str, y: float = 30, side: float = 40, colour: str = "black", x: float = SIZE / 2) -> Actor:
    return Actor(Look("word", text), colour, x, y, side)


class Ground(NamedTuple):
    """What is behind the actors from `start` on: a place, a landmark or "paper". `seed` draws its layout or colour."""

    start: float
    name: str
    seed: int


@dataclass(frozen=True, slots=True)
class Film:
    seconds: float
    grounds: tuple[Ground, ...]
    """The first starts at 0."""
    actors: tuple[Actor, ...]
    """The last is in front."""
    fps: int = FPS

    @property
    def moments(self) -> list[float]:
        """When its frames are, in seconds."""
        return [i / self.fps for i in range(round(self.seconds * self.fps))]


@dataclass(frozen=True, slots=True)
class State:
    """An actor at a moment."""

    look: Look
    colour: str
    x: float
    y: float
    side: float
    shown: bool
    angle: float = 0.0
    lift: float = 0.0
    sway: float = 0.0
    pose: Pose = "stand"
    phase: float = 0.0


def state_at(actor: Actor, moment: float) -> State:
    """The actor after all that it did until then."""
    shown = actor.since <= moment < actor.until
    state = State(actor.look, actor.colour, actor.x, actor.y, actor.side, shown)
    for move in actor.moves:
        if moment >= move.start:
            length = max(move.end - move.start, 1e-6)
            state = _moved(state, move, min(1.0, (moment - move.start) / length))
    return state


def _moved(state: State, move: Move, share: float) -> State:
    """The state when `share` of the move, 0 to 1, is done."""
    under_way = share < 1.0
    match move.kind:
        case "go" | "rush" | "brake":
            part = {"go": share, "rush": share**2, "brake": 1 - (1 - share) ** 2}[move.kind]
            x, y = move.to[:2]
            bend = move.to[2] * math.sin(math.pi * share) if len(move.to) > 2 else 0.0
            return replace(state, x=state.x + (x - state.x) * part, y=state.y + (y - state.y) * part - bend)
        case "grow":
            return replace(state, side=state.side * move.to[0] ** share)
        case "turn":
            return replace(state, angle=state.angle + move.to[0] * share)
        case "hop":
            height, times = move.to
            return replace(state, lift=height * abs(math.sin(math.pi * times * share)) if under_way else 0.0)
        case "shake":
            width, times = move.to
            return replace(state, sway=width * math.sin(2 * math.pi * times * share) if under_way else 0.0)
        case "paint":
            return replace(state, colour=move.name)
        case "become":
            return replace(state, look=Look("thing", move.name))
        case "leave":
            return replace(state, shown=False)
        case "pose":
            pose: Pose = move.name if under_way else "stand"  # type: ignore[assignment]
            return replace(state, pose=pose, phase=move.to[0] * share)


def picture(film: Film, moment: float) -> Image.Image:
    """The film at a moment, RGB, SIZE x SIZE pixels."""
    ground = [ground for ground in film.grounds if ground.start <= moment][-1]
    image = _ground(ground.name, ground.seed).copy()
    for actor in film.actors:
        state = state_at(actor, moment)
        if state.shown and state.side >= 2:
            _place(image, state, halo=ground.name != "paper")
    return image


@lru_cache(maxsize=64)
def _ground(name: str, seed: int) -> Image.Image:
    image, pen = blank(PAPER[seed % len(PAPER)])
    if name in SCENES:
        SCENES[name](pen, Dice(seed))
    elif name in LANDMARKS:
        draw_landmark(pen, name, Dice(seed))
    return image


def _place(image: Image.Image, state: State, halo: bool) -> None:
    x, y = state.x + state.sway, state.y - state.lift
    note(image, (*noted(image), _seen(state, x, y)))
    if state.look.kind == "word":
        pen, text = ImageDraw.Draw(image), state.look.name
        size = min(round(state.side), fitting_size(text, SIZE - 20, round(state.side)))
        left, top, right, bottom = pen.textbbox((x, y), text, font_size=size, anchor="mm")
        pen.rectangle((left - 8, top - 6, right + 8, bottom + 6), fill=WHITE)
        write(pen, text, (round(x), round(y)), size, HUES[state.colour])
        return
    sprite = _sprite(state.look, state.colour, state.pose, round(state.phase, 3), halo)
    side = max(2, round(state.side * sprite.width / _SPRITE))
    sprite = sprite.resize((side, side), Image.Resampling.BILINEAR)
    if state.angle % 360:
        sprite = sprite.rotate(-state.angle, Image.Resampling.BILINEAR, expand=True)
    image.paste(sprite, (round(x - sprite.width / 2), round(y - sprite.height / 2)), sprite)


def _seen(state: State, x: float, y: float) -> Thing:
    half = state.side / 2
    frame = Frame(*(round(edge) for edge in (x - half, y - half, x + half, y + half)))
    what = "person" if state.look.kind == "person" else state.look.name
    return Thing(frame, f" {what}" if state.look.kind == "word" else f" {state.colour} {what}")


@lru_cache(maxsize=512)
def _sprite(look: Look, colour: str, pose: Pose, phase: float, halo: bool) -> Image.Image:
    """The look on clear ground with a margin; on a place it has a white rim, so that it stands out."""
    margin = 16
    whole = _SPRITE + 2 * margin
    sprite = Image.new("RGBA", (whole, whole), (0, 0, 0, 0))
    pen, box = ImageDraw.Draw(sprite), Box(margin, margin, _SPRITE)
    match look.kind:
        case "person":
            draw_person(pen, box, HUES[colour], pose, phase)
        case "hanzi":
            pen.rectangle((margin, margin, margin + _SPRITE, margin + _SPRITE), fill=WHITE, outline=INK, width=3)
            write_hanzi(pen, look.name, Box(margin + 16, margin + 16, _SPRITE - 32), HUES[colour])
        case _:
            THINGS[look.name](pen, box, HUES[colour])
    if halo and look.kind != "hanzi":
        rim = Image.new("RGBA", sprite.size, (*WHITE, 0))
        rim.putalpha(sprite.getchannel("A").filter(ImageFilter.MaxFilter(9)))
        sprite = Image.alpha_composite(rim, sprite)
    return sprite


class HasFilm(Protocol):
    @property
    def film(self) -> Film: ...


D = TypeVar("D", bound=HasFilm)


def of_part(draw: Callable[[Dice], D], dice: Dice, part: Part) -> Iterator[D]:
    """Endless drafts of one kind whose films belong to a part of the world. No film comes twice."""
    seen = set[str]()
    while True:
        draft = draw(dice)
        script = repr(draft.film)
        if part_of(script) == part and script not in seen:
            seen.add(script)
            yield draft
