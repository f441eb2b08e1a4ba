"""Engines: what turns batches of planned requests into answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from harness.plan import Planned
from harness.types import Failure, Response


class Answer(NamedTuple):
    planned: Planned
    outcome: Response | Failure


class Engine(Protocol):
    def answers(self, batches: Iterable[list[Planned]]) -> Iterator[Answer]:
        """Each planned request's outcome, once, in any order, as it is known."""
