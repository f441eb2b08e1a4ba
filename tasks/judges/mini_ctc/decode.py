"""From the network's scores to a text.

Mandarin, whose units are characters, is read off by the best path of CTC (Graves et al. 2006, section 3.2). English is
spelt, so that one misheard letter would make a word wrong: the best spelling is searched for (prefix beam search,
Hannun et al., arXiv:1408.2873), where a word that the mini world does not have costs `UNKNOWN`. Such a word is written
all the same if it is heard clearly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.judges.mini_ctc.alphabet import BLANK

UNKNOWN = 7.0
"""Cost of a word that is in no list, in nepers. Chosen on clips held out from training."""
BEAM = 16
"""Spellings that are followed side by side."""
LEAST = math.log(1e-3)
"""Units that are less likely than this at a moment, beside the likeliest, are not tried there."""
NEVER = -math.inf


def best_path(scores: NDArray[np.float32]) -> list[int]:
    """[frames, units] -> the best unit of each frame, runs taken as one, blanks left out.

    >>> best_path(np.eye(3, dtype=np.float32)[[1, 1, 0, 1, 2]])
    [1, 1, 2]
    """
    return collapse(scores.argmax(axis=-1))


def collapse(path: NDArray[np.int64]) -> list[int]:
    """A unit for each frame -> the units that are said: runs taken as one, then blanks left out."""
    first = np.ones(len(path), bool)
    first[1:] = path[1:] != path[:-1]
    kept: list[int] = path[first & (path != BLANK)].tolist()
    return kept


class Words:
    """Known words, and what a spelling costs by them."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = frozenset(words)

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(word[:n] for word in self.words for n in range(len(word) + 1))

    def unknown(self, spelling: str, whole: bool) -> int:
        """How many words of a spelling are none, the last one also while it is not `whole`: then it must begin one.

        >>> Words(["cat"]).unknown("cat dg ca", whole=True), Words(["cat"]).unknown("cat dg ca", whole=False)
        (2, 1)
        """
        *done, last = spelling.split(" ")
        known = self.words | {""} if whole else self._beginnings
        return sum(word not in self.words and word != "" for word in done) + (last not in known)


def best_spelling(scores: NDArray[np.float32], units: str, words: Words) -> str:
    """Log probabilities [frames, 1 + letters] of the blank and of `units`, the letters -> the best text."""
    beam = {"": (0.0, NEVER)}  # text -> log probability of it with a blank at its end, and with its last letter
    costs = {"": 0.0}
    for frame in scores:
        likely = [(int(n), float(frame[n])) for n in np.flatnonzero(frame >= frame.max() + LEAST)]
        grown: dict[str, tuple[float, float]] = {}
        for text, (blank, letter) in beam.items():
            for grown_text, at_blank, at_letter in _steps(text, blank, letter, likely, units):
                one, other = grown.get(grown_text, (NEVER, NEVER))
                grown[grown_text] = _sum(one, at_blank), _sum(other, at_letter)
        for text in grown:
            if text not in costs:
                costs[text] = UNKNOWN * words.unknown(text, whole=False)
        kept = sorted(grown, key=lambda text: costs[text] - _sum(*grown[text]))[:BEAM]
        beam = {text: grown[text] for text in kept}
    return min(beam, key=lambda text: UNKNOWN * words.unknown(text, whole=True) - _sum(*beam[text]))


def _steps(
    text: str, blank: float, letter: float, likely: list[tuple[int, float]], units: str
) -> Iterator[tuple[str, float, float]]:
    """What a text becomes in one frame, with the log probabilities that it ends in a blank and in its last letter."""
    last = text[-1:]
    for number, probability in likely:
        if number == BLANK:
            yield text, _sum(blank, letter) + probability, NEVER
            continue
        unit = units[number - 1]
        if unit == last:  # the same letter goes on, or is said again after a blank
            yield text, NEVER, letter + probability
            yield text + unit, NEVER, blank + probability
        elif unit != " " or last not in ("", " "):
            yield text + unit, NEVER, _sum(blank, letter) + probability
        else:  # blanks at the beginning are none
            yield text, NEVER, _sum(blank, letter) + probability


def _sum(one: float, other: float) -> float:
    """The logarithm of the sum of two probabilities."""
    if one < other:
        one, other = other, one
    return one if other == NEVER else one + math.log1p(math.exp(other - one))
