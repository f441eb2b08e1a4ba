"""Sub-scores of a task over runs, as a table whose cells have a step of colour beside their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.schema import GroupResult, MetricResult
from reports.figures import MISSING, number
from reports.plots import scale
from reports.runs import Run
from reports.subscores import metric_of

STEPS = 8


class Cell(NamedTuple):
    """A run's number of a group: as text, with its metric (None where there is none), and 0..STEPS - 1, best last."""

    text: str
    metric: MetricResult | None
    samples: int
    step: int | None


class Heatmap(NamedTuple):
    """A row for each value of the tag, a cell for each run."""

    tag: str
    metric: str
    unit: str
    higher_is_better: bool
    scale: str
    """What the colours run over, in words."""
    rows: list[tuple[str, list[Cell]]]


def heatmaps(task: str, runs: Sequence[Run]) -> list[Heatmap]:
    """One for each tag that a run has sub-scores by, in the runs' order."""
    groups = [run.results.tasks[task].headline.groups for run in runs]
    tags = dict.fromkeys(tag for by in groups for tag in by)
    return [made for tag in tags if (made := _heatmap(task, tag, [by.get(tag, {}) for by in groups])) is not None]


def _heatmap(task: str, tag: str, runs: Sequence[dict[str, GroupResult]]) -> Heatmap | None:
    name = next((found for values in runs if (found := metric_of(values))), "")
    table = {
        value: [
            (group.metrics.get(name), group.n_samples) if (group := values.get(value)) else (None, 0) for values in runs
        ]
        for value in dict.fromkeys(value for values in runs for value in values)
    }
    known = [metric for cells in table.values() for metric, _ in cells if metric is not None]
    if not known:
        return None
    first = known[0]
    numbers = [metric.value for metric in known if metric.value is not None]
    whole = scale.limit(task, name, first)
    low, high = (0.0, whole) if whole is not None else (min(numbers, default=0.0), max(numbers, default=0.0))
    told = f"{number(low, first.unit)} to {number(high, first.unit)} {first.unit}".rstrip()

    def cell(metric: MetricResult | None, samples: int) -> Cell:
        value = None if metric is None else metric.value
        if metric is None or value is None:
            return Cell(MISSING, None, samples, None)
        return Cell(number(value, metric.unit), metric, samples, step(value, low, high, metric.higher_is_better))

    rows = [(value, [cell(*found) for found in cells]) for value, cells in table.items()]
    return Heatmap(tag, name, first.unit, first.higher_is_better, told, rows)


def step(value: float, low: float, high: float, higher: bool) -> int | None:
    """0..STEPS - 1 from worst to best; None where there is nothing to tell apart.

    >>> step(0.0, 0.0, 100.0, True), step(100.0, 0.0, 100.0, True), step(150.0, 0.0, 100.0, False)
    (0, 7, 0)
    """
    if high <= low:
        return None
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return min(STEPS - 1, int((share if higher else 1.0 - share) * STEPS))
