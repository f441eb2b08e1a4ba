"""A run's results held against its plan and log of today: what they were made from may have lost or doubled lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from harness.exclusions import excluded
from harness.idset import IdSet
from harness.plan import key
from harness.schema import Results, TaskResult
from harness.store import RunDir, lines_of


class _Id(msgspec.Struct):
    """As much of a record as says which one it is."""

    id: str
    repeat: int = 0


def recounted(run: RunDir) -> Results:
    """The run's results, invalid where plan or log are no longer those that they were made from.

    Raises UsageError where there are no results, or where a line of the log is no record.
    """
    results = run.results()
    left_out = excluded(run)
    for name, entry in results.tasks.items():
        plan = run.changed_plan(name)
        said = [f"invalid: {plan}; run the task again in a new directory"] if plan else []
        said += _log_changed(run, name, entry)
        said += _exclusions_changed(run, entry, left_out.reasons(name))
        if said:
            entry.problems = [*said, *(line for line in entry.problems if line not in said)]
            entry.valid = results.valid = False
    return results


def _log_changed(run: RunDir, task: str, entry: TaskResult) -> Iterator[str]:
    seen, repeated = IdSet(), 0
    for identity in _ids(run, task):
        repeated += not seen.add(identity)
    count = len(seen) + repeated
    made_from = entry.n_expected - entry.n_missing + entry.n_repeated
    missing = _missing(run, task, entry, seen)
    if (count, missing, repeated) != (made_from, entry.n_missing, entry.n_repeated):
        yield (
            f"invalid: the log has {count} records, these numbers were made from {made_from} "
            f"({missing} planned samples missing, {repeated} records twice); `harness score {run.path}` counts anew"
        )


def _exclusions_changed(run: RunDir, entry: TaskResult, now: Mapping[str, str]) -> Iterator[str]:
    if Counter(now.values()) != Counter(entry.excluded):
        yield (
            f"invalid: {len(now)} samples are excluded now, these numbers leave out {sum(entry.excluded.values())}; "
            f"`harness score {run.path}` counts anew"
        )


def _ids(run: RunDir, task: str) -> Iterator[str]:
    lines = run.records(task) if run.format == 1 else lines_of(run.samples_path(task), _Id)
    return (key(line.id, line.repeat) for line in lines)


def _missing(run: RunDir, task: str, entry: TaskResult, seen: IdSet) -> int:
    """How many planned samples have no record; a run of format 1 has no plan but its number of rows."""
    if run.format == 1:
        return max(0, entry.n_expected - len(seen))
    return sum(key(row.id, repeat) not in seen for row in run.plan(task) for repeat in range(entry.repeats))
