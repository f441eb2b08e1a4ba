"""Workers of a Ray cluster that answer leases: handed out, heard, and replaced when they die, by the driver alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from harness.engines import ray_cluster
from harness.engines.leases import Lease, Leases
from harness.failures import RunStopped

T = TypeVar("T")

STILLBORN = 5
"""Deaths of each worker in a row before it is open, with no answer from any, that stop the run."""
PATIENCE_S = 1800.0
"""How long is waited for a worker where none is left."""


class Answered(NamedTuple, Generic[T]):
    """What a worker made of an item; `outcome` is None where workers died of it until it was given up."""

    item: T
    outcome: Any


class Pool(Generic[T]):
    """`count` actors that `spawn` makes, with two methods: `open()`, whose result `admit` takes in or refuses by an
    exception, and `answers(items, rows, timed)`, which yields lists of (number, outcome). `pack` makes of a number and
    an item what is sent."""

    def __init__(
        self, spawn: Callable[[], Any], count: int, admit: Callable[[Any], None], pack: Callable[[int, T], Any]
    ) -> None:
        self._spawn, self._count, self._admit, self._pack = spawn, count, admit, pack
        self._stillborn = self._ready = 0
        self.replaced = 0
        """Workers that died at work and were replaced."""
        self._workers: list[_Worker[T]] = []

    def open(self) -> None:
        """Start the workers, all side by side, and wait until each is open."""
        self._workers = [self._started() for _ in range(self._count)]
        while opening := [worker for worker in self._workers if not worker.ready]:
            for worker in self._first(opening):
                self._opened(worker)

    @property
    def first(self) -> Any:
        """An actor."""
        return self._workers[0].actor

    def status(self) -> str:
        """How many workers there are, and how many died."""
        of = f"{self._ready} of {self._count}" if self._ready < self._count else f"{self._count}"
        died = f", {self.replaced} replaced" if self.replaced else ""
        return f"{of} worker{'s' * (self._count != 1)}{died}"

    def answers(self, leases: Leases[T]) -> Iterator[Answered[T]]:
        """Each item of the leases once, as it is known."""
        try:
            while True:
                self._hand_out(leases)
                if leases.peek() is None and not any(worker.lease for worker in self._workers):
                    return
                for worker in self._first([worker for worker in self._workers if worker.lease or not worker.ready]):
                    yield from self._heard(worker, leases)
        finally:  # what an early end left at work is not wanted any more
            for worker in [worker for worker in self._workers if worker.lease]:
                self._replace(worker)

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers, self._ready = [], 0

    def _hand_out(self, leases: Leases[T]) -> None:
        """A lease to each free worker. A timed one goes to the first worker, and only while all are free."""
        busy = any(worker.lease for worker in self._workers)
        if any(worker.lease.timed for worker in self._workers if worker.lease):
            return
        for worker in self._workers:
            if (lease := leases.peek()) is None or (lease.timed and (busy or worker is not self._workers[0])):
                return
            if worker.ready and not worker.lease:
                worker.start(leases.take(), self._pack)
                if lease.timed:
                    return
                busy = True

    def _heard(self, worker: _Worker[T], leases: Leases[T]) -> Iterator[Answered[T]]:
        """What a worker has to say: that it is open, a piece of answers, that it is done; or that it died."""
        if not worker.ready:
            self._opened(worker)
            return
        lease = worker.lease
        assert lease is not None
        try:
            piece = worker.piece()
        except _died():
            worker.lease = None
            self._replace(worker)
            self.replaced += 1
            if (lost := leases.died(lease)) is not None:
                yield Answered(lost, None)
            return
        if piece is None:
            worker.lease = None
            if lease.waiting:
                raise RuntimeError(f"a worker ended a lease without an answer to {len(lease.waiting)} requests")
            return
        self._stillborn = 0
        for number, outcome in piece:
            if (item := lease.settle(number)) is not None:
                yield Answered(item, outcome)

    def _opened(self, worker: _Worker[T]) -> None:
        try:
            told = worker.opened()
        except _died() as error:
            self._stillborn += 1
            if self._stillborn >= STILLBORN * self._count:
                why = str(error).partition("\n")[0]
                raise RunStopped(f"{self._stillborn} workers in a row died before they were open: {why}") from None
            self._replace(worker)
            return
        self._stillborn = 0
        self._admit(told)
        worker.ready = True
        self._ready += 1

    def _started(self) -> _Worker[T]:
        return _Worker(self._spawn())

    def _replace(self, worker: _Worker[T]) -> None:
        worker.kill()
        self._ready -= worker.ready
        self._workers[self._workers.index(worker)] = self._started()

    def _first(self, workers: list[_Worker[T]]) -> list[_Worker[T]]:
        """Those of whom there is something to hear; waits for the first."""
        ray = ray_cluster.ray_module()
        awaited = {worker.awaited: worker for worker in workers}
        found, _ = ray.wait(list(awaited), timeout=PATIENCE_S)
        if not found and not self._ready:
            raise RunStopped(f"no worker could be started for {PATIENCE_S:.0f} s: does Ray still have the machines?")
        if len(awaited) > 1:
            found, _ = ray.wait(list(awaited), num_returns=len(awaited), timeout=0)
        return [awaited[reference] for reference in found]


class _Worker(Generic[T]):
    """An actor as the driver sees it: what it holds, and what is waited for."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.ready = False
        self.lease: Lease[T] | None = None
        self._stream: Any = None
        self._opening = actor.open.remote()

    @property
    def awaited(self) -> Any:
        return self._stream if self.ready else self._opening

    def start(self, lease: Lease[T], pack: Callable[[int, T], Any]) -> None:
        self.lease = lease
        items = [pack(number, item) for number, item in lease.waiting.items()]
        self._stream = self.actor.answers.options(num_returns="streaming").remote(items, lease.rows, lease.timed)

    def piece(self) -> list[tuple[int, Any]] | None:
        """The next piece of answers; None where the lease is done. Raises what ended it."""
        try:
            reference = next(self._stream)
        except StopIteration:
            return None
        found: list[tuple[int, Any]] = _got(reference)
        return found

    def opened(self) -> Any:
        return _got(self._opening)

    def kill(self) -> None:
        with contextlib.suppress(Exception):  # it is dead already, or the cluster is
            ray_cluster.ray_module().kill(self.actor)


def _got(reference: Any) -> Any:
    """An object of the store. An exception in the worker's own code is a crash of ours, and told whole."""
    ray = ray_cluster.ray_module()
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise RuntimeError(f"a worker ended with an exception:\n{error}") from error


def _died() -> type[Exception]:
    """What Ray raises where a worker, its machine or what it sent is gone."""
    kind: type[Exception] = ray_cluster.ray_module().exceptions.RayError
    return kind
