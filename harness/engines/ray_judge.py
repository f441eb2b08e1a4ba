"""A judge whose work is done by actors of a Ray cluster, each with the judge opened."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import registry
from harness.contracts import Judge, JudgeOptions
from harness.differences import changes
from harness.engines import ray_cluster
from harness.engines.leases import FATAL, Lease, Leases, lease_size
from harness.engines.ray_pool import Pool
from harness.engines.ray_replica import pieces
from harness.failures import RunStopped, UsageError, failure_from
from harness.files import plain
from harness.types import Ask, Failure, Media, Unusable, Verdict

Said = Verdict | Unusable | Failure


class JudgeReplica:
    """A judge in a process of its own. Ray makes it an actor."""

    def __init__(self, name: str, options: JudgeOptions) -> None:
        self._name, self._options = name, options
        self._judge: Judge | None = None

    def open(self) -> tuple[Any, str] | str:
        """Fingerprint and place; a text says what the caller can mend."""
        try:
            self._judge = registry.get_judge(self._name)(self._options)
            self._judge.open()
        except UsageError as error:
            return str(error)
        return plain(self._judge.fingerprint()), f"{platform.node()}, process {os.getpid()}"

    def answers(self, items: Sequence[tuple[int, Ask]], rows: int, timed: bool) -> Iterator[list[tuple[int, Said]]]:
        """What the judge says, by number. An exception fails what was not judged yet."""
        yield from pieces(self._said(items))

    def _said(self, items: Sequence[tuple[int, Ask]]) -> Iterator[tuple[int, Said]]:
        assert self._judge is not None, "a replica is opened before it is asked"
        waiting = dict(items)
        numbers = list(waiting)
        failure = Failure("judge", "permanent", f"judge {self._name} gave no verdict")
        try:
            for index, said in self._judge.judge(list(waiting.values())):
                if waiting.pop(numbers[index], None) is not None:
                    yield numbers[index], said
        except Exception as error:  # a judge of another package may raise anything
            failure = failure_from(error, "judge")
        for number in waiting:
            yield number, failure


class RayJudge:
    """Implements `harness.contracts.Judge` by `replicas` workers; `judge` is the one that they open."""

    def __init__(
        self, judge: Judge, name: str, options: JudgeOptions, replicas: int | None, address: str | None
    ) -> None:
        self.name, self.roles = judge.name, judge.roles
        self.workers = replicas or 1
        """How many times as much it is asked at once."""
        self._judge, self._registered, self._options = judge, name, options
        self._replicas, self._address = replicas, address
        self._owned = False
        self._pool: Pool[tuple[int, Ask]] | None = None

    def fingerprint(self) -> Mapping[str, Any]:
        return self._judge.fingerprint()

    def open(self) -> None:
        """Start the workers. Raises UsageError where a judge cannot be opened, or has other weights."""
        on_gpu = self._options.device != "cpu"
        self._owned = ray_cluster.join(self._address, self._replicas or 1)
        self.workers = ray_cluster.n_workers(self._replicas, on_gpu)

        def spawn() -> Any:
            return ray_cluster.actor(JudgeReplica, on_gpu).remote(self._registered, self._options)

        self._pool = Pool(spawn, self.workers, self._admit, lambda number, item: (number, _absolute(item[1])))
        self._pool.open()

    def judge(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Said]]:
        assert self._pool is not None, "a judge is opened before it is asked"
        size = lease_size(len(asks), 1, self.workers)
        items = list(enumerate(asks))
        leases = [Lease(dict(enumerate(items[at : at + size])), 1) for at in range(0, len(items), size)]
        for (place, _), outcome in self._pool.answers(Leases(leases)):
            yield place, Failure("judge", "transient", FATAL) if outcome is None else outcome

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        if self._owned:
            ray_cluster.leave()
            self._owned = False

    def _admit(self, told: tuple[Any, str] | str) -> None:
        if isinstance(told, str):
            raise UsageError(told)
        fingerprint, place = told
        if lines := changes(self._judge.fingerprint(), fingerprint, f"judge {self.name}"):
            raise RunStopped("\n  ".join([f"the worker on {place} would judge differently:", *lines]))


def spread(judge: Judge, name: str, options: JudgeOptions, replicas: int | None, address: str | None) -> Judge:
    """The judge by workers; one that only asks an endpoint (`over_network`) stays with the driver."""
    if getattr(judge, "over_network", False):
        return judge
    return RayJudge(judge, name, options, replicas, address)


def _absolute(ask: Ask) -> Ask:
    """Workers may stand in another folder."""
    content = ask.content
    if not isinstance(content, Media):
        return ask
    return replace(ask, content=replace(content, path=str(Path(content.path).absolute())))
