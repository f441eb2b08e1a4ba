"""Asking a language model as a judge, and reading what it replies.

A prompt may be asked several times, each time hotter. Equal asks are one ask, whoever asks: a judge is asked once, and
the profiles that share a prompt share its replies.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from harness.failures import JudgeError
from harness.types import Ask, Failure, Verdict

TEMPERATURES = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Of the first asking and of those after it; endpoints take nothing hotter."""
QUOTED = 60
"""Most characters of a reply that an error quotes."""

T = TypeVar("T")


def ask(prompt: str, number: int = 0) -> Ask:
    """A prompt's asking number `number`, counted from 0: half a degree hotter each time, as the public scorers ask."""
    return _ask(prompt, number, min(0.5 * number, TEMPERATURES[-1]))


def asked(
    prompt: str, parse: Callable[[str], T | None], temperatures: Sequence[float] = TEMPERATURES[:3]
) -> Generator[Ask, Verdict, T]:
    """Ask once at each temperature until `parse` can use a reply; returns what it made of it.

    Raises `JudgeError` where no reply can be used, and where the judge fails.
    """
    in_vain: list[str] = []
    for number, temperature in enumerate(temperatures):
        try:
            reply = (yield _ask(prompt, number, temperature)).text
        except JudgeError as error:
            if not error.unusable:
                raise
            in_vain.append(error.failure.message)
            continue
        if (found := parse(reply)) is not None:
            return found
        in_vain.append(repr(reply if len(reply) <= QUOTED else reply[:QUOTED] + "…"))
    told = ", ".join(in_vain)
    raise JudgeError(Failure("judge", "permanent", f"the judge gave no reply that can be used: {told}"), unusable=True)


def score_of(reply: str) -> float | None:
    """A reply that is one number in 0..1 and nothing else; None for any other ("7", "NaN", "0.8 because", "")."""
    try:
        value = float(reply)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= 1 else None


def letter_of(reply: str, letters: str) -> str | None:
    """A reply that is one of `letters` and nothing else but brackets and a full stop around it; None for any other."""
    letter = reply.strip().strip("().")
    return letter if len(letter) == 1 and letter in letters else None


def correctness_of(reply: str) -> bool | None:
    """Whether a reply says Correct; None where it says neither Correct nor Incorrect, or both."""
    said = set(re.findall(r"\b(?:Correct|Incorrect)\b", reply))
    return said == {"Correct"} if len(said) == 1 else None


def _ask(prompt: str, number: int, temperature: float) -> Ask:
    settings = (("temperature", f"{temperature:g}"),)
    return Ask("llm", prompt, (*settings, ("try", str(number))) if number else settings)
