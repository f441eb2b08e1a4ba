"""What a table of a paper is made of: columns, which of the paper's cells stand in each, and what of ours fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.types import Channel

Place = tuple[str, str, str]
"""Benchmark, split and metric of a published cell, as `published.json` writes them."""


@dataclass(frozen=True)
class Measure:
    """A task's metric under the run's headline profile, in its headline channel unless one is named.

    `note` says where ours is measured in another way than the paper's; `comparable` is false where it is another
    set or another thing, so that no difference may be taken.
    """

    task: str
    metric: str
    channel: Channel | None = None
    note: str = ""
    comparable: bool = True


@dataclass(frozen=True)
class Derived:
    """A value computed of others, only where all of them are there."""

    members: tuple[Measure, ...]
    value: Callable[[Sequence[float]], float]
    unit: str
    note: str = ""
    comparable: bool = True


@dataclass(frozen=True)
class Aligned:
    """A metric of a probe run."""

    metric: str


Fill = Measure | Derived | Aligned


@dataclass(frozen=True)
class Entry:
    """A column. The first of `fills` that a run has is shown; a paper that prints one column under two names has two
    `places`, of which a row has one."""

    heading: str
    places: tuple[Place, ...]
    over: str = ""
    unit: str = ""
    fills: tuple[Fill, ...] = ()


class Chance(NamedTuple):
    """What the paper's own rows would be without any alignment, at its n and k: by a column's heading, `exact` from a
    formula, `about` from a simulation."""

    n: int
    k: int
    exact: Mapping[str, float]
    about: Mapping[str, float]
    note: str


class Layout(NamedTuple):
    """`table` is empty where the paper has a figure and prints no values; `llm` heads the column of the language model
    or size, where there is one; `stage` is that of the probe runs that fill it, `sides` what is compared with the text
    in its rows (all, if empty), `chance` the level of the paper's rows."""

    source: str
    table: str
    title: str
    entries: tuple[Entry, ...]
    llm: str = ""
    said: tuple[str, ...] = ()
    stage: str = ""
    sides: tuple[str, ...] = ()
    chance: Chance | None = None
