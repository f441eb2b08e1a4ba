"""Requests -> groups that are decoded side by side: longest first, like lengths together, under a token budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from harness.plan import Planned

T = TypeVar("T")

WINDOW = 2048
"""Requests that are sorted together. Bounds memory for benchmarks of any size."""

SPREAD = 0.5
"""A row shorter than this share of the group's longest starts a new group, in which more rows fit side by side."""


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that share a batch key, of which `rows` are answered side by side; waiting ones follow as rows end.

    `timed` groups measure latency: nothing else is done while one of them is answered.
    """

    items: Sequence[Planned]
    rows: int
    timed: bool = False


def groups(planned: Iterable[Planned], batch_tokens: int, window: int = WINDOW) -> Iterator[Group]:
    """Groups whose longest row times `rows` is within `batch_tokens`; a single longer row is answered alone.

    Tasks are mixed where their settings agree. Longest first within a window, so that out-of-memory shows at once.
    """
    stream = iter(planned)
    while chunk := list(islice(stream, window)):
        alike: dict[object, list[Planned]] = {}
        for item in chunk:
            alike.setdefault((item.request.batch_key, item.plan.task.max_batch), []).append(item)
        for items in alike.values():
            yield from _by_length(items, batch_tokens)


def _by_length(items: list[Planned], batch_tokens: int) -> Iterator[Group]:
    items.sort(key=lambda item: item.tokens, reverse=True)
    most = items[0].plan.task.max_batch
    start = 0
    for end in range(1, len(items) + 1):
        longest = items[start].tokens
        if end == len(items) or items[end].tokens < SPREAD * longest:
            rows = max(1, min(batch_tokens // max(longest, 1), most or end - start))
            yield Group(items[start:end], rows, timed=items[0].plan.task.timed)
            start = end


def halves(batch: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """The two halves of a batch that did not fit into memory."""
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]
