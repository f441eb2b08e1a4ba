"""Engines: what turns planned requests into answers. An engine owns the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from harness.contracts import Capabilities
from harness.plan import Planned
from harness.schedule import Group
from harness.types import Failure, Generation, Response


class Answer(NamedTuple):
    planned: Planned
    outcome: Response | Failure
    cached: bool = False
    """It was kept from an earlier run; the model was not asked."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model once its weights are loaded."""

    name: str
    label: str
    note: str
    prompt_styles: tuple[str, ...]
    capabilities: Capabilities
    fingerprint: Mapping[str, Any]
    threads: int | None = None
    """CPU threads of a forward pass, where it computes with torch."""


class Engine(Protocol):
    def open(self) -> ModelFacts:
        """Load the model. Raises UsageError when its weights are not there."""

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        """The decoding settings as the model uses them."""

    def status(self) -> str:
        """What stands beside the progress; empty for one model in this process."""

    def answers(self, groups: Iterable[Group]) -> Iterator[Answer]:
        """Each planned request's outcome, once, in any order, as it is known."""

    def close(self) -> None: ...
