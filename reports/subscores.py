"""A task's sub-scores as a table prints them: a line a tag, values in the benchmark's terms, wrapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.schema import GroupResult, ScoreResult
from reports.figures import number, with_unit

MOST = 40
"""Values of a tag that are printed; `results.json` and the page have all."""


def lines(scores: ScoreResult, width: int = 100) -> Iterator[str]:
    """Metrics that are no headline, and those that have no value here; then "by TAG: value 12.3, value 45.6 %" for each
    tag; wrapped to `width`."""
    if any(metric.headline for metric in scores.metrics.values()):
        others = {name: metric for name, metric in scores.metrics.items() if not metric.headline}
        shown = [f"{name} {with_unit(one.value, one.unit)}" for name, one in others.items() if one.value is not None]
        if shown:
            yield from _wrapped("also: ", shown, width)
        if scores.n_scored and (lacking := [name for name, one in others.items() if one.value is None]):
            yield from _wrapped("not applicable: ", lacking, width)
    for tag, values in scores.groups.items():
        if metric := metric_of(values):
            yield from _wrapped(*_entries(tag, metric, values), width)


def metric_of(values: Mapping[str, GroupResult]) -> str:
    """The metric that stands for a sub-score: the first headline of the groups, else their first."""
    metrics = next(iter(values.values())).metrics if values else {}
    return next((name for name, metric in metrics.items() if metric.headline), next(iter(metrics), ""))


def _entries(tag: str, metric: str, values: Mapping[str, GroupResult]) -> tuple[str, list[str]]:
    found = [(name, group.metrics[metric]) for name, group in values.items() if metric in group.metrics]
    unit = found[0][1].unit
    entries = [f"{name} {number(one.value, one.unit)}" for name, one in found[:MOST]]
    if len(found) > MOST:
        entries.append(f"... {len(found) - MOST} more in results.json")
    named = "" if metric in ("accuracy", "score") else f" {metric}"
    return f"by {tag}{named}{f', {unit}' if unit else ''}: ", entries


def _wrapped(head: str, entries: list[str], width: int) -> Iterator[str]:
    """Entries are never broken; lines after the first are set in."""
    line, empty = head, True
    for place, entry in enumerate(entries):
        piece = entry + (", " if place < len(entries) - 1 else "")
        if not empty and len(line) + len(piece.rstrip()) > width:
            yield line.rstrip()
            line = "  "
        line, empty = line + piece, False
    yield line.rstrip()
