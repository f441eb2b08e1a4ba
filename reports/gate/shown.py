"""A baseline as text: its numbers, and what an update changes."""

from __future__ import annotations

from collections.abc import Iterator

from harness.schema import MetricResult
from harness.texts import printable
from reports.figures import headline, measured, with_unit
from reports.gate.baseline import Baseline
from reports.gate.side import TaskSide


def lines(path: str, baseline: Baseline) -> Iterator[str]:
    commit = baseline.harness.get("commit") or "unknown"
    yield printable(f"{path}: {baseline.model}, {baseline.run}, commit {commit}, {baseline.device}")
    for task, side in baseline.tasks.items():
        for name, metric in _numbers(side).items():
            yield printable(f"  {task:28} {name:14} {measured(metric)}  {side.n_scored}/{side.n_expected}")
    for update in baseline.history:
        yield printable(f"  {update.when} {update.who}: {update.reason} ({update.run})")


def changes(earlier: Baseline | None, later: Baseline) -> Iterator[str]:
    """A line a headline number that is new, gone or another."""
    if earlier is None:
        yield printable(f"a first baseline of {later.model}: {', '.join(later.tasks)}")
        return
    for task in dict.fromkeys([*earlier.tasks, *later.tasks]):
        before = _numbers(earlier.tasks[task]) if task in earlier.tasks else {}
        after = _numbers(later.tasks[task]) if task in later.tasks else {}
        for name in dict.fromkeys([*before, *after]):
            one, other = (_shown(found.get(name)) for found in (before, after))
            if one != other:
                yield printable(f"{task} {name}: {one} -> {other}")


def _numbers(side: TaskSide) -> dict[str, MetricResult]:
    return headline(side.metrics[side.channel])


def _shown(metric: MetricResult | None) -> str:
    return "not there" if metric is None else with_unit(metric.value, metric.unit)
