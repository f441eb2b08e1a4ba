"""Sample records -> a task's counts and metrics with confidence intervals.

The records' order does not matter: a run that was killed and resumed gives the same numbers as one that was not.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from harness import stats
from harness.contracts import SumMetric, TaskLike, ValueMetric
from harness.failures import MIN_COVERAGE, coverage

MIN_CLUSTERS = 8
"""With fewer clusters than this their resampling says little; samples are resampled instead where they add up."""

Floats = npt.NDArray[np.float64]


class PartTable:
    """The parts of many samples, a column a part, eight bytes a value; NaN where a sample lacks the part."""

    def __init__(self) -> None:
        self._columns: dict[str, array[float]] = {}
        self._clusters: dict[str, int] = {}
        self._cluster_of = array("q")

    def __len__(self) -> int:
        return len(self._cluster_of)

    def add(self, parts: Mapping[str, float], cluster: str | None) -> None:
        """A sample; without a cluster it is one of its own."""
        row = len(self)
        for name, value in parts.items():
            column = self._columns.setdefault(name, array("d"))
            column.extend([math.nan] * (row - len(column)))
            column.append(value)
        known = -1 if cluster is None else self._clusters.setdefault(cluster, len(self._clusters))
        self._cluster_of.append(known)

    @property
    def names(self) -> list[str]:
        return sorted(self._columns)

    def values(self) -> Floats:
        """All parts [samples, names], NaN where absent."""
        table = np.full((len(self), len(self._columns)), np.nan)
        for j, name in enumerate(self.names):
            column = np.frombuffer(self._columns[name], dtype=np.float64)
            table[: len(column), j] = column
        return table

    def clusters(self) -> npt.NDArray[np.int64]:
        """Each sample's cluster, numbered from 0; a sample that has none is one of its own."""
        found = np.frombuffer(self._cluster_of, dtype=np.int64).copy()
        alone = found < 0
        found[alone] = len(self._clusters) + np.arange(int(alone.sum()))
        return found


class Units(NamedTuple):
    """What is resampled: `parts` [units, names] add up over units; `kind` says what a unit is."""

    names: list[str]
    parts: Floats
    kind: str


def task_result(
    task: TaskLike, profile: str, prompt: str, records: Iterable[Mapping[str, Any]], seed: int
) -> dict[str, Any]:
    """The entry of a task in `results.json`."""
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    truncated = 0
    table = PartTable()
    for record in records:
        score = record["score"]
        counts[score["status"]] += 1
        if failure := record.get("failure"):
            failures[f"{failure['stage']}/{failure['kind']}"] += 1
        truncated += bool(record.get("response", {}).get("truncated"))
        if score["status"] != "unscored":
            table.add(score["parts"], record["cluster"])

    expected = sum(counts.values())
    share = coverage(counts["ok"], expected)
    sums = [metric for metric in task.metrics if not isinstance(metric, ValueMetric)]
    values = [metric for metric in task.metrics if isinstance(metric, ValueMetric)]
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
        "metrics": sum_metrics(sums, resampling_units(task, profile, table), seed) | value_metrics(values, table, seed),
    }


def resampling_units(task: TaskLike, profile: str, table: PartTable) -> Units:
    """Samples joined into clusters; single samples where there are too few clusters and parts simply add."""
    names, values = table.names, table.values()
    if task.cluster_name is None:
        return Units(names, _ordered(np.nan_to_num(values)), "sample")
    clusters = table.clusters()
    n_clusters = int(clusters.max()) + 1 if len(clusters) else 0
    if not task.additive:
        return _combined(task, profile, names, values, clusters)
    if n_clusters < MIN_CLUSTERS:
        return Units(names, _ordered(np.nan_to_num(values)), "sample")
    joined = np.zeros((n_clusters, len(names)))
    np.add.at(joined, clusters, np.nan_to_num(values))
    return Units(names, _ordered(joined), task.cluster_name)


def _combined(
    task: TaskLike, profile: str, names: Sequence[str], values: Floats, clusters: npt.NDArray[np.int64]
) -> Units:
    """Clusters by the task's own rule, from the parts that their samples have."""
    groups: dict[int, list[Mapping[str, float]]] = {}
    for cluster, row in zip(clusters.tolist(), values.tolist(), strict=True):
        parts = {name: value for name, value in zip(names, row, strict=True) if not math.isnan(value)}
        groups.setdefault(cluster, []).append(parts)
    joined_names, joined = stats.table([task.combine(group, profile) for group in groups.values()])
    return Units(joined_names, _ordered(joined), task.cluster_name or "sample")


def _ordered(rows: Floats) -> Floats:
    """Rows sorted by their values: a bootstrap draws by place, and places must not follow who finished first."""
    return rows[np.lexsort(rows.T[::-1])] if rows.size else rows


def sum_metrics(definitions: Sequence[SumMetric], units: Units, seed: int) -> dict[str, Any]:
    """Each metric's value over all units and its bootstrap interval."""
    n = len(units.parts)
    if n == 0:
        return {m.name: _entry(m, None, None, units.kind, 0) for m in definitions}
    total = dict(zip(units.names, units.parts.sum(axis=0), strict=True))
    resampled = stats.bootstrap_sums(units.parts, seed=seed) if definitions and n > 1 else None
    found = {}
    for metric in definitions:
        value = float(metric.value(total))
        interval = None if resampled is None else stats.metric_interval(units.names, resampled, metric.value)
        found[metric.name] = _entry(metric, value, interval, units.kind, n)
    return found


def value_metrics(definitions: Sequence[ValueMetric], table: PartTable, seed: int) -> dict[str, Any]:
    """Each metric over the samples that have its part, and its bootstrap interval over samples."""
    columns = dict(zip(table.names, table.values().T, strict=True)) if definitions else {}
    found = {}
    for metric in definitions:
        column = columns.get(metric.part, np.empty(0))
        values = np.sort(column[~np.isnan(column)])
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
