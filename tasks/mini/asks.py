"""Questions about pictures, with an answer and wrong options: what the families of the image benchmarks make."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from tasks.mini.dice import Dice
from tasks.mini.partition import Part, part_of

LETTERS = "ABCDE"


@dataclass(frozen=True, slots=True)
class Ask:
    images: tuple[Image.Image, ...]
    """RGB, at most SIZE pixels wide and high."""
    question: str
    answer: str
    others: tuple[str, ...] = ()
    """Wrong options; an open question may leave them out."""
    hint: str = ""
    """A sentence that some benchmarks put before the question."""


Family = Callable[[Dice], Ask]


def choice(
    dice: Dice, image: Image.Image, wordings: Sequence[str], answer: str, pool: Sequence[str], options: int = 4
) -> Ask:
    """A question in one of its wordings, with wrong options out of the pool that its answer comes from."""
    wrong = [word for word in dict.fromkeys(pool) if word != answer]
    return Ask((image,), dice.choice(wordings), answer, tuple(dice.sample(wrong, min(options - 1, len(wrong)))))


def number(dice: Dice, image: Image.Image, wordings: Sequence[str], value: int, step: int = 1, form: str = "{}") -> Ask:
    """A question whose options are four numbers in even steps; which of them is right does not follow from its size."""
    rank = dice.number(0, min(3, (value - 1) // step if value > 0 else 0))
    values = [value + step * (place - rank) for place in range(4)]
    others = tuple(form.format(wrong) for wrong in values if wrong != value)
    return Ask((image,), dice.choice(wordings), form.format(value), others)


def digest(*images: Image.Image) -> str:
    """Of the pixels."""
    content = hashlib.sha256()
    for image in images:
        content.update(repr(image.size).encode() + image.tobytes())
    return content.hexdigest()


def asks(dice: Dice, families: Sequence[Family], part: Part) -> Iterator[Ask]:
    """Endless questions on pictures of one part of the world, the families in turn; none twice on the same picture."""
    seen: set[tuple[str, str]] = set()
    while True:
        for family in families:
            while True:
                ask = family(dice)
                key = (digest(*ask.images), ask.question)
                if part_of(key[0]) == part and key not in seen:
                    seen.add(key)
                    yield ask
                    break


_MOST_TRIES = 2000


def redrawn(dice: Dice, draw: Callable[[Dice], Image.Image], part: Part) -> Image.Image:
    """A picture of one part of the world: drawn again, with other chances, until it is of that part.

    Raises ValueError for a family with so few pictures that none of them is.
    """
    for _ in range(_MOST_TRIES):
        image = draw(dice)
        if part_of(digest(image)) == part:
            return image
    raise ValueError(f"none of {_MOST_TRIES} pictures is of the part {part}: the family has too few")


@dataclass(frozen=True, slots=True)
class Placed:
    """A question with its options in order."""

    ask: Ask
    options: tuple[str, ...]
    letter: str

    def cells(self, letters: str = "ABCD") -> dict[str, str]:
        """A column for each letter; an option that is absent is empty."""
        return dict(zip(letters, [*self.options, *[""] * len(letters)], strict=False))


class Deck:
    """Puts right options at letters that take turns, so that no letter is better to guess than another."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._left: dict[int, list[int]] = {}

    def place(self, ask: Ask) -> Placed:
        count = len(ask.others) + 1
        left = self._left.setdefault(count, [])
        if not left:
            left.extend(self._dice.sample(range(count), count))
        at, wrong = left.pop(), self._dice.sample(ask.others, count - 1)
        return Placed(ask, (*wrong[:at], ask.answer, *wrong[at:]), LETTERS[at])


def with_options(ask: Ask, options: int) -> Ask:
    """The same question with fewer options."""
    return replace(ask, others=ask.others[: options - 1])
