"""How things in pictures are named and asked about."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tasks.mini.vocabulary import english_number

ENDING = " Please answer yes or no."
MOST_THINGS = 6
"""To be counted in one picture."""


class Question(NamedTuple):
    text: str
    answer: Literal["Yes", "No"]


def with_article(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def counted(number: int, name: str) -> str:
    """The number in letters and the name, in the plural where it belongs: "two fishes"."""
    plural = {"fish": "fishes", "cross": "crosses"}.get(name, f"{name}s")
    return f"{english_number(number).lower()} {name if number == 1 else plural}"


def is_there(name: str) -> str:
    return f"Is there {with_article(name)} in this image?"


def is_coloured(name: str, colour: str) -> str:
    return f"Is the {name} in this image {colour}?"


def how_many(number: int, name: str) -> str:
    return f"{'Is' if number == 1 else 'Are'} there {counted(number, name)} in this image?"
