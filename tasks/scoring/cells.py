"""Cells of benchmark tables as people have them: lists written as text, options in columns or lists, absent values."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterable, Mapping
from string import ascii_uppercase
from typing import Any

_LISTS = ("options", "choices", "candidates", "options_list")
_LABEL = re.compile(r"\s*\(?([A-Z])[.):]\s*(.*)", re.DOTALL)


def absent(value: object) -> bool:
    """None, NaN, and their spellings in a table: "", "nan", "NaN", "None"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and value.strip() in ("", "nan", "NaN", "None")


def listed(value: object) -> list[str]:
    """A list of texts out of a list, a tuple, or a text that is a Python or JSON list; a text that is none is the only
    item, an absent value gives none.

    >>> listed("['a', 'b']"), listed('["a", null]'), listed("a, b"), listed(float("nan"))
    (['a', 'b'], ['a'], ['a, b'], [])
    """
    if isinstance(value, Mapping):
        return [str(item) for item in value.values() if not absent(item)]
    if isinstance(value, str):
        read = written_list(value)
        return listed(read) if read is not None else [] if absent(value) else [value]
    if absent(value):
        return []
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [str(item) for item in value if not absent(item)]
    return [str(value)]


def written_list(text: str) -> list[Any] | None:
    """The list that a text is, in JSON or as a Python literal; None where it is none."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("[]", "()"):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return list(found) if isinstance(found, list | tuple) else None
    return None


def options_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Letter -> text of a row's options, from columns A, B, ... or a list (or dictionary) of them; {} without any.

    Labels in a list ("A. left", "(A) left") are taken off where every option carries its own.
    """
    for name in _LISTS:
        value = row.get(name)
        if isinstance(value, Mapping):
            found = {str(letter): str(text) for letter, text in value.items() if not absent(text)}
        else:
            found = dict(zip(ascii_uppercase, unlabelled(listed(value)), strict=False))
        if found:
            return found
    return {letter: str(row[letter]) for letter in ascii_uppercase if letter in row and not absent(row[letter])}


def unlabelled(texts: list[str]) -> list[str]:
    """Options without their labels, where all have theirs in order."""
    labels = [_LABEL.fullmatch(text) for text in texts]
    if all(match and match[1] == letter for match, letter in zip(labels, ascii_uppercase, strict=False)):
        return [match[2].strip() for match in labels if match]
    return texts
