"""Cells of benchmark tables as people have them: lists written as text, options in columns or lists, absent values."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Iterable, Mapping
from itertools import pairwise
from string import ascii_uppercase
from typing import Any

_LISTS = ("options", "choices", "candidates", "options_list")
_LABEL = re.compile(r"\s*\(?([A-Z])[.):]\s*(.*)", re.DOTALL)


def absent(value: object) -> bool:
    """None, NaN, and their spellings in a table: "", "nan", "NaN". "None" is a text: it may be an option."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and value.strip() in ("", "nan", "NaN")


def listed(value: object) -> list[str]:
    """A list of texts out of a list, a tuple, or a text that is a Python or JSON list; a text that is none is the only
    item, an absent value gives none.

    >>> listed("['a', 'b']"), listed('["a", null]'), listed("a, b"), listed(float("nan"))
    (['a', 'b'], ['a'], ['a, b'], [])
    """
    return [str(item) for item in _items(value) if not absent(item)]


def _items(value: object) -> list[object]:
    """The items of a list, absent ones among them: an option keeps its letter."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, str):
        written = written_list(value)
        return [value] if written is None else written
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return list(value)
    return [value]


def written_list(text: str) -> list[Any] | None:
    """The list that a text is, in JSON or as a Python literal; None where it is none."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("[]", "()"):
        return None
    for read in (json.loads, _spaced, ast.literal_eval):
        try:
            found = read(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError):
            continue
        if found is not None:
            return list(found) if isinstance(found, list | tuple) else None
    return None


def _spaced(text: str) -> list[str] | None:
    """The texts of a list as NumPy prints it, without commas; None for any other list. Python would join them."""
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.string.strip()]
    strings = [token.type == tokenize.STRING for token in tokens]
    if not any(one and other for one, other in pairwise(strings)):
        return None
    return [ast.literal_eval(token.string) for token in tokens if token.type == tokenize.STRING]


def options_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Letter -> text of a row's options, from columns A, B, ... or a list (or dictionary) of them; {} without any.

    Labels in a list ("A. left", "(A) left") are taken off where every option carries its own.
    """
    for name in _LISTS:
        value = row.get(name)
        if isinstance(value, Mapping):
            found = {str(letter): str(text) for letter, text in value.items() if not absent(text)}
        else:
            items = [item if absent(item) else str(item) for item in _items(value)]
            found = {letter: text for letter, text in zip(ascii_uppercase, unlabelled(items), strict=False) if text}
        if found:
            return found
    return {letter: str(row[letter]) for letter in ascii_uppercase if letter in row and not absent(row[letter])}


def unlabelled(items: list[Any]) -> list[str]:
    """Options without their labels, where all that are there have theirs in order; "" in the place of absent ones."""
    texts = ["" if absent(item) else str(item) for item in items]
    labels = [_LABEL.fullmatch(text) for text in texts]
    named = zip(texts, labels, ascii_uppercase, strict=False)
    if all(not text or (match and match[1] == letter) for text, match, letter in named):
        return [match[2].strip() if match else "" for match in labels]
    return texts
