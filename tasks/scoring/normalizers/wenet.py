"""Tokenisers of WeNet's `compute-wer` and `compute-cer` with `--char=1`, as the VITA-Audio evaluation runs them.

They compare raw text in upper case: nothing is normalised. A mark is passed over only where it would
begin a token, so "hello," is not "hello"; semicolons, full stops and hyphens are never removed.
Written anew from the behaviour of the scripts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PASSED_OVER = frozenset("!,?、。！，；？：「」︰『』《》")
_BLANKS = " \t\r\n"
# A token that is not one letter of a script without case: any first character, then ASCII.
_RUN = re.compile(r"[^<][^\x80-\U0010ffff \t\r\n]*|<[^\x80-\U0010ffff \t\r\n>]*>?", re.DOTALL)
_TAG = re.compile(r"<[^>]*>?")


@lru_cache(maxsize=1 << 16)
def _kind(character: str) -> str:
    """ "skip", "single" (a token of its own) or "run" (begins a run of ASCII)."""
    category = unicodedata.category(character)
    if character in _PASSED_OVER or character in _BLANKS or category in ("Zs", "Cn"):
        return "skip"
    return "single" if category == "Lo" else "run"


def _pieces(text: str) -> list[str]:
    pieces = []
    position = 0
    while position < len(text):
        character = text[position]
        kind = _kind(character)
        if kind == "run":
            run = _RUN.match(text, position)
            assert run is not None  # every character begins one of the two alternatives
            pieces.append(run[0])
            position = run.end()
            continue
        if kind == "single":
            pieces.append(character)
        position += 1
    return pieces


def word_tokens(text: str) -> list[str]:
    """Tokens of `compute-wer`: one for each letter without case (Han, kana), otherwise runs of ASCII.

    >>> word_tokens("打开 WiFi, it's<unk> on")
    ['打', '开', 'WIFI,', "IT'S", 'ON']
    """
    tokens = [_TAG.sub("", piece.upper()) if "<" in piece else piece.upper() for piece in _pieces(text)]
    return [token for token in tokens if token]


def character_tokens(text: str) -> list[str]:
    """Tokens of `compute-cer`: as `word_tokens`, with each purely alphanumeric token split into characters.

    >>> character_tokens("WiFi it's")
    ['W', 'I', 'F', 'I', "IT'S"]
    """
    tokens: list[str] = []
    for token in word_tokens(text):
        tokens.extend(token if token.isalnum() else [token])
    return tokens
