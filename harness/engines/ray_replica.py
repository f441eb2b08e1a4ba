"""What runs in another process of a Ray cluster: a model that answers the leases it is handed, by the local engine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar, cast

from harness import registry
from harness.contracts import ModelOptions
from harness.engines import ModelFacts
from harness.engines.local import LocalEngine
from harness.failures import UsageError
from harness.files import plain
from harness.manifest import versions
from harness.plan import Planned
from harness.schedule import Group
from harness.types import Failure, Generation, MediaKind, Request, Response

TOGETHER_S = 0.05
"""Answers that come faster than this go to the driver in one piece; a slower one goes at once."""

T = TypeVar("T")
Piece = list[tuple[int, T]]
"""Numbers of a lease's items and what became of them."""


@dataclass(frozen=True, slots=True)
class Leased:
    """What the local engine reads of a `Planned`; the task with its functions stays with the driver."""

    number: int
    request: Request
    failure: Failure | None


class Opened(NamedTuple):
    """A replica whose weights are loaded, and where it is."""

    facts: ModelFacts
    versions: Mapping[str, str | None]
    place: str


class Replica:
    """One model in a process of its own. Ray makes it an actor; it knows nothing of Ray."""

    def __init__(self, name: str, options: ModelOptions, ablate: MediaKind | None) -> None:
        self._name, self._options, self._ablate = name, options, ablate
        self._engine: LocalEngine | None = None

    def open(self) -> Opened | str:
        """Load the weights; a text says what the caller can mend."""
        try:
            self._engine = LocalEngine(registry.get_model(self._name)(self._options), self._ablate)
            facts = self._engine.open()
        except UsageError as error:
            return str(error)
        facts = replace(facts, fingerprint=plain(facts.fingerprint))
        return Opened(facts, versions(), f"{platform.node()}, process {os.getpid()}")

    def effective(self, generation: Generation) -> dict[str, Any]:
        return dict(self._opened().effective(generation))

    def answers(self, items: Sequence[Leased], rows: int, timed: bool) -> Iterator[Piece[Response | Failure]]:
        """The outcomes of one lease, each number once, in pieces as they are known."""
        group = Group(cast("Sequence[Planned]", items), rows, timed)
        found = self._opened().answers([group])
        yield from pieces((cast(Leased, answer.planned).number, answer.outcome) for answer in found)

    def _opened(self) -> LocalEngine:
        assert self._engine is not None, "a replica is opened before it is asked"
        return self._engine


def pieces(outcomes: Iterable[tuple[int, T]], clock: Callable[[], float] = time.monotonic) -> Iterator[Piece[T]]:
    """Outcomes in the pieces in which they travel."""
    piece: Piece[T] = []
    sent = clock()
    for outcome in outcomes:
        piece.append(outcome)
        if clock() - sent >= TOGETHER_S:
            yield piece
            piece, sent = [], clock()
    if piece:
        yield piece
