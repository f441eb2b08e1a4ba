"""Plan, log and the scores of samples -> scores/<n>/ and results: all that is derived, made in any folder.

Scoring a run, scoring it again, joining runs and looking whether a run holds what its log says all end here, so that
they cannot come to different numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import msgspec

from harness import aggregate, exclusions, export
from harness.failures import UsageError
from harness.files import encoded, write_lines_atomically
from harness.profiles import scored_task, told
from harness.schema import (
    JudgeUsage,
    Manifest,
    ModelResult,
    Record,
    Results,
    Scored,
    StoredResponse,
    Stretch,
    TaskResult,
)
from harness.scoring import score_records
from harness.store import RunDir
from harness.task import Task

CONSTANTS = 4
"""How many of the commonest answers are tried as the answer to everything."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A task with the profiles that are scored, the profile of its headline, and what has to be said of that."""

    task: Task
    profile: str
    told: str = ""


def heading_of(task: Task, entry: TaskResult) -> Heading:
    """The heading that results have. Raises UsageError for a profile that the task has no more.

    What is told of the headline depends on whether its profile was named, which nothing keeps but the results: they are
    believed in this.
    """
    scored = scored_task(task, entry.judges.keys())
    if entry.profile not in scored.profiles:
        raise UsageError(f"task {task.name} has no profile {entry.profile!r}; it has {', '.join(scored.profiles)}")
    said = told(task, entry.judges.keys(), entry.profile, None)
    return Heading(scored, entry.profile, said if said in entry.problems else "")


class Scorer(Protocol):
    """Where the scores of samples come from."""

    def scored(self, task: Task, prompt: str, records: Iterable[Record]) -> Iterable[Scored]:
        """The scores of a task's records, in their order."""

    def judges(self, task: Task) -> Mapping[str, str]:
        """Role -> the name of the judge that said what the scores rest on."""

    def spent(self, task: Task) -> Mapping[str, JudgeUsage]:
        """Role -> what the judgements took; asked for after the scores."""


def derive(
    run: RunDir, described: Manifest, headings: Mapping[str, Heading], scorer: Scorer, folder: Path, label: str
) -> Results:
    """Write the scores of every task and `samples.parquet` into `folder`; returns the results, which call it `label`.

    Nothing is written elsewhere.
    """
    results: dict[str, TaskResult] = {}
    left_out = exclusions.excluded(run)
    for name, head in headings.items():
        entry, path = described.tasks[name], folder / f"{name}.jsonl"
        scored = scorer.scored(head.task, entry.prompt, run.records(name))
        write_lines_atomically(path, (encoded(line) + b"\n" for line in scored))
        chosen = aggregate.Planned(
            prompt=entry.prompt,
            profile=head.profile,
            repeats=int(described.config.get("repeats", 1)),
            n_published=entry.n_published,
            judges=scorer.judges(head.task),
            usage=scorer.spent(head.task),
            told=head.told,
            excluded=left_out.reasons(name),
        )
        results[name] = _result(run, described, head.task, chosen, path)
    export.write_samples(run, folder, list(headings))
    return _results(run, described, results, label)


def _result(run: RunDir, described: Manifest, task: Task, chosen: aggregate.Planned, scores: Path) -> TaskResult:
    name = task.name
    seed = int(described.config.get("seed", 0))
    ids = None if run.format == 1 else (row.id for row in run.plan(name))
    result = aggregate.task_result(task, chosen, _pairs(run, name, scores), ids, seed)
    counted = result.n_expected - result.n_excluded
    if (not task.judges or chosen.profile in task.without_judge) and 0 < 2 * len(result.answers) <= counted:
        _tell_constant(run, task, chosen, result)
    if changed := run.changed_plan(name):  # a log that fits it is worth nothing
        result.problems.insert(0, f"invalid: {changed}; run the task again in a new directory")
        result.valid = False
    if (planned := (described.planned or {}).get(name)) and planned.n_strays:
        result.problems.append(f"{planned.n_strays} files of the data have no row, e.g. {planned.strays[0]}")
    return result


def _pairs(run: RunDir, task: str, scores: Path) -> Iterator[tuple[Record, Scored]]:
    with scores.open("rb") as lines:
        decoder = msgspec.json.Decoder(Scored)
        yield from zip(run.records(task), map(decoder.decode, lines), strict=True)


def _tell_constant(run: RunDir, task: Task, chosen: aggregate.Planned, result: TaskResult) -> None:
    """What the best of the commonest answers would score if it were given to everything: what a number is to be held
    against. The metric is the last of the headline's that all samples together have a value of."""
    overall = [metric for metric in task.headline if metric.name in result.headline.metrics]
    if not overall:
        return
    metric = overall[-1]
    only = replace(task, profiles=(chosen.profile,))
    found: list[tuple[float, str]] = []
    for answer in filter(None, list(result.answers)[:CONSTANTS]):
        if result.answers[answer] == result.n_expected - result.n_excluded:  # it was given to everything
            found = [(value, answer)] if (value := result.headline.metrics[metric.name].value) is not None else []
            break
        records = (
            msgspec.structs.replace(record, response=StoredResponse(answer), failure=None)
            for record in run.records(task.name)
        )
        constant = score_records(only, task.presets[chosen.prompt], records, run.path, None)
        alone = aggregate.task_result(only, chosen, zip(run.records(task.name), constant, strict=True), None)
        value = alone.headline.metrics[metric.name].value
        if value is not None:
            found.append((value, answer))
    if found:
        value, answer = (max if metric.higher_is_better else min)(found)
        result.headline.constant, result.headline.constant_metric = (answer, value), metric.name


def _results(run: RunDir, described: Manifest, tasks: dict[str, TaskResult], scores: str) -> Results:
    model = described.model
    return Results(
        model=ModelResult(model.name, model.label, model.note, bool(model.fingerprint.get("released"))),
        data=str(described.config["data"]),
        valid=all(entry.valid for entry in tasks.values()),
        tasks=tasks,
        scores=scores,
        stretches=_stretches(run, described, tasks),
    )


def _stretches(run: RunDir, described: Manifest, tasks: Iterable[str]) -> list[Stretch]:
    """Every uninterrupted piece of the run: when it began, how long it answered, how much, on what."""
    begun = [(described.created, described.device)]
    begun += [(entry["created"], entry.get("device", described.device)) for entry in described.resumed]
    answered, cached, seconds = [0] * len(begun), [0] * len(begun), [0.0] * len(begun)
    for task in tasks:
        for record in run.records(task):
            if record.stretch < len(begun):
                answered[record.stretch] += 1
                cached[record.stretch] += record.cached
                seconds[record.stretch] += record.took
    return [
        Stretch(start, round(took, 3), n, device, kept)
        for (start, device), n, kept, took in zip(begun, answered, cached, seconds, strict=True)
    ]
