"""What a plot is: words, rows as they go into its CSV, and how it is drawn. Nothing here draws."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["radar", "subtasks", "errors", "waterfall", "ecdf", "retention", "blind", "probe"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 100
"""Characters of a name; each file has a suffix of four more."""


@dataclass(frozen=True)
class Words:
    """`subtitle` is what limits the numbers; `notes` stand below: what marks mean, what is missing."""

    title: str
    subtitle: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plot:
    """`name` is safe as a file name; `alt` says in one sentence what is seen, with the main numbers.

    `draw` imports matplotlib and makes a new figure each time.
    """

    kind: Kind
    name: str
    words: Words
    alt: str
    rows: tuple[Mapping[str, Any], ...]
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class LeftOut:
    """A plot that is not drawn: of what, and why."""

    kind: Kind
    of: str
    why: str


def named(*parts: str) -> str:
    """The parts as a name of a file on any system: letters, digits, `.`, `_`, `-`; what was changed has a digest.

    >>> named("subtasks", "mme", "category")
    'subtasks-mme-category'
    >>> named("errors", "a/b")
    'errors-a_b-954ace4f'
    """
    whole = "-".join(parts)
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", whole)
    if safe == whole and len(safe) <= LONGEST:
        return safe
    return f"{safe[: LONGEST - 9]}-{hashlib.sha256('/'.join(parts).encode(errors='replace')).hexdigest()[:8]}"


def distinct(plots: Iterable[Plot | LeftOut]) -> Iterator[Plot | LeftOut]:
    """The same with no name twice, also where a file system does not tell A from a: the second ends in "-2"."""
    taken = set[str]()
    for plot in plots:
        if isinstance(plot, Plot):
            name, n = plot.name, 1
            while name.casefold() in taken:
                n += 1
                name = f"{plot.name}-{n}"
            taken.add(name.casefold())
            plot = plot if name == plot.name else replace(plot, name=name)
        yield plot


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header, floats in full; an absent value is an empty cell."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()
