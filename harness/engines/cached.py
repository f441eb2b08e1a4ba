"""An engine that asks another one only for what is not kept already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.cache import Cache, key_of, need_place
from harness.engines import Answer, Engine, ModelFacts
from harness.plan import Planned
from harness.schedule import Group
from harness.types import Generation, Response

GROUPS = 16
"""Groups that are looked up before those of their requests that are not kept are asked together."""


class CachedEngine:
    """`computed` is what else an answer depends on: versions, dtype, device. Timed groups always ask the model."""

    def __init__(self, engine: Engine, computed: Mapping[str, Any]) -> None:
        self._engine, self._computed = engine, computed
        self._cache: Cache | None = None
        self._identity: dict[str, Any] = {}

    def open(self) -> ModelFacts:
        need_place()
        facts = self._engine.open()
        self._cache = Cache(facts.label)
        self._identity = {"model": facts.fingerprint, **self._computed}
        return facts

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        return self._engine.effective(generation)

    def status(self) -> str:
        return self._engine.status()

    def close(self) -> None:
        self._engine.close()

    def answers(self, groups: Iterable[Group]) -> Iterator[Answer]:
        waiting: list[Group] = []
        for group in groups:
            left: list[Planned] = []
            for planned in group.items:
                kept = None if group.timed else self._kept(planned)
                if kept is None:
                    left.append(planned)
                else:
                    yield Answer(planned, kept, cached=True)
            if left:
                waiting.append(replace(group, items=left))
            if len(waiting) == GROUPS:
                yield from self._asked(waiting)
                waiting = []
        yield from self._asked(waiting)

    def _asked(self, groups: Iterable[Group]) -> Iterator[Answer]:
        for answer in self._engine.answers(groups):
            if isinstance(answer.outcome, Response) and self._cache is not None and not answer.planned.plan.task.timed:
                self._cache.put(self._key(answer.planned), answer.outcome)
            yield answer

    def _kept(self, planned: Planned) -> Response | None:
        if planned.failure is not None or self._cache is None or any(not m.sha256 for m in planned.request.media):
            return None
        return self._cache.get(self._key(planned))

    def _key(self, planned: Planned) -> str:
        return key_of(self._identity, planned.fingerprint, planned.repeat)
