"""Video-MME as VITA-1.5's own script reads an answer."""

from __future__ import annotations

_PREFIXES = ("Answer:", "The correct answer is", "The answer is")


def parsed(answer: str) -> str | None:
    """The first capital A to D anywhere once three beginnings are cut; no capital is a wrong answer.

    >>> parsed("The answer is B."), parsed("ANSWER=B")
    ('B', 'A')
    """
    text = answer
    for prefix in _PREFIXES:
        text = text.replace(prefix, "")
    return next((character for character in text if character in "ABCD"), None)
