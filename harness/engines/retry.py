"""Asking a model for several things at once, so that one that cannot be had does not cost the others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from harness.failures import RunStopped, failure_from, is_out_of_memory
from harness.schedule import halves
from harness.types import Failure

T = TypeVar("T")
R = TypeVar("R")

UNANSWERED = Failure("generate", "permanent", "the model ended the batch without an answer to this request")


def settle(
    items: Sequence[T], ask: Callable[[Sequence[T]], Iterator[tuple[int, R]]]
) -> Iterator[tuple[T, R | Failure]]:
    """Each item with what `ask` yields for it (by its index), or with a failure.

    Out of memory halves what is left; any other exception leaves the items to be asked one by one. The exception is
    turned into a failure at once: its traceback would keep the batch that did not fit alive.
    """
    if not items:
        return
    waiting = dict(enumerate(items))
    failure, out_of_memory = UNANSWERED, False
    try:
        for index, answer in ask(items):
            yield waiting.pop(index), answer
    except RunStopped:
        raise
    except Exception as error:
        failure, out_of_memory = failure_from(error, "generate"), is_out_of_memory(error)
    rest = list(waiting.values())
    if not rest:
        return
    if len(items) == 1:
        yield rest[0], failure
        return
    if out_of_memory:
        free_device_memory()
    for part in halves(rest) if out_of_memory and len(rest) > 1 else [[item] for item in rest]:
        yield from settle(part, ask)


def free_device_memory() -> None:
    if (torch := sys.modules.get("torch")) and torch.cuda.is_available():
        torch.cuda.empty_cache()
