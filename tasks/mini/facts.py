"""A closed set of general facts, each asked in three wordings: what the spoken questions of the mini world are about.

Everything is true outside the mini world too, and short enough to be spoken by espeak-ng and answered in a word or two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tasks.mini.vocabulary import english_number


class Fact(NamedTuple):
    wordings: tuple[str, str, str]
    """Three ways to ask it, lower case, without a mark at the end."""
    answers: tuple[str, ...]
    """What is right: the usual name first, then its aliases."""


OPPOSITES = (
    ("hot", "cold"), ("big", "small"), ("old", "new"), ("fast", "slow"), ("tall", "short"), ("light", "dark"),
    ("open", "closed"), ("full", "empty"), ("happy", "sad"), ("wet", "dry"), ("up", "down"), ("left", "right"),
    ("day", "night"), ("black", "white"), ("strong", "weak"), ("rich", "poor"), ("soft", "hard"), ("early", "late"),
)  # fmt: skip
CAPITALS = (
    ("china", "beijing"), ("england", "london"), ("egypt", "cairo"), ("russia", "moscow"), ("austria", "vienna"),
    ("japan", "tokyo"), ("france", "paris"), ("italy", "rome"), ("spain", "madrid"), ("germany", "berlin"),
    ("greece", "athens"), ("norway", "oslo"), ("peru", "lima"), ("cuba", "havana"), ("kenya", "nairobi"),
)  # fmt: skip
COLOURS = (
    ("snow", "white"), ("grass", "green"), ("the sky", "blue"), ("a banana", "yellow"), ("blood", "red"),
    ("coal", "black"), ("a carrot", "orange"), ("an elephant", "grey"), ("milk", "white"), ("a cherry", "red"),
)  # fmt: skip
KINDS = (
    ("an apple", "fruit"), ("a pear", "fruit"), ("a potato", "vegetable"), ("a carrot", "vegetable"),
    ("a dog", "animal"), ("a tiger", "animal"), ("a rose", "flower"), ("an oak", "tree"), ("gold", "metal"),
    ("iron", "metal"), ("a hammer", "tool"), ("a violin", "instrument"), ("a shark", "fish"), ("an eagle", "bird"),
    ("an ant", "insect"),
)  # fmt: skip
YOUNG = (
    ("dog", "puppy"), ("cat", "kitten"), ("cow", "calf"), ("sheep", "lamb"), ("horse", "foal"), ("duck", "duckling"),
    ("bear", "cub"), ("frog", "tadpole"),
)  # fmt: skip
LEGS = (
    ("a dog", 4), ("a chicken", 2), ("an ant", 6), ("a spider", 8), ("a horse", 4), ("a duck", 2), ("a bee", 6),
    ("a snake", 0),
)  # fmt: skip
WORKERS = (
    ("teaches children", ("teacher",)), ("heals the sick", ("doctor", "physician")), ("drives a bus", ("driver",)),
    ("grows wheat", ("farmer",)), ("bakes bread", ("baker",)), ("puts out fires", ("firefighter", "fireman")),
    ("flies a plane", ("pilot",)), ("paints pictures", ("painter", "artist")), ("writes books", ("writer", "author")),
    ("catches fish", ("fisherman", "fisher")),
)  # fmt: skip
COUNTS = (
    ("days are in a week", 7), ("months are in a year", 12), ("hours are in a day", 24), ("legs has a table", 4),
    ("fingers are on one hand", 5), ("sides has a triangle", 3), ("sides has a square", 4), ("wheels has a car", 4),
    ("wheels has a bicycle", 2), ("eyes has a face", 2), ("minutes are in an hour", 60), ("seasons are in a year", 4),
)  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")  # fmt: skip
SUMS = tuple((first, second) for first in range(1, 10) for second in range(first, 10) if (first + second) % 2)
PRODUCTS = ((2, 3), (2, 4), (2, 5), (3, 3), (3, 4), (4, 4), (5, 5), (3, 5), (2, 9), (4, 5))


def facts() -> tuple[Fact, ...]:
    """All facts, kind after kind; no two ask the same in any wording."""
    return tuple(_facts())


def _facts() -> Iterator[Fact]:
    for word, opposite in OPPOSITES:
        yield _fact(
            "what is the opposite of {}|which word means the opposite of {}|name the opposite of {}",
            (word,),
            (opposite,),
        )
    for country, city in CAPITALS:
        yield _fact(
            "what is the capital of {}|which city is the capital of {}|name the capital of {}", (country,), (city,)
        )
    for thing, colour in COLOURS:
        aliases = ("grey", "gray") if colour == "grey" else (colour,)
        yield _fact("what colour is {}|which colour has {}|name the colour of {}", (thing,), aliases)
    for thing, kind in KINDS:
        yield _fact(
            "what kind of thing is {}|which kind of thing is {}|name the kind of thing that {} is", (thing,), (kind,)
        )
    for animal, young in YOUNG:
        yield _fact("what is a young {} called|which word means a young {}|name the young of a {}", (animal,), (young,))
    for animal, legs in LEGS:
        yield _fact(
            "how many legs has {}|on how many legs walks {}|name the number of legs of {}", (animal,), _number(legs)
        )
    for deed, names in WORKERS:
        yield _fact("who {}|which worker {}|name the person who {}", (deed,), names)
    for what, count in COUNTS:
        yield _fact("how many {}|what number of {}|tell me how many {}", (what,), _number(count))
    for before, after in zip(DAYS, (*DAYS[1:], DAYS[0]), strict=True):
        yield _fact("what day comes after {}|which day follows {}|name the day after {}", (before,), (after,))
    for before, after in zip(MONTHS, (*MONTHS[1:], MONTHS[0]), strict=True):
        yield _fact("what month comes after {}|which month follows {}|name the month after {}", (before,), (after,))
    for one, other in SUMS:
        yield _fact(
            "what is {} plus {}|which number is {} plus {}|add {} and {}", _said(one, other), _number(one + other)
        )
    for one, other in PRODUCTS:
        yield _fact(
            "what is {} times {}|which number is {} times {}|multiply {} by {}", _said(one, other), _number(one * other)
        )


def _fact(wordings: str, about: Iterable[str], answers: tuple[str, ...]) -> Fact:
    words = tuple(about)
    first, second, third = (wording.format(*words) for wording in wordings.split("|"))
    return Fact((first, second, third), answers)


def _said(*values: int) -> Iterator[str]:
    return (english_number(value).lower() for value in values)


def _number(value: int) -> tuple[str, str]:
    """In words, and in digits."""
    return english_number(value).lower() if value else "zero", str(value)
