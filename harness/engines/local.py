"""The local engine: one model in this process, with media opened and prepared ahead of it."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from harness import media as media_files
from harness.ablation import blanked
from harness.contracts import Model
from harness.engines import Answer, ModelFacts
from harness.engines.retry import UNANSWERED, free_device_memory, settle
from harness.failures import RunStopped, failure_from, is_out_of_memory
from harness.media import Clip
from harness.plan import Planned
from harness.schedule import Group
from harness.types import Decoded, Failure, Generation, LoadedRequest, MediaKind, Ready, Response, Waveform

Prepare = Callable[[Planned], Ready | Failure]

WORKERS = min(4, os.cpu_count() or 1)
LEAST_AHEAD, MOST_AHEAD = 2 * WORKERS + 2, 32
"""Requests that are opened and prepared before the model takes them: as many as it answers side by side, so that the
next ones are ready when rows end, and few enough to hold."""


class LocalEngine:
    """Opens each request's media, asks the model, and turns whatever goes wrong into the failure of one sample."""

    def __init__(self, model: Model, ablate: MediaKind | None = None) -> None:
        self._model = model
        self._ablate = ablate

    def open(self) -> ModelFacts:
        model = self._model
        model.open()
        return ModelFacts(
            model.name,
            model.label,
            model.note,
            model.prompt_styles,
            model.capabilities,
            model.fingerprint(),
            _torch_threads(),
        )

    def effective(self, generation: Generation) -> Mapping[str, Any]:
        return self._model.effective(generation)

    def status(self) -> str:
        return ""

    def close(self) -> None:
        self._model.close()

    def answers(self, groups: Iterable[Group]) -> Iterator[Answer]:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="prepare") as pool:
            queues = (_Queue(group, self._prepared, pool) for group in groups)
            current = next(queues, None)
            try:
                while current is not None:
                    current.following = next(queues, None)
                    yield from self._answered(current)
                    current = current.following
            finally:
                if current is not None:
                    current.cancel()

    def _answered(self, queue: _Queue) -> Iterator[Answer]:
        """A group's answers. Out of memory asks again with fewer rows; after any other exception each request that
        had been taken in is asked alone, and the group goes on with the others. Where none was taken in, the next one
        is asked alone, so that a model that can no longer answer fails request by request and the group ends."""
        rows = queue.rows
        while not queue.empty:
            taken: dict[int, tuple[Planned, Ready]] = {}
            broken: list[Answer] = []
            failure, out_of_memory, waiting = UNANSWERED, False, len(queue)
            try:
                for index, outcome in self._model.generate(_feed(queue, taken, broken), rows):
                    yield from _drained(broken)
                    yield Answer(taken.pop(index)[0], outcome)
            except RunStopped:
                yield from _drained(broken)
                raise
            except Exception as error:  # one bad batch must not end the run; its traceback would keep it in memory
                failure, out_of_memory = failure_from(error, "generate"), is_out_of_memory(error)
            yield from _drained(broken)
            if out_of_memory:
                free_device_memory()
                rows = max(1, rows // 2)
            if len(taken) == 1 and ((rows == 1 and not out_of_memory) or queue.rows == 1):
                ((planned, _),) = taken.values()
                yield Answer(planned, failure)
            else:
                yield from self._settled(list(taken.values()), rows)
            if not taken and failure is UNANSWERED and not queue.empty:
                raise RuntimeError(f"model {self._model.name} left requests of a group unasked")
            if len(queue) < waiting:
                continue
            next(_feed(queue, taken, broken), None)
            yield from _drained(broken)
            yield from self._settled(list(taken.values()), 1)

    def _settled(self, taken: Sequence[tuple[Planned, Ready]], rows: int) -> Iterator[Answer]:
        def ask(items: Sequence[tuple[Planned, Ready]]) -> Iterator[tuple[int, Response | Failure]]:
            return self._model.generate((ready for _, ready in items), min(rows, len(items)))

        for (planned, _), outcome in settle(taken, ask):
            yield Answer(planned, outcome)

    def _prepared(self, planned: Planned) -> Ready | Failure:
        """Open a request's media and prepare it. Runs in a worker thread; opened clips end with it."""
        if planned.failure is not None:
            return planned.failure
        opened: list[Decoded] = []
        try:
            channels = self._model.capabilities.channels
            for media in planned.request.media:
                opened.append(media_files.load(media, channels=channels))
            voice = planned.request.voice and media_files.load(planned.request.voice, channels=channels)
            assert voice is None or isinstance(voice, Waveform)
            loaded = LoadedRequest(planned.request, tuple(opened), voice)
            return prepared(self._model, loaded if self._ablate is None else blanked(loaded, self._ablate))
        except Exception as error:
            return failure_from(error, "load")
        finally:
            for content in opened:
                if isinstance(content, Clip):
                    content.close()


def _torch_threads() -> int | None:
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())


def prepared(model: Model, loaded: LoadedRequest) -> Ready:
    """What the model made of a request, and how long that took: the start of every latency."""
    started = time.monotonic()
    inputs = model.prepare(loaded)
    return Ready(loaded.request, inputs, time.monotonic() - started)


def _feed(queue: _Queue, taken: dict[int, tuple[Planned, Ready]], broken: list[Answer]) -> Iterator[Ready]:
    """The rest of the group for the model to pull from. What could not be prepared is set aside as answered."""
    number = 0
    for planned, content in queue:
        if isinstance(content, Failure):
            broken.append(Answer(planned, content))
            continue
        taken[number] = planned, content
        number += 1
        yield content


def _drained(answers: list[Answer]) -> Iterator[Answer]:
    while answers:
        yield answers.pop(0)


class _Queue:
    """The requests of one group in their order, prepared before they are taken, as far ahead as `room`.

    At its end the first of the following group are begun. A timed group is prepared as it is taken, and nothing is
    begun beside it.
    """

    def __init__(self, group: Group, prepare: Prepare, pool: ThreadPoolExecutor) -> None:
        self.rows, self.timed = group.rows, group.timed
        self.following: _Queue | None = None
        self._waiting: deque[tuple[Planned, Future[Ready | Failure]]] = deque()
        self._items = deque(group.items)
        self._prepare, self._pool = prepare, pool
        self._room = max(LEAST_AHEAD, min(group.rows, MOST_AHEAD))

    def __len__(self) -> int:
        """How many requests were not taken yet."""
        return len(self._waiting) + len(self._items)

    @property
    def empty(self) -> bool:
        return not len(self)

    def __iter__(self) -> Iterator[tuple[Planned, Ready | Failure]]:
        while not self.empty:
            if self.timed:
                planned = self._items.popleft()
                yield planned, self._prepare(planned)
                continue
            self.begin(self._room)
            planned, future = self._waiting.popleft()
            content = future.result()
            self.begin(self._room)
            yield planned, content

    def begin(self, room: int) -> None:
        """Start preparing until `room` requests are under way, here and then in the following group."""
        if self.timed:
            return
        while self._items and len(self._waiting) < room:
            planned = self._items.popleft()
            self._waiting.append((planned, self._pool.submit(self._prepare, planned)))
        if not self._items and self.following is not None and len(self._waiting) < room:
            self.following.begin(room - len(self._waiting))

    def cancel(self) -> None:
        for _, future in self._waiting:
            future.cancel()
        if self.following is not None:
            self.following.cancel()
