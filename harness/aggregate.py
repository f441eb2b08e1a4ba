"""Sample records -> a task's counts and metrics with confidence intervals.

The records' order does not matter: a run that was killed and resumed gives the same numbers as one that was not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from harness import stats
from harness.contracts import SumMetric, TaskLike, ValueMetric
from harness.failures import MIN_COVERAGE, coverage

MIN_CLUSTERS = 8
"""With fewer clusters than this their resampling says little; samples are resampled instead where they add up."""


class Units(NamedTuple):
    """What is resampled: `parts` of each unit, and what a unit is."""

    parts: list[Mapping[str, float]]
    name: str


def task_result(
    task: TaskLike, profile: str, prompt: str, records: Iterable[Mapping[str, Any]], seed: int
) -> dict[str, Any]:
    """The entry of a task in `results.json`."""
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    truncated = 0
    rows: list[tuple[str, str | None, Mapping[str, float]]] = []
    for record in records:
        score = record["score"]
        counts[score["status"]] += 1
        if failure := record.get("failure"):
            failures[f"{failure['stage']}/{failure['kind']}"] += 1
        truncated += bool(record.get("response", {}).get("truncated"))
        if score["status"] != "unscored":
            rows.append((record["id"], record["cluster"], score["parts"]))
    rows.sort(key=lambda row: row[0])  # the bootstrap must not depend on the order in which samples finished

    expected = sum(counts.values())
    share = coverage(counts["ok"], expected)
    sums = [metric for metric in task.metrics if not isinstance(metric, ValueMetric)]
    values = [metric for metric in task.metrics if isinstance(metric, ValueMetric)]
    units = resampling_units(task, profile, [(cluster, parts) for _, cluster, parts in rows])
    return {
        "version": task.version,
        "prompt": prompt,
        "profile": profile,
        "n_expected": expected,
        "n_scored": counts["ok"],
        "n_failed": counts["failed"],
        "n_unscored": counts["unscored"],
        "coverage": share,
        "valid": share >= MIN_COVERAGE,
        "failures": dict(sorted(failures.items())),
        "truncated": truncated,
        "metrics": sum_metrics(sums, units, seed) | value_metrics(values, [parts for _, _, parts in rows], seed),
    }


def resampling_units(task: TaskLike, profile: str, rows: Sequence[tuple[str | None, Mapping[str, float]]]) -> Units:
    """Group samples into clusters; single samples where there are too few clusters and parts simply add."""
    clusters: dict[str, list[Mapping[str, float]]] = {}
    for i, (cluster, parts) in enumerate(rows):
        clusters.setdefault(f"sample {i}" if cluster is None else f"cluster {cluster}", []).append(parts)
    clustered = task.cluster_name is not None
    if clustered and task.additive and len(clusters) < MIN_CLUSTERS:
        return Units([task.combine([parts], profile) for _, parts in rows], "sample")
    name = task.cluster_name if clustered and task.cluster_name else "sample"
    return Units([task.combine(group, profile) for group in clusters.values()], name)


def sum_metrics(definitions: Sequence[SumMetric], units: Units, seed: int) -> dict[str, Any]:
    """Each metric's value over all units and its bootstrap interval."""
    if not units.parts:
        return {m.name: _entry(m, None, None, units.name, 0) for m in definitions}
    names, parts = stats.table(units.parts)
    total = dict(zip(names, parts.sum(axis=0), strict=True))
    resampled = stats.bootstrap_sums(parts, seed=seed) if len(parts) > 1 else None
    found = {}
    for metric in definitions:
        value = float(metric.value(total))
        interval = None if resampled is None else stats.metric_interval(names, resampled, metric.value)
        found[metric.name] = _entry(metric, value, interval, units.name, len(parts))
    return found


def value_metrics(definitions: Sequence[ValueMetric], rows: Sequence[Mapping[str, float]], seed: int) -> dict[str, Any]:
    """Each metric over the samples that have its part, and its bootstrap interval over samples."""
    found = {}
    for metric in definitions:
        values = np.array([parts[metric.part] for parts in rows if metric.part in parts], dtype=np.float64)
        value = float(metric.over(values)) if len(values) else None
        drawn = stats.bootstrap_values(values, metric.over, seed=seed) if len(values) > 1 else None
        interval = None if drawn is None else stats.percentile_interval(drawn)
        found[metric.name] = _entry(metric, value, interval, "sample", len(values))
    return found


def _entry(
    metric: SumMetric | ValueMetric, value: float | None, interval: stats.Interval | None, unit: str, n: int
) -> dict[str, Any]:
    defined = value is not None and math.isfinite(value)
    return {
        "value": value if defined else None,
        "ci": [interval.low, interval.high] if defined and interval is not None else None,
        "ci_unit": unit,
        "n_clusters": n,
        "unit": metric.unit,
        "higher_is_better": metric.higher_is_better,
        "headline": metric.headline,
    }
