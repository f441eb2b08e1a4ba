"""What differs between two values as they are stored and as they are made again, field by field."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from harness.files import plain

RELATIVE = 1e-9
"""How far numbers may lie apart that other code or other packages made."""
ABSOLUTE = 1e-12
SHOWN = 5
"""Differences of one kind that are listed; the rest are counted."""
LONGEST = 200
"""Characters of a value that is shown."""
NOTHING = "(nothing)"


class Field(NamedTuple):
    """A field by its path, and its two values."""

    path: str
    stored: Any
    made: Any


def fields(stored: Any, made: Any, exact: bool, path: str = "") -> Iterator[Field]:
    """The fields that differ, the outermost where one side has none. Not exactly: within `RELATIVE`."""
    if isinstance(stored, Mapping) and isinstance(made, Mapping):
        for name in dict.fromkeys((*stored, *made)):
            yield from fields(
                stored.get(name, NOTHING), made.get(name, NOTHING), exact, f"{path}.{name}" if path else str(name)
            )
    elif isinstance(stored, list | tuple) and isinstance(made, list | tuple):
        for place in range(max(len(stored), len(made))):
            one = stored[place] if place < len(stored) else NOTHING
            yield from fields(one, made[place] if place < len(made) else NOTHING, exact, f"{path}[{place}]")
    elif not _equal(stored, made, exact):
        yield Field(path, stored, made)


def changes(one: Any, other: Any, path: str = "") -> list[str]:
    """Lines "path: one -> other" for the fields in which two values differ as JSON; one that is not there is None.

    >>> changes({"profile": "qwen2", "seed": 0}, {"profile": "vita", "seed": 0, "limit": None})
    ["profile: 'qwen2' -> 'vita'"]
    """
    found = []
    for name, *values in fields(plain(one), plain(other), exact=True, path=path):
        here, there = (None if value == NOTHING else value for value in values)
        if here != there:
            found.append(f"{name}: {here!r:.{LONGEST}} -> {there!r:.{LONGEST}}")
    return found


def _equal(stored: Any, made: Any, exact: bool) -> bool:
    if isinstance(stored, float) and isinstance(made, float):
        if math.isnan(stored) or math.isnan(made):
            return math.isnan(stored) and math.isnan(made)
        return stored == made or (not exact and math.isclose(stored, made, rel_tol=RELATIVE, abs_tol=ABSOLUTE))
    return type(stored) is type(made) and bool(stored == made)


class Difference(msgspec.Struct, frozen=True):
    """Something that is not as it is made again, or as it has to be."""

    file: str
    """Below the run."""
    kind: str
    """What is wrong, without the names that are in the other fields."""
    task: str = ""
    sample: str = ""
    field: str = ""
    stored: str = ""
    made: str = ""

    @property
    def text(self) -> str:
        where = ", ".join(filter(None, (self.task, self.sample and f"sample {self.sample}", self.field)))
        values = f": {self.stored} is stored, {self.made} is made again" if self.stored or self.made else ""
        return f"{self.file}: {self.kind}" + (f" ({where})" if where else "") + values


class Differences:
    """Differences as they are found: the first `SHOWN` of each kind in a file, and how many there are."""

    def __init__(self) -> None:
        self.first: list[Difference] = []
        self.counts: dict[str, int] = {}

    def add(self, found: Difference) -> None:
        name = f"{found.file}: {found.kind}"
        self.counts[name] = self.counts.get(name, 0) + 1
        if self.counts[name] <= SHOWN:
            self.first.append(found)

    def value(self, file: str, one: Field, task: str = "", sample: str = "") -> None:
        """A field that has another value."""
        self.add(Difference(file, "another value", task, sample, one.path, shown(one.stored), shown(one.made)))


def shown(value: Any) -> str:
    """A value as a message quotes it, on one line."""
    text = value if value == NOTHING else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters)"
