"""The samples of two runs of a task, joined by id: which answers were fixed, which were broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

from harness.plan import key
from harness.schema import Record
from harness.task import Task
from harness.types import Channel, Score
from reports.runs import Run

Kind = Literal["fixed", "broken", "better", "worse", "same"]


class Verdict(NamedTuple):
    """A sample's score as far as two runs are compared by it. A failed one counts as wrong."""

    value: float | None
    wrong: bool | None


class Change(NamedTuple):
    """A sample that both runs scored. `gain` is how much better the second is, in the metric's own direction."""

    id: str
    repeat: int
    kind: Kind
    gain: float
    one: Verdict
    other: Verdict


class Joined(NamedTuple):
    """What became of the samples, those that changed (the largest changes first), and how many only one run has."""

    counts: dict[Kind, int]
    changes: list[Change]
    alone: int
    judged: bool
    """Whether answers are right or wrong here."""

    @property
    def shared(self) -> int:
        return sum(self.counts.values())


def join(one: Run, other: Run, task: str, profile: str, channel: Channel, higher: bool) -> Joined:
    """Join by sample and repeat. Samples that either run leaves unscored are in neither."""
    held = dict(_verdicts(one, task, profile, channel))
    counts: Counter[Kind] = Counter()
    changes: list[Change] = []
    alone, judged = 0, False
    for (name, repeat), verdict in _verdicts(other, task, profile, channel):
        earlier = held.pop((name, repeat), None)
        if earlier is None:
            alone += 1
            continue
        change = changed(name, repeat, earlier, verdict, higher)
        counts[change.kind] += 1
        judged = judged or (earlier.wrong is not None and verdict.wrong is not None)
        if change.kind != "same":
            changes.append(change)
    changes.sort(key=lambda change: (-abs(change.gain), change.id, change.repeat))
    kinds: tuple[Kind, ...] = ("fixed", "broken", "better", "worse", "same")
    return Joined({kind: counts[kind] for kind in kinds}, changes, alone + len(held), judged)


def key_of(record: Record) -> tuple[str, int]:
    return record.id, record.repeat


def both_score(one: Run, other: Run, task: Task, profile: str, channel: Channel) -> set[tuple[str, int]]:
    """The samples, by id and repeat, that both runs score; where samples are scored together, those of groups of which
    both score the same."""
    mine, theirs = (_groups(run, task.name, profile, channel) for run in (one, other))
    shared = mine.keys() & theirs.keys()
    if task.group is None:
        return shared
    torn = {(held[name], name[1]) for held in (mine, theirs) for name in held.keys() - shared}
    return {name for name in shared if not torn & {(held[name], name[1]) for held in (mine, theirs)}}


def _groups(run: Run, task: str, profile: str, channel: Channel) -> dict[tuple[str, int], str]:
    """The samples that a run scores, with the name of what each belongs to."""
    return {
        key_of(record): record.cluster or f"alone {record.id}"
        for record, scored in run.counted(task)
        if (score := scored.scores.get(profile, {}).get(channel)) is not None and score.status != "unscored"
    }


def changed(name: str, repeat: int, one: Verdict, other: Verdict, higher: bool) -> Change:
    """
    >>> changed("7", 0, Verdict(0.5, True), Verdict(0.0, False), higher=False)[2:4]
    ('fixed', 0.5)
    """
    gain = 0.0 if one.value is None or other.value is None else other.value - one.value
    gain = gain if higher else -gain
    if one.wrong is not None and other.wrong is not None and one.wrong != other.wrong:
        return Change(name, repeat, "fixed" if one.wrong else "broken", gain, one, other)
    return Change(name, repeat, "better" if gain > 0 else "worse" if gain < 0 else "same", gain, one, other)


def _verdicts(run: Run, task: str, profile: str, channel: Channel) -> Iterator[tuple[tuple[str, int], Verdict]]:
    seen: set[str] = set()
    for record, scored in run.counted(task):
        score: Score | None = scored.scores.get(profile, {}).get(channel)
        if score is None or score.status == "unscored" or key(record.id, record.repeat) in seen:
            continue
        seen.add(key(record.id, record.repeat))
        wrong = True if score.status == "failed" and score.wrong is not None else score.wrong
        yield (record.id, record.repeat), Verdict(score.value, wrong)
