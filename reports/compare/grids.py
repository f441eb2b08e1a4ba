"""A comparison as tables: the numbers of both runs, and what became of the samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from reports.compare.compared import Comparison, MetricChange, TaskChange
from reports.figures import p_value, signed, with_unit
from reports.grid.grid import Cell, Column, Grid, Notes, Row

SHOWN = 10
"""Samples whose change is listed."""


def numbers(found: Comparison, effect: float | None = None) -> Grid:
    """A row a headline metric. `effect` adds how many units show a difference of that size."""
    columns = [
        Column("task", align="left"),
        Column("metric", align="left"),
        Column(found.one.name),
        Column(found.other.name),
        Column("difference"),
        Column("95 % interval"),
        Column("p"),
        Column("p (Holm)"),
        Column("units", align="left"),
        Column("detectable"),
    ]
    if effect is not None:
        columns.append(Column(f"units for {effect:g}"))
    notes = Notes()
    rows = [
        Row(tuple(_cells(entry, metric, effect, notes)))
        for entry in found.tasks
        for metric in entry.metrics
        if metric.headline
    ]
    title = f"{found.one.model} ({found.one.name}) → {found.other.model} ({found.other.name})"
    said = ("Difference: the second run minus the first, over the samples that both score, with a paired bootstrap.",)
    return Grid(title, tuple(columns), tuple(rows), said, notes.all())


def _cells(entry: TaskChange, metric: MetricChange, effect: float | None, notes: Notes) -> Iterator[Cell]:
    arrow = "↑" if metric.higher_is_better else "↓"
    alone = f"{entry.joined.alone:,} samples are in one of the runs only, and not compared"
    yield Cell(entry.task, marks=(notes.mark(alone),) if entry.joined.alone else ())
    yield Cell(f"{metric.name} {arrow}")
    yield _number(metric.one, metric.unit)
    yield _number(metric.other, metric.unit)
    change = metric.difference
    if change is None:
        difference = None if metric.one is None or metric.other is None else metric.other - metric.one
        if difference is None:
            yield Cell()
        else:
            untested = notes.mark("no paired test: a quantile, or too few units")
            yield Cell(signed(difference, metric.unit), difference, marks=(untested,))
        yield from (Cell(), Cell(), Cell())
    else:
        verdict = "better" if metric.better else "worse"
        lines = (verdict,) if change.significant and metric.better is not None else ()
        yield Cell(signed(change.value, metric.unit), change.value, lines)
        low, high = signed(change.low, metric.unit), signed(change.high, metric.unit)
        yield Cell(f"[{low}, {high}]", more={"low": change.low, "high": change.high})
        yield Cell(p_value(change.p), change.p)
        yield Cell() if metric.p_holm is None else Cell(p_value(metric.p_holm), metric.p_holm)
    yield Cell(f"{metric.units:,} {metric.kind}s", metric.units)
    yield _number(metric.detectable, metric.unit)
    if effect is not None:
        needed = metric.needed(effect)
        yield Cell() if needed is None else Cell(f"{needed:,}", needed)


def samples(found: Comparison) -> Grid:
    """A row a task: how many answers were fixed and broken."""
    headings = ("fixed", "broken", "better", "worse", "same", "McNemar p")
    columns = (Column("task", align="left"), *map(Column, headings))
    rows = []
    for entry in found.tasks:
        counts = [Cell(f"{n:,}", n) for n in entry.joined.counts.values()]
        p = Cell() if entry.mcnemar is None else Cell(p_value(entry.mcnemar), entry.mcnemar)
        rows.append(Row((Cell(entry.task), *counts, p)))
    said = ("Fixed and broken: wrong in one run and right in the other. Better and worse: wrong or right in both.",)
    return Grid("Samples", columns, tuple(rows), said)


def decoded(found: Comparison) -> Iterator[str]:
    """In what the models decoded otherwise, which is said once of all tasks that it is the same in."""
    tasks: dict[tuple[str, ...], list[str]] = {}
    for task, differs in found.decoded.items():
        tasks.setdefault(tuple(differs), []).append(task)
    for lines, names in tasks.items():
        yield f"decoded otherwise in {', '.join(names)}: {'; '.join(lines)}"


def refusals(found: Comparison) -> Iterator[str]:
    """What was not compared, and why."""
    for task, why in found.refused.items():
        yield f"{task} is not compared: {'; '.join(why[:4])}" + (f"; {len(why) - 4} more" if len(why) > 4 else "")
    if found.alone:
        yield f"in one of the runs only: {', '.join(found.alone)}"


def content(found: Comparison) -> dict[str, Any]:
    """As JSON for programs."""
    return {
        "one": {"run": found.one.name, "model": found.one.model},
        "other": {"run": found.other.name, "model": found.other.model},
        "tasks": [
            {
                "task": entry.task,
                "profile": entry.profile,
                "channel": entry.channel,
                "metrics": [_metric_content(metric) for metric in entry.metrics],
                "counts": entry.joined.counts,
                "alone": entry.joined.alone,
                "mcnemar_p": entry.mcnemar,
                "changes": [change._asdict() for change in entry.joined.changes],
            }
            for entry in found.tasks
        ],
        "decoded": found.decoded,
        "refused": found.refused,
        "only_in_one": found.alone,
    }


def _metric_content(metric: MetricChange) -> dict[str, Any]:
    made = {name: getattr(metric, name) for name in ("name", "unit", "higher_is_better", "headline", "one", "other")}
    made |= {"units": metric.units, "unit_kind": metric.kind, "p_holm": metric.p_holm, "detectable": metric.detectable}
    change = metric.difference
    return made | {"difference": None if change is None else msgspec.to_builtins(change._asdict())}


def _number(value: float | None, unit: str) -> Cell:
    return Cell() if value is None else Cell(with_unit(value, unit), value)
