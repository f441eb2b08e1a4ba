"""Requests of any origin -> answers, by the engine that runs use: prepared ahead, batched, halved when memory ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness import media as media_files
from harness.contracts import DataChoice, Model
from harness.engines.local import LocalEngine
from harness.plan import ANSWER_TOKENS, Planned, TaskPlan
from harness.schedule import groups
from harness.task import Preset, Row, Scores, Task
from harness.types import Answer, Doc, Failure, Request, Response, Sample


class _NoRows:
    published = None

    def rows(self, data: DataChoice) -> Sequence[Row]:
        return ()

    def fingerprint(self, data: DataChoice) -> Mapping[str, str]:
        return {}

    def strays(self, data: DataChoice) -> Sequence[str]:
        return ()


def _unscored(doc: Doc, answer: Answer, profile: str) -> Scores:
    raise NotImplementedError("what is asked by hand is not scored")


_PLAN = TaskPlan(
    Task(
        "by_hand", "1", frozenset({"text"}), _NoRows(), dict, {"": Preset(lambda row: ())}, "", _unscored, (), ("",),
        "", "", "",
    ),
    DataChoice("hub"), "", "", "", None,
)  # fmt: skip


def answers(model: Model, requests: Sequence[Request], batch_tokens: int) -> Iterator[tuple[int, Response | Failure]]:
    """(Place in `requests`, answer) as answers are known, each once. The model is open.

    `batch_tokens` is the longest prompt of a batch times its rows.
    """

    def planned() -> Iterator[Planned]:
        for place, request in enumerate(requests):
            named = replace(request, sample_id=str(place))
            extents = [media_files.probe(medium) for medium in request.media]
            lacking = {medium.kind for medium in request.media} - model.capabilities.inputs
            failure = None
            if lacking:
                why = f"model {model.name} takes no {', '.join(sorted(lacking))}"
                failure = Failure("load", "unsupported", why)
            tokens = 0 if failure else model.prompt_tokens(named, extents)
            tokens += min(request.generation.max_new_tokens, ANSWER_TOKENS)
            yield Planned(_PLAN, Sample(named.sample_id, named.messages, {}), named, "", tokens, failure=failure)

    for answer in LocalEngine(model).answers(groups(planned(), batch_tokens)):
        yield int(answer.planned.sample.id), answer.outcome
