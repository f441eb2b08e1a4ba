"""The entry in results.json for answers that are given, by way of the engine's own scoring and aggregation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from harness.aggregate import Planned, task_result
from harness.contracts import DataChoice
from harness.registry import get_task
from harness.schema import Record, ScoreResult, StoredResponse, StoredSpeech, TaskResult
from harness.scoring import score_records
from harness.task import Row, Task
from harness.types import Answer, Ask, Failure, Media, Sample, Score, Verdict

BROKEN = Failure("load", "permanent", "broken")


class Ears:
    """A recogniser that hears what was meant: a recording's hash is the text that it says."""

    def roles(self, task: Task) -> frozenset[str]:
        return frozenset(task.judges)

    def ask(self, asks: Sequence[Ask]) -> list[Verdict]:
        return [Verdict(ask.content.sha256) for ask in asks if isinstance(ask.content, Media)]


def record(task: Task, row: Row, answer: str | None, number: int = 0) -> Record:
    """A row with its answer, spoken where the task asks for speech; None is a row that failed."""
    doc = {**task.doc(row)} if "sample_id" in row else dict(row)
    response, failure = (None, BROKEN) if answer is None else (StoredResponse(answer), None)
    if response is not None and "speech" in task.outputs:
        response.speech = StoredSpeech("said.wav", str(answer), 1.0)
    cluster = task.cluster(doc)
    return Record(str(number), "", 0, [], doc, cluster=cluster, response=response, failure=failure)


def result_of(task: Task, records: Iterable[Record], prompt: str | None = None) -> TaskResult:
    """The task's results under all its profiles."""
    held = list(records)
    chosen = prompt or task.default_preset
    scored = list(score_records(task, task.presets[chosen], held, Path(), cast(Any, Ears())))
    return task_result(task, Planned(chosen, task.default_profile), zip(held, scored, strict=True), None)


def answered(task: Task, rows: Iterable[tuple[Row, str | None]], prompt: str | None = None) -> TaskResult:
    """Results of rows with their answers."""
    return result_of(task, (record(task, row, answer, i) for i, (row, answer) in enumerate(rows)), prompt)


def values(score: ScoreResult) -> dict[str, Any]:
    """Metric -> value; sub-scores as metric.value."""
    found: dict[str, Any] = {name: metric.value for name, metric in score.metrics.items()}
    for by in score.groups.values():
        for value, group in by.items():
            found |= {f"{name}.{value}": metric.value for name, metric in group.metrics.items()}
    return found


def score_of(task: Task, doc: Mapping[str, Any], answer: str | None, profile: str | None = None) -> Score:
    """One score by a scorer that asks no judge."""
    found = task.scorer(doc, Answer(answer), profile or task.default_profile)
    assert isinstance(found, Score)
    return found


def sampled(name: str, row: Row) -> Sample:
    """A row as a sample of the named task under its default preset."""
    task = get_task(name)
    return task.sample(row, task.presets[task.default_preset])


def rows(name: str, folder: Path) -> list[Row]:
    """The rows of the named task in a folder."""
    return list(get_task(name).rows(DataChoice("folder", folder)))
