"""The sub-scores of a task (MME's categories) as bars with their 95 % intervals and n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from harness.schema import GroupResult
from reports.figures import MISSING, measured, with_unit
from reports.labels import note, of_task, told
from reports.plots import scale
from reports.plots.bars import Group, draw_bars, measured_bar
from reports.plots.plot import LeftOut, Plot, Words, named
from reports.runs import Run
from reports.subscores import metric_of

MOST = 80
"""Bars of a figure; the CSV has all."""


def subtasks(run: Run, task: str) -> Iterator[Plot | LeftOut]:
    """A plot for each tag of the headline's groups."""
    groups = run.results.tasks[task].headline.groups
    if not groups:
        yield LeftOut("subtasks", task, "the task has no sub-scores")
    for tag, values in groups.items():
        name = metric_of(values)
        if not any(name in group.metrics and group.metrics[name].value is not None for group in values.values()):
            yield LeftOut("subtasks", f"{task} by {tag}", "no sub-score has a value")
        else:
            yield _plot(run, task, tag, name, values)


def _plot(run: Run, task: str, tag: str, name: str, values: Mapping[str, GroupResult]) -> Plot:
    found = [(value, group, group.metrics[name]) for value, group in values.items() if name in group.metrics]
    rows = tuple(
        {
            "run": run.name,
            "model": run.model,
            "task": task,
            "tag": tag,
            "value_of_tag": value,
            "metric": name,
            "value": metric.value,
            "low": metric.ci[0] if metric.ci else None,
            "high": metric.ci[1] if metric.ci else None,
            "unit": metric.unit,
            "n": metric.n,
            "n_unit": metric.ci_unit,
            "samples": group.n_samples,
        }
        for value, group, metric in found
    )
    metric = found[0][2]
    whole = scale.limit(task, name, metric) if metric.higher_is_better else None
    bars = [Group(value, [measured_bar(0, one)]) for value, _, one in found[:MOST]]
    notes = [f"black line: 95 % interval; n: {metric.ci_unit}s" if metric.ci_unit else "black line: 95 % interval"]
    if len(found) > MOST:
        notes.append(f"{len(found) - MOST} more in the CSV")
    if lacking := sum(one.value is None for _, _, one in found):
        notes.append(f"{MISSING}: no value ({lacking} of {len(found)})")
    notes += note([run])
    direction = "" if metric.higher_is_better else ", lower is better"
    words = Words(f"{run.model}: {task} by {tag}", told([run], [of_task(run, task)]), tuple(notes))
    axis = f"{name}, {metric.unit}{direction}" if metric.unit else f"{name}{direction}"
    draw = partial(draw_bars, words, bars, [run.model], axis, (0.0, whole))
    ordered = sorted((one.value, value) for value, _, one in found if one.value is not None)
    (least, lowest), (most, highest) = ordered[0], ordered[-1]
    alt = (
        f"Bars of {name} of {run.model} on {task} for {len(found)} values of {tag}, "
        f"from {with_unit(least, metric.unit)} ({lowest}) to {with_unit(most, metric.unit)} ({highest})."
    )
    if len(found) == 1:
        alt = f"One bar: {name} of {run.model} on {task}, {tag} {highest}, is {measured(metric)}."
    return Plot("subtasks", named("subtasks", task, tag, run.name), words, alt, rows, draw)
