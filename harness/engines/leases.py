"""Groups cut into leases: what one worker is handed, and what is handed out again when it dies with it.

Pure bookkeeping. A request is in one lease at a time; it is answered once, whoever answered it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.plan import Planned
from harness.schedule import Group

T = TypeVar("T")

EACH = 4
"""Leases of a group for each worker, where the group is large enough: the last ones then end nearly together."""
MOST = 512
"""Most requests of a lease."""
TRIES = 3
"""Workers that may die of a request that they were answering alone, before it is the request that is given up."""

FATAL = f"{TRIES} workers died, one after the other, while they answered this alone"


@dataclass(slots=True)
class Lease(Generic[T]):
    """Requests that one worker answers, `rows` side by side; `waiting` are those without an answer, by number."""

    waiting: dict[int, T]
    rows: int
    timed: bool = False
    deaths: int = 0
    """Of workers that held it when one request was left."""

    def settle(self, number: int) -> T | None:
        """The request of that number, once; None where it has its answer already."""
        return self.waiting.pop(number, None)


class Leases(Generic[T]):
    """A stream of leases, those of dead workers before the next."""

    def __init__(self, fresh: Iterable[Lease[T]]) -> None:
        self._again: deque[Lease[T]] = deque()
        self._fresh = iter(fresh)
        self._next: Lease[T] | None = None

    def peek(self) -> Lease[T] | None:
        """What `take` returns next; None where nothing is left to hand out."""
        if self._again:
            return self._again[0]
        if self._next is None:
            self._next = next(self._fresh, None)
        return self._next

    def take(self) -> Lease[T]:
        lease = self.peek()
        assert lease is not None
        if self._again:
            return self._again.popleft()
        self._next = None
        return lease

    def died(self, lease: Lease[T]) -> T | None:
        """Hand out again what a dead worker left, in halves, so that a request that kills workers comes to stand
        alone. Returns a request that did so `TRIES` times: it is not asked any more."""
        left = lease.waiting
        if not left:
            return None
        if len(left) == 1:
            lease.deaths += 1
            if lease.deaths >= TRIES:
                return left.popitem()[1]
            self._again.append(lease)
            return None
        numbers = list(left)
        middle = len(numbers) // 2
        for half in (numbers[:middle], numbers[middle:]):
            self._again.append(Lease({number: left[number] for number in half}, lease.rows, lease.timed))
        return None


def cut(group: Group, workers: int) -> Iterator[Lease[Planned]]:
    """The leases of one group, in its order. A timed group stays whole: one worker answers it, and no other works."""
    n = len(group.items)
    size = n if group.timed else lease_size(n, group.rows, workers)
    for start in range(0, n, size):
        items = group.items[start : start + size]
        yield Lease(dict(enumerate(items)), min(group.rows, len(items)), group.timed)


def lease_size(n: int, rows: int, workers: int) -> int:
    """Requests of a lease: `EACH` leases a worker, but no fewer than fill its rows while that leaves no worker idle."""
    share = -(-n // max(workers, 1))
    return max(1, min(MOST, max(-(-share // EACH), min(rows, share))))
