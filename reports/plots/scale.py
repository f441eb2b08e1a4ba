"""From a metric's own unit to 0..1, where 1 is best: one table of limits for all models, so that radars compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from harness.schema import MetricResult, TaskResult
from reports import figures

LIMITS: Mapping[tuple[str, str], float] = {
    ("mme", "perception"): 2000.0,
    ("mme", "cognition"): 800.0,
    ("mme", "total"): 2800.0,
    ("mme", "score"): 200.0,
    ("ocrbench", "score"): 1000.0,
}
"""(task, metric) -> its largest value, of metrics in points. A metric in % has 100."""
OF_METRICS: Mapping[str, float] = {"bleu": 100.0, "sim": 1.0}
"""The same of metrics without a unit, in any task."""
STANDS: Mapping[str, str] = {"mme": "total", "hallusionbench": "average"}
"""Task -> which of its headline metrics stands for it; of the others the first."""


class Scaled(NamedTuple):
    """A metric with what it is divided by."""

    name: str
    metric: MetricResult
    limit: float


def limit(task: str, name: str, metric: MetricResult) -> float | None:
    """The value that is 1 on the scale; None for a metric without one, such as a latency."""
    return 100.0 if metric.unit == "%" else LIMITS.get((task, name), OF_METRICS.get(name))


def share(value: float | None, metric: MetricResult, whole: float) -> float | None:
    """0..1, 1 is best: lower-is-better is 1 - x, x clipped to 0..1, so that a WER of 100 % or more is 0."""
    if value is None:
        return None
    x = min(1.0, max(0.0, value / whole))
    return x if metric.higher_is_better else 1.0 - x


def share_interval(metric: MetricResult, whole: float) -> tuple[float | None, float | None]:
    """The interval on the scale, its lower end first."""
    if metric.ci is None:
        return None, None
    ends = [found for end in metric.ci if (found := share(end, metric, whole)) is not None]
    return min(ends), max(ends)


def scaled(task: str, entry: TaskResult) -> list[Scaled]:
    """The headline metrics that have a limit."""
    shown = figures.headline(entry.headline.metrics)
    found = [(name, metric, limit(task, name, metric)) for name, metric in shown.items()]
    return [Scaled(name, metric, whole) for name, metric, whole in found if whole is not None]


def stands_for(task: str, entry: TaskResult) -> Scaled | None:
    """The metric that stands for a task where each has one."""
    found = scaled(task, entry)
    return next((one for one in found if one.name == STANDS.get(task)), found[0] if found else None)
