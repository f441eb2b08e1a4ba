"""Reading settings that come from a file: each reader takes a section and a name, and ValueError names the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def section(data: Any, name: str) -> Mapping[str, Any]:
    value = data.get(name) if isinstance(data, Mapping) else None
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is missing or no section: expected a mapping of settings")
    return value


def whole(section: Mapping[str, Any], name: str) -> int:
    """A positive whole number."""
    return _is_whole(section.get(name), name)


def number(section: Mapping[str, Any], name: str) -> float:
    """A number of at least 0."""
    value = section.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}: expected a number of at least 0")
    return float(value)


def wholes(section: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """A list of positive whole numbers, not empty."""
    return _are_whole(section.get(name), name)


def lists(section: Mapping[str, Any], name: str) -> tuple[tuple[int, ...], ...]:
    """A list of lists of positive whole numbers, none empty."""
    value = section.get(name)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{name} is {value!r}: expected a list of lists")
    return tuple(_are_whole(item, name) for item in value)


def _are_whole(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{name} is {value!r}: expected a list of positive whole numbers")
    return tuple(_is_whole(item, name) for item in value)


def _is_whole(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} is {value!r}: expected a positive whole number")
    return value
