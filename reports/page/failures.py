"""`failures.html`: what went wrong with samples, by task, stage, kind and message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.page.pages import at_sample

LINKS = 10
"""Samples of a run that are linked in one row; a thousand alike say no more."""
TOLD = 300
"""Characters of a message that rows are told apart by."""


class Failed(NamedTuple):
    """A failed sample: what its failure says, and what its page calls it."""

    task: str
    stage: str
    kind: str
    message: str
    sample: str
    model: str
    run: str
    page: str


class Link(NamedTuple):
    name: str
    href: str


@dataclass(frozen=True)
class Where:
    """The samples of one run."""

    model: str
    run: str
    links: tuple[Link, ...]
    more: int


@dataclass(frozen=True)
class Kind:
    """Samples that failed alike."""

    task: str
    stage: str
    kind: str
    message: str
    count: int
    wheres: tuple[Where, ...]


def kinds(failed: Iterable[Failed]) -> list[Kind]:
    """The failures that are alike together, the commonest first."""
    alike: dict[tuple[str, str, str, str], list[Failed]] = {}
    for one in failed:
        alike.setdefault((one.task, one.stage, one.kind, one.message[:TOLD]), []).append(one)
    made = [Kind(*key, count=len(found), wheres=tuple(_wheres(found))) for key, found in alike.items()]
    return sorted(made, key=lambda kind: (-kind.count, kind.task, kind.stage, kind.kind, kind.message))


def _wheres(failed: Sequence[Failed]) -> Iterable[Where]:
    by_page: dict[str, list[Failed]] = {}
    for one in failed:
        by_page.setdefault(one.page, []).append(one)
    for page, found in by_page.items():
        links = tuple(Link(one.sample, at_sample(page, one.sample)) for one in found[:LINKS])
        yield Where(found[0].model, found[0].run, links, len(found) - len(links))
