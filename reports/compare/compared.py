"""Two runs compared task by task, metric by metric; what may not be compared is refused, with the difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from harness import registry, stats
from harness.differences import changes
from harness.failures import UsageError
from harness.measures import Measure, matched, measure, tables_of, whole
from harness.schema import MetricResult
from harness.task import Aggregate, Quantile, Task
from harness.types import Channel
from harness.units import PartTable
from reports.compare.joined import Joined, both_score, join, key_of
from reports.conditions import asked, conditions_of, decoding_of
from reports.figures import headline
from reports.runs import Run


@dataclass(frozen=True)
class MetricChange:
    """A metric in both runs over the samples that both score. `difference` is the second minus the first."""

    name: str
    unit: str
    higher_is_better: bool
    headline: bool
    one: float | None
    other: float | None
    units: int
    kind: str
    """What a unit is."""
    difference: stats.Difference | None
    """None where there is no test: too few units, or no function of sums (a quantile)."""
    p_holm: float | None = None
    """Of the headline metrics: corrected for all of them together."""

    @property
    def better(self) -> bool | None:
        """Whether the second run is better; None where there is no difference."""
        if self.one is None or self.other is None or self.one == self.other:
            return None
        return (self.other > self.one) == self.higher_is_better

    @property
    def detectable(self) -> float | None:
        """The least true difference that these units show in four of five comparisons."""
        return None if self.difference is None or not self.difference.error else stats.detectable(self.difference.error)

    def needed(self, effect: float) -> int | None:
        """How many units like these show a difference of `effect` in four of five comparisons."""
        if self.difference is None or not self.difference.error:
            return None
        return stats.units_needed(self.difference.error, self.units, effect)


class TaskChange(NamedTuple):
    """A task that was compared."""

    task: str
    profile: str
    channel: Channel
    metrics: list[MetricChange]
    joined: Joined
    mcnemar: float | None
    """Of answers turned right and wrong; None where answers are not right or wrong."""


@dataclass
class Comparison:
    """`refused` is what could not be compared: task -> why."""

    one: Run
    other: Run
    tasks: list[TaskChange] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    decoded: dict[str, list[str]] = field(default_factory=dict)
    """Of tasks that were compared: in what the models decoded otherwise, such as a mode or an option."""
    alone: list[str] = field(default_factory=list)
    """Tasks that only one of the runs has."""


def compare(
    one: Run,
    other: Run,
    tasks: Sequence[str] | None = None,
    profile: str | None = None,
    resamples: int = stats.PAIRED_RESAMPLES,
) -> Comparison:
    """Compare the tasks that both runs have (or those named), under their headline profile or another that both were
    scored by. Raises UsageError for a task that one of them lacks, and a profile that no task has."""
    mine, theirs = one.results.tasks, other.results.tasks
    for name in tasks or ():
        for run in (one, other):
            if name not in run.results.tasks:
                raise UsageError(f"{run.path} has no task {name}; it has {', '.join(run.results.tasks)}")
    names = list(tasks) if tasks else [name for name in mine if name in theirs]
    found = Comparison(one, other, alone=sorted(mine.keys() ^ theirs.keys()) if not tasks else [])
    if profile is not None and not any(
        profile in mine[name].scores and profile in theirs[name].scores for name in names
    ):
        raise UsageError(f"--profile {profile}: both runs have no task in common that was scored by it")
    for name in names:
        if why := list(_refusal(one, other, name, profile)):
            found.refused[name] = why
        else:
            found.tasks.append(_task_change(one, other, name, profile or mine[name].profile, resamples))
            if differs := _decoded(one, other, name):
                found.decoded[name] = differs
    _correct(found.tasks)
    return found


def measurable(run: Run, task: str) -> bool:
    """Whether the task is known here with a metric that the run has: its numbers can be made of parts again."""
    try:
        known = registry.get_task(task)
    except UsageError:
        return False
    return any(metric.name in run.results.tasks[task].headline.metrics for metric in known.metrics)


def _refusal(one: Run, other: Run, task: str, profile: str | None) -> Iterator[str]:
    """Why a task's numbers may not be compared."""
    if not measurable(one, task) or not measurable(other, task):
        yield "no task of this harness has its name and metrics"
        return
    first, second = conditions_of(one, task), conditions_of(other, task)
    if profile is not None:
        for run in (one, other):
            if profile not in run.results.tasks[task].scores:
                yield f"{run.name} was not scored by profile {profile}"
        first["profile"] = second["profile"] = profile
        first["signature"] = second["signature"] = ""
    yield from changes(first, second)
    if first["profile"] != second["profile"]:
        both = [name for name in one.results.tasks[task].scores if name in other.results.tasks[task].scores]
        yield f"by one profile: --profile {' or '.join(both)}" if both else "they share no profile"
    mine, theirs = asked(one, task), asked(other, task)
    other_prompt = [name for name in mine if mine[name] != theirs.get(name, mine[name])]
    if other_prompt:
        shared = len(mine.keys() & theirs.keys())
        yield f"{len(other_prompt)} of {shared} samples were asked in other words or media, e.g. {other_prompt[0]}"
    if not mine.keys() & theirs.keys():
        yield "they have no sample in common"


def _decoded(one: Run, other: Run, task: str) -> list[str]:
    """In what the runs' decoding differs; every vocabulary has ids of its own for the tokens that stop."""
    ours, theirs = (decoding_of(run, task) | {"stop_ids": None} for run in (one, other))
    return changes(ours, theirs)


def _task_change(one: Run, other: Run, name: str, profile: str, resamples: int) -> TaskChange:
    task, channel = registry.get_task(name), one.results.tasks[name].channel
    shared = both_score(one, other, task, profile, channel)
    tables = [
        tables_of(task, profile, channel, (pair for pair in run.counted(name) if key_of(pair[0]) in shared))
        for run in (one, other)
    ]
    changes = metric_changes(task, tables, one.results.tasks[name].scores[profile][channel].metrics, resamples)
    head = next((metric for metric in changes if metric.headline), changes[0])
    joined = join(one, other, name, profile, channel, head.higher_is_better)
    fixed, broken = joined.counts["fixed"], joined.counts["broken"]
    p = stats.mcnemar(fixed, broken) if joined.judged else None
    return TaskChange(name, profile, channel, changes, joined, p)


def metric_changes(
    task: Task,
    tables: Sequence[Sequence[PartTable]],
    stored: Mapping[str, MetricResult],
    resamples: int = stats.PAIRED_RESAMPLES,
) -> list[MetricChange]:
    """Every metric of a task that is stored, in two runs, from the parts of the same samples."""
    found, heads = [], headline(stored)
    for metric in task.metrics:
        if metric.name not in stored:
            continue
        change = MetricChange(
            metric.name,
            metric.unit,
            metric.higher_is_better,
            metric.name in heads,
            None,
            None,
            0,
            "sample",
            None,
        )
        if isinstance(metric, Quantile | Aggregate):
            one, other = (whole(metric, own) for own in tables)
            found.append(replace(change, one=one.value, other=other.value, units=min(one.n, other.n)))
            continue
        both = [measure(task, metric, own) for own in tables]
        found.append(change if both[0] is None or both[1] is None else paired(change, both[0], both[1], resamples))
    return found


def paired(about: MetricChange, one: Measure, other: Measure, resamples: int) -> MetricChange:
    """A metric over the units that both runs have."""
    shared = matched(one, other)
    values = one.compute(shared.one.sum(axis=0)), other.compute(shared.other.sum(axis=0))
    difference = stats.paired_bootstrap(shared.other, shared.one, other.compute, one.compute, resamples=resamples)
    first, second = (float(value) if value == value else None for value in values)
    return replace(about, one=first, other=second, units=len(shared.keys), kind=one.kind, difference=difference)


def _correct(tasks: list[TaskChange]) -> None:
    """Holm's correction over the headline metrics of all tasks."""
    places = [
        (entry, place)
        for entry in tasks
        for place, metric in enumerate(entry.metrics)
        if metric.headline and metric.difference is not None
    ]
    p_values = [entry.metrics[place].difference.p for entry, place in places]  # type: ignore[union-attr]
    for (entry, place), p in zip(places, stats.holm(p_values), strict=True):
        entry.metrics[place] = replace(entry.metrics[place], p_holm=p)
