"""The end of a run: judgements -> scores -> results, from plan and log alone. Done again to score a run anew.

Everything is made beside what is there and adopted in one step: a run has the old numbers or the new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from harness import aggregate, export
from harness.files import encoded, write_lines_atomically
from harness.judging import check_judges, open_bench
from harness.profiles import headline, scored_task, told
from harness.schema import (
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


def finish(
    run: RunDir, tasks: Mapping[str, Task], judges: Sequence[str] = (), profiles: Mapping[str, str] | None = None
) -> None:
    """Score every record under every profile that can be, compute the results and adopt both.

    `profiles` choose other headlines than the manifest's. Raises UsageError where a judge is missing, before anything
    is written.
    """
    described = run.manifest()
    roles = check_judges(list(tasks.values()), judges)
    heads = {name: _headline(task, described, roles, (profiles or {}).get(name)) for name, task in tasks.items()}
    fresh = run.new_scores()
    results: dict[str, TaskResult] = {}
    with open_bench(tasks.values(), judges, run.path, described.device) as bench:
        for name, whole in tasks.items():
            entry, (head, told), task = described.tasks[name], heads[name], scored_task(whole, roles)
            scored = score_records(task, task.presets[entry.prompt], run.records(name), run.path, bench)
            path = fresh / f"{name}.jsonl"
            write_lines_atomically(path, (encoded(line) + b"\n" for line in scored))
            chosen = aggregate.Planned(
                prompt=entry.prompt,
                profile=head,
                repeats=int(described.config.get("repeats", 1)),
                n_published=entry.n_published,
                judges=bench.names(task),
                usage=bench.spent(),
                told=told,
            )
            results[name] = _result(run, task, chosen, path)
    export.write_parquet(run, fresh, list(tasks))
    run.adopt(_results(run, described, results, f"scores/{fresh.name}"))


def _headline(task: Task, described: Manifest, roles: Collection[str], chosen: str | None) -> tuple[str, str]:
    """The profile of the headline, and what has to be said of it: the one that is chosen now, else the one that the
    run was started with if it can be scored, else the task's own."""
    if chosen is None:
        kept = described.config.get("profile", {}).get(task.name)
        chosen = kept if kept in scored_task(task, roles).profiles else None
    if chosen is None and not task.without_judge:
        chosen = described.tasks[task.name].profile
    profile = headline(task, roles, chosen)
    return profile, told(task, roles, profile, chosen)


def _result(run: RunDir, task: Task, chosen: aggregate.Planned, scores: Path) -> TaskResult:
    name = task.name
    seed = int(run.manifest().config.get("seed", 0))
    ids = None if run.format == 1 else (row.id for row in run.plan(name))
    result = aggregate.task_result(task, chosen, _pairs(run, name, scores), ids, seed)
    if (not task.judges or chosen.profile in task.without_judge) and 0 < 2 * len(result.answers) <= result.n_expected:
        _tell_constant(run, task, chosen, result)
    if changed := run.changed_plan(name):  # a log that fits it is worth nothing
        result.problems.insert(0, f"invalid: {changed}; run the task again in a new directory")
        result.valid = False
    if (planned := (run.manifest().planned or {}).get(name)) and planned.n_strays:
        result.problems.append(f"{planned.n_strays} files of the data have no row, e.g. {planned.strays[0]}")
    return result


def _pairs(run: RunDir, task: str, scores: Path) -> Iterator[tuple[Record, Scored]]:
    with scores.open("rb") as lines:
        decoder = msgspec.json.Decoder(Scored)
        yield from zip(run.records(task), map(decoder.decode, lines), strict=True)


def _tell_constant(run: RunDir, task: Task, chosen: aggregate.Planned, result: TaskResult) -> None:
    """What the best of the commonest answers would score if it were given to everything: what a number is to be held
    against. The metric is the last of the headline's, which sums the others up."""
    metric = next(metric for metric in reversed(task.metrics) if metric.headline)
    only = replace(task, profiles=(chosen.profile,))
    found: list[tuple[float, str]] = []
    for answer in filter(None, list(result.answers)[:CONSTANTS]):
        if result.answers[answer] == result.n_expected:  # it was given to everything
            found = [(value, answer)] if (value := result.headline.metrics[metric.name].value) is not None else []
            break
        records = (
            msgspec.structs.replace(record, response=StoredResponse(answer), failure=None)
            for record in run.records(task.name)
        )
        constant = score_records(only, task.presets[chosen.prompt], records, run.path, None)
        told = aggregate.task_result(only, chosen, zip(run.records(task.name), constant, strict=True), None)
        value = told.headline.metrics[metric.name].value
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
