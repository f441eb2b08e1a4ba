"""What a drawing shows, noted while it is drawn: for training, which is told what is to be seen where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
NOTES = "things"
"""Where Pillow keeps the notes with a picture, through its filters and changes of size; no file has them."""
SMALLEST = 8
"""Pixels, each way, of a patch of colour that is worth a note."""
_PIECES = re.compile(r"[^\W\d_]+|\d|[^\w\s]")


class Frame(NamedTuple):
    """A part of a picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


class Thing(NamedTuple):
    """What is drawn where."""

    frame: Frame
    name: str
    """Its words as captions have them, with the spaces before them."""
    rank: int = 0
    """Of a digit: how many digits of its number are before it."""


def noted(image: Image.Image) -> tuple[Thing, ...]:
    """What is drawn in a picture, as far as it has a name; frames are those of the picture as it was drawn."""
    return tuple(image.info.get(NOTES, ()))


def note(image: Image.Image, things: tuple[Thing, ...]) -> None:
    """Put notes with a picture, in place of those that it has."""
    image.info[NOTES] = list(things)


class NotingPen(ImageDraw.ImageDraw):
    """Notes words, digits and signs, and flat colours by their names (`hues`)."""

    def __init__(self, image: Image.Image, hues: Mapping[Colour, str]) -> None:
        super().__init__(image)
        self._things: list[Thing] = []
        self._hues, self._within = hues, 0
        image.info[NOTES] = self._things

    @contextmanager
    def one(self, thing: Thing) -> Iterator[None]:
        """All that is drawn meanwhile is one thing."""
        self._note(thing)
        self._within += 1
        try:
            yield
        finally:
            self._within -= 1

    def text(  # type: ignore[override]  # as the drawings call it
        self, xy: tuple[float, float], text: str, *, font: ImageFont.FreeTypeFont, anchor: str = "la", **more: Any
    ) -> None:
        for thing in lettered(text, xy, font, anchor):
            self._note(thing)
        super().text(xy, text, font=font, anchor=anchor, **more)

    def rectangle(self, xy: Any, fill: Any = None, outline: Any = None, width: int = 1) -> None:
        self._coloured(xy, fill)
        super().rectangle(xy, fill, outline, width)

    def ellipse(self, xy: Any, fill: Any = None, outline: Any = None, width: int = 1) -> None:
        self._coloured(xy, fill)
        super().ellipse(xy, fill, outline, width)

    def polygon(self, xy: Any, fill: Any = None, outline: Any = None, width: int = 1) -> None:
        self._coloured(xy, fill)
        super().polygon(xy, fill, outline, width)

    def _note(self, thing: Thing) -> None:
        if not self._within:
            self._things.append(thing)

    def _coloured(self, xy: Any, fill: Any) -> None:
        if not self._within and isinstance(fill, tuple) and fill in self._hues:
            flat = [value for at in xy for value in (at if isinstance(at, tuple | list) else (at,))]
            across, down = flat[::2], flat[1::2]
            frame = Frame(round(min(across)), round(min(down)), round(max(across)), round(max(down)))
            if frame.right - frame.left >= SMALLEST <= frame.bottom - frame.top:
                self._note(Thing(frame, f" {self._hues[fill]}"))


@contextmanager
def as_one(pen: ImageDraw.ImageDraw, thing: Thing) -> Iterator[None]:
    """All that is drawn meanwhile is one thing, where the pen takes notes."""
    if isinstance(pen, NotingPen):
        with pen.one(thing):
            yield
    else:
        yield


def lettered(text: str, xy: tuple[float, float], font: ImageFont.FreeTypeFont, anchor: str) -> list[Thing]:
    """What a written line says: words, digits and signs, each in its place."""
    shift = {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]]
    left = xy[0] - shift * font.getlength(text)
    top = xy[1] - (font.size / 2 if anchor[1] == "m" else 0)
    things, rank, end = [], 0, -1
    for match in _PIECES.finditer(text):
        piece = match.group()
        rank = rank + 1 if piece.isdigit() and match.start() == end and text[end - 1].isdigit() else 0
        end = match.end()
        first, last = (round(left + font.getlength(text[:place])) for place in match.span())
        frame = Frame(first, round(top), last, round(top + font.size))
        things.append(Thing(frame, piece if piece.isdigit() else f" {piece}", rank))
    return things
