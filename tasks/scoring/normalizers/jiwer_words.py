"""The words of a sentence as jiwer's default transform cuts them (versions 2 to 4).

Written anew; equal to `jiwer.process_words` on every string (tests/tasks/scoring/normalizers).
"""

from __future__ import annotations

import re

_SEVERAL_SPACES = re.compile(r"\s\s+")


def words(text: str) -> list[str]:
    """Words between blanks; two or more of any white space are one blank, a single tab is part of a word.

    >>> words(" a  b\\tc ")
    ['a', 'b\\tc']
    """
    return [word for word in _SEVERAL_SPACES.sub(" ", text).strip().split(" ") if word]
