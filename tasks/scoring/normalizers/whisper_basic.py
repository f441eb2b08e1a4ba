"""Whisper's language-independent text normalisation.

Equal to `BasicTextNormalizer` of openai-whisper 20250625 (MIT licence) for every string; written anew.
The character classes below also serve the English normaliser.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import regex

# Whatever stands in angle or square brackets, and non-empty text in parentheses, is not speech. The
# kinds of bracket may be mixed, as in "<laughs]".
_BRACKETED = re.compile(r"[<\[][^>\]]*[>\]]")
_PARENTHESISED = re.compile(r"\([^)]+\)")
_SPACES = re.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")


class CharacterMap(dict[int, str | int]):
    """A table for `str.translate` whose entries are computed at first use."""

    def __init__(self, replacement: Callable[[str], str]) -> None:
        super().__init__()
        self._replacement = replacement

    def __missing__(self, code: int) -> str | int:
        entry = self[code] = self._replacement(chr(code))
        return entry


def is_mark_symbol_or_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "MSP"


_SYMBOLS = CharacterMap(lambda c: " " if is_mark_symbol_or_punctuation(c) else c)


def drop_bracketed(text: str) -> str:
    """Delete `<...>`, `[...]` and then `(...)`."""
    if "<" in text or "[" in text:
        text = _BRACKETED.sub("", text)
    if "(" in text:
        text = _PARENTHESISED.sub("", text)
    return text


def collapse_spaces(text: str) -> str:
    """Make one blank of each run of white space; blanks at the ends stay."""
    return _SPACES.sub(" ", text)


def normalize(text: str) -> str:
    """Lower case, brackets dropped, marks, symbols and punctuation blanked.

    >>> normalize("Hello, [noise] World!")
    'hello world '
    """
    text = unicodedata.normalize("NFKC", drop_bracketed(text.lower()))
    return collapse_spaces(text.translate(_SYMBOLS).lower())


def normalize_split_letters(text: str) -> str:
    """As `normalize`, with a blank between the grapheme clusters, for languages written without spaces.

    >>> normalize_split_letters("你好。")
    '你 好 '
    """
    text = unicodedata.normalize("NFKC", drop_bracketed(text.lower()))
    graphemes = _GRAPHEME.findall(text.translate(_SYMBOLS).lower())
    return collapse_spaces(" ".join(graphemes))
