"""VLMEvalKit's option matcher with exact matching, and its first-capital rule of Video-MME (protocols/vision.md).

`current` is the present version; without it the copy that VITA-1.5 was evaluated with. They differ in where a letter
may stand and how long an answer may be that names an option by its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasks.scoring.choice import API_FAILED, NO_OPTION, Options, Rule

_REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)
_BLANKED = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))
_LAST_WORDS = 4
"""In the current version a letter counts only among so many words at the end."""
_DECLARED = re.compile(r"(?:correct )?answer is \*\*([A-D])\*\*", re.IGNORECASE)
_PREFIXES = (
    "The best answer is",
    "The correct answer is",
    "The answer is",
    "The answer",
    "The best option isThe correct option is",  # the reference lacks two commas, so that these two
    "Best answer:Best option:",  # never occur
    "Answer:",
    "Option:",
)


def matched(answer: str, options: Options, *, current: bool) -> str | None:
    """The letter that stands alone as a word, else the only option whose text the answer contains.

    >>> matched("The answer is B.", {"A": "cat", "B": "dog"}, current=True)
    'B'
    >>> matched("A dog, I think", {"A": "cat", "B": "dog"}, current=False)
    'A'
    """
    return _letter(answer, options, current) or _text(answer, options, current)


def _letter(answer: str, options: Options, current: bool) -> str | None:
    if API_FAILED in answer:
        return None
    if any(refusal in answer for refusal in _REFUSALS):
        return NO_OPTION
    words = answer.translate(_BLANKED).split()
    named = [letter for letter in options if letter in words]
    if len(named) == 1 and (not current or words.index(named[0]) >= len(words) - _LAST_WORDS):
        return named[0]
    if not named and NO_OPTION in words:
        return NO_OPTION
    declared = _DECLARED.search(answer) if current else None
    return declared[1].upper() if declared else None


def _text(answer: str, options: Options, current: bool) -> str | None:
    if current and len(answer) > 2 * sum(len(text) for text in options.values()):
        return None
    lowered = answer.lower()
    named = [letter for letter, text in options.items() if text.lower() in lowered]
    return named[0] if len(named) == 1 else None


def first_capital(answer: str) -> str | None:
    """Video-MME: the first capital A to D anywhere, after a few beginnings are cut.

    >>> first_capital("Answer: C"), first_capital("Definitely not")
    ('C', 'D')
    """
    text = answer.strip()
    for prefix in _PREFIXES:
        text = text.replace(prefix, "")
    return next((character for character in text if character in "ABCD"), None)


def first_word_fits(answer: str, letter: str) -> bool:
    """MVBench: the first word, in lower case, is part of `(x)` or contains it. An empty answer fits everything.

    >>> first_word_fits("b. cat", "B"), first_word_fits("", "B"), first_word_fits("The answer is B", "B")
    (True, True, False)
    """
    word, gold = answer.lower().split(" ")[0], f"({letter.lower()})"
    return word.replace(".", "") in gold or gold in word


def _rule(current: bool) -> Rule:
    def rule(answer: str, options: Options) -> str | None:
        return matched(answer, options, current=current)

    return rule


RULES: Mapping[str, Rule] = {"vlmevalkit_vita": _rule(False), "vlmevalkit": _rule(True)}
