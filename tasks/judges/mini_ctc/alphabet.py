"""The units that the recogniser writes: blank, English letters, and Mandarin characters."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

BLANK = 0
LATIN = " '" + string.ascii_lowercase
"""Units 1 to 28: it spells what it hears and is not bound to known words."""


class Alphabet:
    """Units by number: 0 is the blank, then LATIN, then the Mandarin characters in their order."""

    def __init__(self, characters: Sequence[str]) -> None:
        if len(set(characters)) != len(characters) or any(c in LATIN or len(c) != 1 for c in characters):
            raise ValueError("the Mandarin characters of an alphabet must be single, different, and none of LATIN")
        self.characters = tuple(characters)
        self._units = ("", *LATIN, *self.characters)
        self._numbers = {unit: number for number, unit in enumerate(self._units)}

    def __len__(self) -> int:
        return len(self._units)

    def encode(self, text: str) -> list[int]:
        """Numbers of a text in lower case. Raises KeyError for what is no unit."""
        return [self._numbers[character] for character in text.lower()]

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of units, blanks left out."""
        return "".join(self._units[number] for number in numbers)

    def barred(self, language: str | None) -> list[int]:
        """The units that a transcript in `language` cannot have; None bars none."""
        match language:
            case None:
                return []
            case "en":
                return list(range(1 + len(LATIN), len(self)))
            case "zh":
                return list(range(1, 1 + len(LATIN)))
        raise ValueError(f"language {language!r} is neither 'en' nor 'zh'")
