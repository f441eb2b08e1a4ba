"""Speakers: espeak-ng voices with a variant, a pitch and a speed. A test speaker is never heard in training.

Variants are named by file, as espeak-ng speaks an unknown one in its plain voice without a word.
The variant makes the voice (formants and timbre), so no variant serves two parts of the world.
Of near copies (steph, steph2, steph3; Denis, Mario, victor; adam, caleb, klatt) one is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
Group = Literal["train", "dev-clean", "dev-other", "test-clean", "test-other"]

MANDARIN = "cmn-latn-pinyin"
"""The only espeak-ng voice that speaks Mandarin: `cmn` reads pinyin with English letter rules."""


@dataclass(frozen=True, slots=True)
class Speaker:
    language: Language
    base: str
    """espeak-ng voice: the accent."""
    variant: str
    pitch: int
    """0 to 99; 50 is the variant's own."""
    speed: int
    """Words a minute."""

    @property
    def voice(self) -> str:
        return f"{self.base}+{self.variant}"


class UnknownGroupError(ValueError):
    """There is no such group of speakers."""


_VARIANTS: dict[Group, tuple[tuple[str, int], ...]] = {
    "train": (
        ("m1", 50), ("m2", 45), ("m3", 50), ("m4", 55), ("m6", 50), ("m8", 50), ("f1", 50), ("f2", 50), ("f4", 45),
        ("Andy", 50), ("Annie", 50), ("Denis", 50), ("linda", 50), ("Gene", 50), ("Michael", 55), ("Alicia", 50),
        ("Lee", 50), ("Jacky", 50), ("david", 45), ("steph", 50), ("Hugo", 50), ("caleb", 50), ("quincy", 50),
        ("aunty", 50),
    ),
    "dev-clean": (("paul", 50), ("rob", 50)),
    "dev-other": (("Mike", 50), ("Andrea", 50)),
    "test-clean": (("m7", 50), ("f3", 50), ("Alex", 50), ("belinda", 50)),
    "test-other": (("m5", 50), ("max", 50), ("f5", 50), ("ed", 50)),
}  # fmt: skip
_ACCENTS = {"train": ("en-us", "en-gb"), "other": ("en-us", "en-gb-x-rp"), "clean": ("en-us", "en-gb")}
_SPEED = {"en": 185, "zh": 205}
_FASTER = 1.25


def speakers(group: Group, language: Language) -> tuple[Speaker, ...]:
    """The speakers of a group; those of the `other` groups speak a quarter faster. Raises UnknownGroupError."""
    if group not in _VARIANTS:
        raise UnknownGroupError(f"group of speakers {group!r} is not one of {', '.join(_VARIANTS)}")
    accents = _ACCENTS[group.split("-")[-1]]
    speed = round(_SPEED[language] * (_FASTER if group.endswith("other") else 1.0))
    return tuple(
        Speaker(language, accents[i % 2] if language == "en" else MANDARIN, variant, pitch, speed)
        for i, (variant, pitch) in enumerate(_VARIANTS[group])
    )
