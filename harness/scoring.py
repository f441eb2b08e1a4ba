"""The scoring pass: stored answers -> scores, under every profile of the task and for every channel.

* What was not answered is scored as no answer: it counts as wrong, and its status is "failed".
* Where the preset's `read` or the scorer fails, or gives what does not fit (`harness.fitting`), the sample counts as
  wrong too, and the failure says why.
* A reference that cannot be scored is "unscored" whatever was answered.
* A row of which not even this can be said has a score without parts; the aggregator tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from harness.failures import JudgeError, failure_from, lacking
from harness.fitting import misfit
from harness.judging import WINDOW, Asking, Bench, Says, settle
from harness.schema import Record, Scored, StoredResponse, recordings_of, speech_media
from harness.steps import take_answer
from harness.task import Preset, Scores, Task
from harness.types import Answer, Channel, Doc, Failure, Media, Score

UNFINISHED = Failure("parse", "permanent", "the response ends within its reasoning: it holds no answer")


class _Fields(dict[str, Any]):
    """A row's fields, which says what it has where a scorer needs another."""

    def __missing__(self, name: str) -> Any:
        raise lacking(self, name)


@dataclass(slots=True)
class _Open:
    """A record on its way to its scores. `doc` is the record's."""

    record: Record
    doc: Doc
    answer: Answer
    scored: Scored
    failure: Failure | None


def score_records(
    task: Task, preset: Preset | None, records: Iterable[Record], run: Path, bench: Says | None
) -> Iterator[Scored]:
    """The scores of records, in their order. At most `harness.judging.WINDOW` records are held at once.

    `run` is the folder that stored speech is relative to; without a bench every ask of a judge fails.
    """
    stream = iter(records)
    judged = bench.roles(task) if bench else frozenset[str]()
    while window := list(islice(stream, WINDOW)):
        opened = [_begin(task, record, preset, run, judged) for record in window]
        jobs = ((place, profile) for place in range(len(opened)) for profile in task.profiles)
        for (place, profile), found in _outcomes(task, opened, jobs, bench):
            _take(task, opened[place], profile, found)
        for item in opened:
            item.scored.scores = {name: item.scored.scores[name] for name in task.profiles}
            item.scored.failure = item.failure
            yield item.scored


def _begin(task: Task, record: Record, preset: Preset | None, run: Path, judged: frozenset[str]) -> _Open:
    """What a scorer will see of a record."""
    scored, doc = Scored(record.id, {}, repeat=record.repeat), _Fields(record.doc)
    response = record.response
    if response is None or record.failure is not None:
        return _Open(record, doc, _no_answer(task, judged), scored, record.failure)
    answer, failure = replace(_answer(task, record, response, run), judged=judged), None
    try:
        taken = take_answer(response.text, preset)
    except Exception as error:  # a form of one's own may raise anything
        return _Open(record, doc, replace(answer, text=None), scored, failure_from(error, "parse"))
    if taken.steps:
        scored.steps, scored.answer = list(taken.steps), taken.text
    if taken.text is None:
        failure = UNFINISHED
    return _Open(record, doc, replace(answer, text=taken.text), scored, failure)


def _answer(task: Task, record: Record, response: StoredResponse, run: Path) -> Answer:
    speech = None if response.speech is None else speech_media(run, response.speech)
    spoken, recordings = "speech" in task.outputs, recordings_of(record.recordings)
    return Answer(response.text, speech, response.timings, response.usage, spoken, recordings)


def _no_answer(task: Task, judged: frozenset[str], speech: Media | None = None) -> Answer:
    return Answer(None, speech, spoken="speech" in task.outputs, judged=judged)


Job = tuple[int, str]


def _outcomes(
    task: Task, opened: list[_Open], jobs: Iterable[Job], bench: Says | None
) -> Iterator[tuple[Job, Scores | Exception]]:
    """What the scorer says of each record under each profile; those that ask a judge run side by side."""
    asking: list[tuple[Job, Asking]] = []
    for place, profile in jobs:
        item = opened[place]
        try:
            found = task.scorer(item.doc, item.answer, profile)
        except Exception as error:
            yield (place, profile), error
            continue
        if isinstance(found, Score | Mapping):
            yield (place, profile), found
        else:
            asking.append(((place, profile), found))
    yield from settle(asking, bench or Bench({}, None))


def _take(task: Task, item: _Open, profile: str, found: Scores | Exception) -> None:
    """Put an outcome into the record's scores, whatever it is."""
    channels: Mapping[Channel, Score] = {}
    problem: Failure | None = None
    if isinstance(found, Exception):
        problem = found.failure if isinstance(found, JudgeError) else failure_from(found, "score")
    else:
        channels = {task.default_channel: found} if isinstance(found, Score) else found
        problem = _unsound(task, item.doc, channels, profile)
    if problem is not None:
        channels = _as_wrong(task, item, profile)
    item.failure = item.failure or problem or _of_channel(channels)
    missing = item.answer.text is None
    item.scored.scores[profile] = {
        channel: _failed(score, item.failure) if problem or (missing and item.failure) else score
        for channel, score in channels.items()
    }


def _of_channel(channels: Mapping[Channel, Score]) -> Failure | None:
    """Why a scorer could not score one channel of an answer (its speech was not heard), though it did another."""
    failed = (score.reason or "" for score in channels.values() if score.status == "failed")
    return next((Failure("judge", "permanent", reason) for reason in failed), None)


def _failed(score: Score, failure: Failure | None) -> Score:
    """A score that counts as wrong. What cannot be scored at all stays unscored."""
    if score.status == "unscored":
        return score
    return replace(score, status="failed", reason=score.reason or (failure.message if failure else None))


def _as_wrong(task: Task, item: _Open, profile: str) -> Mapping[Channel, Score]:
    """The scores of no answer, of whose speech it is known whether there was any; without parts where the row does not
    say what it counts in."""
    doc = item.doc
    try:
        found = task.scorer(doc, _no_answer(task, item.answer.judged, item.answer.speech), profile)
        if isinstance(found, Score | Mapping):
            channels = {task.default_channel: found} if isinstance(found, Score) else found
            if _unsound(task, doc, channels, profile) is None:
                return channels
        else:  # a scorer that asks even about no answer has nothing to say of it
            found.close()
    except Exception:
        pass
    return {task.default_channel: Score(task.name, None, status="failed")}


def _unsound(task: Task, doc: Doc, channels: Mapping[Channel, Score], profile: str) -> Failure | None:
    """Why scores can be neither stored nor summed over the benchmark."""
    fault = ""
    if task.default_channel not in channels:
        fault = f"the scorer gave no score of the channel {task.default_channel!r}; it gave {list(channels)!r:.80}"
    for score in channels.values():
        fault = fault or misfit(task, doc, score, profile)
    return Failure("score", "permanent", fault) if fault else None
