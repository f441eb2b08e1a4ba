"""Leave samples out of a run's numbers, with the reason beside each of them from then on, or take them back.

The log and the scores of samples stay as they are. Rows that are scored together (both questions on a picture) can only
be left out together: half of a pair would be in no number of pairs though nobody said so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from harness import manifest
from harness.derive import derive, heading_of
from harness.exclusions import Excluded, Exclusion, append, excluded
from harness.failures import UsageError
from harness.files import need_file
from harness.kinds import need_finished
from harness.run import NONE, Objects, tasks_of
from harness.schema import JudgeUsage, PlannedRow, Record, Results, Scored
from harness.store import RunDir, lines_of
from harness.task import Task

TOLD = 10
"""Ids that a message lists."""
Named = tuple[str | None, str]
"""(Task, id); the task is None where the file names none."""


def exclude(path: Path, ids: Sequence[Named], reason: str, source: str = "", objects: Objects = NONE) -> RunDir:
    """Leave samples out for a reason and compute the results anew. What is left out already stays as it is.

    Raises UsageError, before anything is written, for ids that the run does not have, and for rows that are scored
    together with others that would stay.
    """
    if not reason.strip():
        raise UsageError("--reason is empty: say why the samples are left out; it stands beside every number")
    run, tasks = _open(path, objects)
    with run.lock():
        before = excluded(run)
        chosen = _resolved(run, tasks, ids)
        new = [(task, one) for task, one in chosen if one not in before.by_task.get(task, {})]
        _check_groups(run, tasks, before, leaving=new)
        when = manifest.now()
        _adopt(run, tasks, [Exclusion(task, one, " ".join(reason.split()), when, source) for task, one in new])
    return run


def undo(path: Path, ids: Sequence[Named], reason: str = "", source: str = "", objects: Objects = NONE) -> RunDir:
    """Count samples again that were left out. Raises UsageError for those that were not."""
    run, tasks = _open(path, objects)
    with run.lock():
        before = excluded(run)
        chosen = _resolved(run, tasks, ids)
        if stray := [f"{task} {one}" for task, one in chosen if one not in before.by_task.get(task, {})]:
            raise UsageError(f"not excluded in {path}: {_listed(stray)}; nothing was done")
        _check_groups(run, tasks, before, back=chosen)
        when = manifest.now()
        _adopt(run, tasks, [Exclusion(task, one, reason, when, source, undone=True) for task, one in chosen])
    return run


def read_ids(path: Path, task: str | None = None) -> list[Named]:
    """The ids in a file (`-` is stdin): one a line, or `task<TAB>id`; blank lines are passed over.

    With `task` every line is an id of it. Raises UsageError for a file that cannot be read or names nothing.
    """
    if str(path) == "-":
        content = sys.stdin.buffer.read()
    else:
        need_file(path, "ids file")
        content = path.read_bytes()
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"ids file {path} is not UTF-8: {error}") from error
    found: list[Named] = []
    for line in filter(None, (line.strip() for line in lines)):
        named, tab, identity = line.partition("\t")
        found.append((named.strip(), identity.strip()) if tab and task is None else (task, line))
    if not found:
        raise UsageError(f"ids file {path} names no sample: give one id a line, or task<TAB>id")
    return list(dict.fromkeys(found))


def _open(path: Path, objects: Objects) -> tuple[RunDir, Mapping[str, Task]]:
    run = need_finished(path)
    if run.format == 1:
        raise UsageError(f"{path} is of format 1, which has no plan to look ids up in; run the tasks again")
    return run, tasks_of(run.manifest(), objects)


def _resolved(run: RunDir, tasks: Mapping[str, Task], ids: Sequence[Named]) -> list[tuple[str, str]]:
    """The task of every id. Raises UsageError listing what the run does not have, or has in several tasks."""
    wanted = {identity for _, identity in ids}
    having: dict[str, list[str]] = {}
    for name in tasks:
        for row in run.plan(name):
            if row.id in wanted:
                having.setdefault(row.id, []).append(name)
    if stray := sorted({task for task, _ in ids if task is not None} - tasks.keys()):
        raise UsageError(f"{run.path} has no task {', '.join(stray)}; it has {', '.join(tasks)}")
    found, unknown, several = [], [], []
    for task, identity in ids:
        names = [name for name in having.get(identity, []) if task in (None, name)]
        match names:
            case [one]:
                found.append((one, identity))
            case []:
                unknown.append(identity if task is None else f"{task} {identity}")
            case _:
                several.append(f"{identity} ({', '.join(names)})")
    if unknown:
        raise UsageError(f"{run.path} has no sample {_listed(unknown)}; nothing was done")
    if several:
        raise UsageError(f"in several tasks: {_listed(several)}. Name one by --task; nothing was done")
    return list(dict.fromkeys(found))


def _check_groups(
    run: RunDir,
    tasks: Mapping[str, Task],
    before: Excluded,
    leaving: Sequence[tuple[str, str]] = (),
    back: Sequence[tuple[str, str]] = (),
) -> None:
    """Raises UsageError where some rows that are scored together would count and some not."""
    for name in dict.fromkeys(task for task, _ in (*leaving, *back)):
        if tasks[name].group is None:
            continue
        out = set(before.by_task.get(name, {})) | {one for task, one in leaving if task == name}
        out -= {one for task, one in back if task == name}
        halves = list(_torn(run.plan(name), out))
        if halves:
            verb = "take them back too" if back else "name them too"
            lines = "\n  ".join(f"{', '.join(gone)}: with {', '.join(stay)}" for gone, stay in halves[:TOLD])
            raise UsageError(
                f"task {name} scores these rows together, and some would count and some not; "
                f"{verb} or leave all of them. Left out, and what would count:\n  {lines}"
            )


def _torn(rows: Iterable[PlannedRow], out: set[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Clusters of which some rows are left out and others are not."""
    clusters: dict[str, tuple[list[str], list[str]]] = {}
    for row in rows:
        if row.cluster is not None:
            clusters.setdefault(row.cluster, ([], []))[row.id not in out].append(row.id)
    return ((gone, stay) for gone, stay in clusters.values() if gone and stay)


def _adopt(run: RunDir, tasks: Mapping[str, Task], more: Sequence[Exclusion]) -> None:
    """Log what is said, then count anew from the scores that are there. Killed between the two, the run says that its
    numbers leave out something else, and the same command goes on."""
    stored, described = run.results(), run.manifest()
    for name in stored.tasks:
        if len(list(run.scored(name))) != len(run.done(name)):
            told = f"{run.path}: the scores of {name} are not those of its log"
            raise UsageError(f"{told}; `harness score {run.path}` counts anew")
    if more:
        append(run, more)
    scores = run.path / stored.scores
    headings = {name: heading_of(tasks[name], entry) for name, entry in stored.tasks.items()}
    fresh = run.new_scores()
    run.adopt(derive(run, described, headings, _Stored(scores, stored), fresh, f"scores/{fresh.name}"))


class _Stored:
    """The scores that a run has."""

    def __init__(self, folder: Path, results: Results) -> None:
        self._folder, self._results = folder, results

    def scored(self, task: Task, prompt: str, records: Iterable[Record]) -> Iterator[Scored]:
        path = self._folder / f"{task.name}.jsonl"
        return lines_of(path, Scored)

    def judges(self, task: Task) -> Mapping[str, str]:
        return self._results.tasks[task.name].judges

    def spent(self, task: Task) -> Mapping[str, JudgeUsage]:
        return self._results.tasks[task.name].judge_usage


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return ", ".join(names[:TOLD]) + more
