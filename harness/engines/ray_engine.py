"""The Ray engine: replicas of a model as actors, which answer what the driver leases to them.

The driver alone plans, writes and scores. Ray places the workers, moves the data and tells of deaths; this
module does none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.contracts import ModelOptions
from harness.differences import changes
from harness.engines import Answer, ModelFacts, ray_cluster
from harness.engines.leases import FATAL, Leases, cut
from harness.engines.ray_pool import Pool
from harness.engines.ray_replica import Leased, Opened, Replica
from harness.failures import RunStopped, UsageError
from harness.manifest import versions
from harness.plan import Planned
from harness.schedule import Group
from harness.types import Failure, Generation, MediaKind


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
        self._owned = False
        self._count = 0
        self._pool: Pool[Planned] | None = None
        self._facts: ModelFacts | None = None

    def open(self) -> ModelFacts:
        """Start the workers, each with the model loaded. Raises UsageError where one cannot, or has other weights."""
        on_gpu = self._options.device != "cpu"
        self._owned = ray_cluster.join(self._address, self._replicas or 1)
        self._count = ray_cluster.n_workers(self._replicas, on_gpu)
        options = self._options
        if options.threads is None and not on_gpu:
            options = replace(options, threads=ray_cluster.threads_each(self._count))

        def spawn() -> Any:
            return ray_cluster.actor(Replica, on_gpu).remote(self._name, options, self._ablate)

        def pack(number: int, item: Planned) -> Leased:
            return Leased(number, item.request, item.failure)

        self._pool = Pool(spawn, self._count, self._admit, pack)
        try:
            self._pool.open()
        except RunStopped as error:
            raise UsageError(str(error)) from None
        assert self._facts is not None
        return self._facts

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        found: Mapping[str, Any] = ray_cluster.ray_module().get(self._opened().first.effective.remote(generation))
        return found

    def status(self) -> str:
        return self._opened().status()

    def answers(self, groups: Iterable[Group]) -> Iterator[Answer]:
        leases = Leases(lease for group in groups for lease in cut(group, self._count))
        for planned, outcome in self._opened().answers(leases):
            yield Answer(planned, Failure("generate", "permanent", FATAL) if outcome is None else outcome)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        if self._owned:
            ray_cluster.leave()
            self._owned = False

    def _opened(self) -> Pool[Planned]:
        assert self._pool is not None, "the engine is opened first"
        return self._pool

    def _admit(self, told: Opened | str) -> None:
        """Take in a worker that has loaded its weights. They, and what it computes with, must be those of the others
        and of the driver."""
        if isinstance(told, str):
            raise UsageError(told) if self._facts is None else RunStopped(f"a worker cannot be opened: {told}")
        lines = changes(versions(), told.versions, "versions")
        if self._facts is not None:
            lines += changes(_identity(self._facts), _identity(told.facts), "model")
        if lines:
            raise RunStopped("\n  ".join([f"the worker on {told.place} would answer differently:", *lines]))
        self._facts = self._facts or told.facts


def _identity(facts: ModelFacts) -> dict[str, Any]:
    abilities = facts.capabilities
    return {
        "label": facts.label,
        "fingerprint": facts.fingerprint,
        "inputs": sorted(abilities.inputs),
        "outputs": sorted(abilities.outputs),
        "channels": abilities.channels,
    }
