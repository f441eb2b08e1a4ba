"""A part of a run: which rows of each task it asks, so that several machines share one benchmark.

The rows that a whole run would ask (the first `--limit` of each task) are dealt out in the benchmark's order, one to
each part, round after round. Rows that are scored together (both questions on a picture) are dealt as one, where the
first of them stands. `2/4` is the second of four parts, `1,2,4/4` three of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from harness.failures import UsageError

PATTERN = r"^[1-9][0-9]*(,[1-9][0-9]*)*/[1-9][0-9]*$"


@dataclass(frozen=True, slots=True)
class Part:
    """Some of `of` parts, each known by its number from 1."""

    numbers: frozenset[int]
    of: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Raises UsageError for a part that is not there. `text` has the form `PATTERN`."""
        numbers, _, of = text.partition("/")
        part = cls(frozenset(map(int, numbers.split(","))), int(of))
        if stray := sorted(number for number in part.numbers if number > part.of):
            raise UsageError(f"part {text}: there are parts 1 to {part.of}, none is {stray[0]}")
        return part

    def __str__(self) -> str:
        return f"{','.join(map(str, sorted(self.numbers)))}/{self.of}"

    @property
    def told(self) -> str:
        """ "part 2 of 4", "parts 1,2,4 of 4"."""
        named = ",".join(map(str, sorted(self.numbers)))
        return f"part{'s' if len(self.numbers) > 1 else ''} {named} of {self.of}"

    @property
    def missing(self) -> list[int]:
        return [number for number in range(1, self.of + 1) if number not in self.numbers]


class Dealer:
    """Deals rows to parts as they come."""

    def __init__(self, part: Part) -> None:
        self._part, self._dealt = part, 0
        self._given: dict[str, int] = {}

    def takes(self, together: str | None) -> bool:
        """Whether the next row is in the part. `together` names the rows that are scored together with it, if any."""
        number = None if together is None else self._given.get(together)
        if number is None:
            number = self._dealt % self._part.of + 1
            self._dealt += 1
            if together is not None:
                self._given[together] = number
        return number in self._part.numbers


def joined(parts: Iterable[Part]) -> Part:
    """All of the parts as one. Raises UsageError where they are parts of different wholes, or one is there twice."""
    numbers: set[int] = set()
    found = list(parts)
    for part in found:
        if part.of != found[0].of:
            raise UsageError(f"{found[0]} and {part} are parts of different wholes")
        _check_apart(numbers, part)
        numbers |= part.numbers
    return Part(frozenset(numbers), found[0].of)


def _check_apart(numbers: Collection[int], part: Part) -> None:
    if twice := sorted(part.numbers & set(numbers)):
        raise UsageError(f"part {twice[0]} of {part.of} is there twice; name each once")
