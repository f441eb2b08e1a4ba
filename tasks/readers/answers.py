"""The right answers to a question out of the many forms in which data sets keep them."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.scoring.cells import written_list

_DEEPEST = 8
_OWN, _NORMALIZED = ("value", "aliases"), ("normalized_value", "normalized_aliases")


def answers_of(value: object) -> list[str]:
    """A flat list of the answers, each once, without blanks at the ends and without empty ones.

    Read are a text, a number, a list (also nested), a list or a dictionary that is written as text (JSON or Python),
    and TriviaQA's dictionary: `value` and `aliases`; its normalised forms count only where it has no other.

    >>> answers_of("['Paris', 'paree']"), answers_of({"value": "Paris", "aliases": ["Paris", "Paree"]}), answers_of(7)
    (['Paris', 'paree'], ['Paris', 'Paree'], ['7'])
    """
    return list(dict.fromkeys(_flat(value)))


def _flat(value: object, depth: int = 0) -> Iterator[str]:
    match value:
        case None:
            return
        case float() if math.isnan(value):
            return
        case str():
            yield from _of_text(value, depth)
        case Mapping():
            own = [item for name in _OWN for item in _flat(value.get(name), depth + 1)]
            yield from own or (item for name in _NORMALIZED for item in _flat(value.get(name), depth + 1))
        case list() | tuple():
            if depth < _DEEPEST:
                for item in value:
                    yield from _flat(item, depth + 1)
        case _:
            yield str(value)


def _of_text(text: str, depth: int) -> Iterator[str]:
    stripped = text.strip()
    if stripped[:1] == "[" and (items := written_list(stripped)) is not None and depth < _DEEPEST:
        yield from _flat(items, depth + 1)
    elif stripped[:1] == "{" and (found := _written_dict(stripped)) is not None and depth < _DEEPEST:
        yield from _flat(found, depth + 1)
    elif stripped:
        yield stripped


def _written_dict(text: str) -> dict[Any, Any] | None:
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None
