"""The units that are heard: 26 letters, the apostrophe and the blank between words; and Mandarin characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase

ENGLISH = f" '{ascii_lowercase}"
CTC_BLANK = 0
"""Index of the unit that stands for "nothing new"; the units follow it."""


class Alphabet:
    """Units by number, from 1 on."""

    def __init__(self, units: Sequence[str]) -> None:
        self.units = tuple(units)
        self._number = {unit: number for number, unit in enumerate(self.units, start=1)}

    def __len__(self) -> int:
        """How many classes there are, the CTC blank among them."""
        return len(self.units) + 1

    def encoded(self, text: str) -> list[int]:
        """The numbers of a text's units. Raises ValueError for a character that is none."""
        try:
            return [self._number[character] for character in text]
        except KeyError as error:
            raise ValueError(f"{error.args[0]!r} in {text!r} is no unit of the recogniser") from None

    def of(self, language: str | None) -> list[int]:
        """The classes that can be heard in a language: "en", "zh", or both where there is none."""
        kept = [
            n
            for n, unit in enumerate(self.units, start=1)
            if language is None or (unit in ENGLISH) == (language == "en")
        ]
        return [CTC_BLANK, *kept]

    def text(self, path: Iterable[int]) -> str:
        """The text of a path, one class a frame: repeats are one unit, blanks of CTC none.

        >>> Alphabet("ab ").text([1, 1, 0, 1, 2, 2, 0, 3, 1])
        'aab a'
        """
        heard, before = [], CTC_BLANK
        for number in path:
            if number not in (before, CTC_BLANK):
                heard.append(self.units[number - 1])
            before = number
        return " ".join("".join(heard).split())
