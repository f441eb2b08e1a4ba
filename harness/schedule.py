"""Requests -> batches: longest first, like lengths together, under a token budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from harness.plan import Planned

T = TypeVar("T")

WINDOW = 2048
"""Requests that are sorted together. Bounds memory for benchmarks of any size."""

SPREAD = 0.5
"""A row shorter than this share of the batch's longest would be mostly padding: it starts a new batch."""


def batches(
    planned: Iterable[Planned], batch_tokens: int, window: int = WINDOW, max_rows: int | None = None
) -> Iterator[list[Planned]]:
    """Batches whose longest row times the number of rows is within `batch_tokens`; a single longer row is a
    batch of its own. Longest first within a window, so that out-of-memory shows at once."""
    stream = iter(planned)
    while chunk := list(islice(stream, window)):
        chunk.sort(key=lambda item: item.tokens, reverse=True)
        yield from _pack(chunk, batch_tokens, max_rows or window)


def _pack(longest_first: list[Planned], batch_tokens: int, max_rows: int) -> Iterator[list[Planned]]:
    batch: list[Planned] = []
    for item in longest_first:
        if batch:
            longest = batch[0].tokens
            full = longest * (len(batch) + 1) > batch_tokens or len(batch) == max_rows
            if full or item.tokens < SPREAD * longest:
                yield batch
                batch = []
        batch.append(item)
    if batch:
        yield batch


def halves(batch: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """The two halves of a batch that did not fit into memory."""
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]
