"""The Ray engine: replicas of a model as actors, which answer what the driver leases to them.

The driver alone plans, writes and scores. It hands each free worker a lease, takes answers as they come, and hands out
again what a dead worker left. Ray places the workers, moves the data and tells of deaths; nothing here does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.contracts import ModelOptions
from harness.differences import changes
from harness.engines import Answer, ModelFacts, ray_cluster
from harness.engines.leases import FATAL, Lease, Leases
from harness.engines.ray_replica import Leased, Opened, Replica
from harness.failures import RunStopped, UsageError
from harness.manifest import versions
from harness.schedule import Group
from harness.types import Generation, MediaKind

STILLBORN = 5
"""Workers in a row that die before their weights are loaded, after which the run is stopped."""
PATIENCE_S = 1800.0
"""How long is waited for a worker where none is left."""


class RayEngine:
    """`replicas` workers (None: one a GPU, on CPUs one a machine) of the model of that name."""

    def __init__(
        self,
        name: str,
        options: ModelOptions,
        replicas: int | None = None,
        address: str | None = None,
        ablate: MediaKind | None = None,
    ) -> None:
        self._name, self._options, self._ablate = name, options, ablate
        self._replicas, self._address = replicas, address
        self._on_gpu = options.device != "cpu"
        self._owned = False
        self._count = 0
        self._workers: list[_Worker] = []
        self._facts: ModelFacts | None = None
        self._stillborn = 0
        self.replaced = 0
        """Workers that died and were replaced."""

    def open(self) -> ModelFacts:
        """Start the workers, each with the model loaded. Raises UsageError where one cannot, or has other weights."""
        self._owned = ray_cluster.join(self._address, self._replicas or 1)
        self._count = ray_cluster.n_workers(self._replicas, self._on_gpu)
        if self._options.threads is None and not self._on_gpu:
            self._options = replace(self._options, threads=ray_cluster.threads_each(self._count))
        self._workers = [self._started() for _ in range(self._count)]
        while opening := [worker for worker in self._workers if not worker.ready]:
            for worker in _first(opening):
                try:
                    self._opened(worker)
                except RunStopped as error:
                    raise UsageError(str(error)) from None
        assert self._facts is not None
        return self._facts

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        ray = ray_cluster.ray_module()
        found: Mapping[str, Any] = ray.get(self._workers[0].actor.effective.remote(generation))
        return found

    def status(self) -> str:
        """How many workers there are, and how many died."""
        alive = sum(worker.ready for worker in self._workers)
        of = f"{alive} of {self._count}" if alive < self._count else f"{alive}"
        died = f", {self.replaced} replaced" if self.replaced else ""
        return f"{of} worker{'s' * (self._count != 1)}{died}"

    def answers(self, groups: Iterable[Group]) -> Iterator[Answer]:
        leases = Leases(groups, self._count)
        try:
            while True:
                self._hand_out(leases)
                if not any(worker.lease for worker in self._workers) and leases.peek() is None:
                    return
                for worker in _first([w for w in self._workers if w.lease or not w.ready]):
                    yield from self._heard(worker, leases)
        finally:
            self._workers = [self._restarted(worker) if worker.lease else worker for worker in self._workers]

    def close(self) -> None:
        if not self._workers and not self._owned:
            return
        for worker in self._workers:
            worker.kill()
        self._workers = []
        if self._owned:
            ray_cluster.leave()
            self._owned = False

    def _hand_out(self, leases: Leases) -> None:
        """A lease to each free worker. A timed one goes to the first worker, and only while all are free."""
        for worker in self._workers:
            lease = leases.peek()
            busy = [other.lease for other in self._workers if other.lease]
            if lease is None or any(other.timed for other in busy):
                return
            if lease.timed and (busy or worker is not self._workers[0]):
                return
            if worker.ready and not worker.lease:
                worker.start(leases.take())

    def _heard(self, worker: _Worker, leases: Leases) -> Iterator[Answer]:
        """What a worker has to say: that it is open, a piece of answers, that it is done; or that it died."""
        if not worker.ready:
            self._opened(worker)
            return
        lease = worker.lease
        assert lease is not None
        try:
            piece = worker.piece()
        except _died():
            self._workers[self._workers.index(worker)] = self._restarted(worker)
            self.replaced += 1
            if (lost := leases.died(lease)) is not None:
                yield Answer(lost, FATAL)
            return
        if piece is None:
            worker.lease = worker.stream = None
            if lease.waiting:
                raise RuntimeError(f"a worker ended a lease without an answer to {len(lease.waiting)} requests")
            return
        for number, outcome in piece:
            if (planned := lease.settle(number)) is not None:
                yield Answer(planned, outcome)

    def _opened(self, worker: _Worker) -> None:
        """Take in a worker that has loaded its weights; they must be those of the others."""
        try:
            told = worker.opened()
        except _died() as error:
            self._stillborn += 1
            if self._stillborn >= STILLBORN:
                raise RunStopped(f"{STILLBORN} workers in a row died while they loaded the model: {error}") from error
            self._workers[self._workers.index(worker)] = self._restarted(worker)
            return
        self._stillborn = 0
        if isinstance(told, str):
            raise UsageError(told) if self._facts is None else RunStopped(f"a worker cannot be replaced: {told}")
        lines = changes(versions(), told.versions, "versions")
        lines += [] if self._facts is None else changes(_identity(self._facts), _identity(told.facts), "model")
        if lines:
            raise RunStopped("\n  ".join([f"the worker on {told.place} would answer differently:", *lines]))
        if self._facts is None:
            self._facts = told.facts
        worker.ready = True

    def _started(self) -> _Worker:
        ray = ray_cluster.ray_module()
        kind = ray.remote(Replica).options(**ray_cluster.resources(self._on_gpu))
        return _Worker(kind.remote(self._name, self._options, self._ablate))

    def _restarted(self, worker: _Worker) -> _Worker:
        worker.kill()
        return self._started()


class _Worker:
    """An actor as the driver sees it: what it holds, and what is waited for."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.ready = False
        self.lease: Lease | None = None
        self.stream: Any = None
        self._opening = actor.open.remote()

    @property
    def awaited(self) -> Any:
        return self.stream if self.ready else self._opening

    def start(self, lease: Lease) -> None:
        self.lease = lease
        items = [Leased(number, item.request, item.failure) for number, item in lease.waiting.items()]
        self.stream = self.actor.answers.options(num_returns="streaming").remote(items, lease.rows, lease.timed)

    def piece(self) -> list[Any] | None:
        """The next piece of answers; None where the lease is done. Raises what ended it."""
        try:
            reference = next(self.stream)
        except StopIteration:
            return None
        found: list[Any] = _got(reference)
        return found

    def opened(self) -> Opened | str:
        found: Opened | str = _got(self._opening)
        return found

    def kill(self) -> None:
        with contextlib.suppress(Exception):  # it is dead already, or the cluster is
            ray_cluster.ray_module().kill(self.actor)


def _got(reference: Any) -> Any:
    """An object of the store. An exception in the worker's own code is raised as it was."""
    ray = ray_cluster.ray_module()
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise RuntimeError(f"a worker ended with an exception:\n{error}") from error


def _first(workers: list[_Worker]) -> list[_Worker]:
    """Those of whom there is something to hear; waits for the first."""
    ray = ray_cluster.ray_module()
    awaited = {worker.awaited: worker for worker in workers}
    found, _ = ray.wait(list(awaited), timeout=PATIENCE_S)
    if not found and not any(worker.ready for worker in workers):
        raise RunStopped(f"no worker could be started for {PATIENCE_S:.0f} s: does Ray still have the machines?")
    more, _ = ray.wait(list(awaited), num_returns=len(awaited), timeout=0) if len(awaited) > 1 else (found, [])
    return [awaited[reference] for reference in more or found]


def _died() -> type[Exception]:
    """What Ray raises where a worker, its machine or what it sent is gone."""
    kind: type[Exception] = ray_cluster.ray_module().exceptions.RayError
    return kind


def _identity(facts: ModelFacts) -> dict[str, Any]:
    abilities = facts.capabilities
    return {
        "label": facts.label,
        "fingerprint": facts.fingerprint,
        "inputs": sorted(abilities.inputs),
        "outputs": sorted(abilities.outputs),
        "channels": abilities.channels,
    }
