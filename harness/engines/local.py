"""The local engine: one model in this process, one batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness import media as media_files
from harness.ablation import blanked
from harness.contracts import Model
from harness.engines import Answer
from harness.failures import failure_from, is_out_of_memory
from harness.media import Clip
from harness.plan import Planned
from harness.schedule import halves
from harness.types import Decoded, Failure, LoadedRequest, MediaKind


class LocalEngine:
    """Opens each batch's media, asks the model, and turns whatever goes wrong into the failure of one sample."""

    def __init__(self, model: Model, ablate: MediaKind | None = None) -> None:
        self._model = model
        self._ablate = ablate

    def answers(self, batches: Iterable[list[Planned]]) -> Iterator[Answer]:
        for batch in batches:
            loaded: list[tuple[Planned, LoadedRequest]] = []
            try:
                for planned in batch:
                    content = planned.failure or _load(planned)
                    if isinstance(content, Failure):
                        yield Answer(planned, content)
                    else:
                        loaded.append((planned, content))
                yield from self._ask([(planned, self._shown(content)) for planned, content in loaded])
            finally:
                _close_clips(request for _, request in loaded)

    def _shown(self, content: LoadedRequest) -> LoadedRequest:
        return content if self._ablate is None else blanked(content, self._ablate)

    def _ask(self, loaded: Sequence[tuple[Planned, LoadedRequest]]) -> Iterator[Answer]:
        """Answer a batch; out of memory halves what is left of it, any other exception fails it one by one."""
        if not loaded:
            return
        waiting = dict(enumerate(loaded))
        error: Exception | None = None
        try:
            for index, outcome in self._model.generate([request for _, request in loaded]):
                planned, _ = waiting.pop(index)
                yield Answer(planned, outcome)
        except Exception as caught:  # one bad batch must not end the run
            error = caught
        if not waiting:
            return
        rest = list(waiting.values())
        if error is None:
            error = RuntimeError("the model ended the batch without an answer to this request")
        if len(rest) == 1 and len(loaded) == 1:
            yield Answer(rest[0][0], failure_from(error, "generate"))
        elif is_out_of_memory(error):
            _free_device_memory()
            for half in halves(rest):
                yield from self._ask(half)
        else:
            for item in rest:  # find the one request that cannot be answered; the others get their answers
                yield from self._ask([item])


def _load(planned: Planned) -> LoadedRequest | Failure:
    opened: list[Decoded] = []
    try:
        for media in planned.request.media:
            opened.append(media_files.load(media))
    except Exception as error:
        for content in opened:
            if isinstance(content, Clip):
                content.close()
        return failure_from(error, "load")
    return LoadedRequest(planned.request, tuple(opened))


def _close_clips(requests: Iterable[LoadedRequest]) -> None:
    for request in requests:
        for content in request.media:
            if isinstance(content, Clip):
                content.close()


def _free_device_memory() -> None:
    import sys

    if (torch := sys.modules.get("torch")) and torch.cuda.is_available():
        torch.cuda.empty_cache()
