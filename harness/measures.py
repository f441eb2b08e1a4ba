"""A metric as a function of sums over units, and two runs' units side by side.

The same parts as the results are made of, kept unit by unit, so that a difference between two runs can be resampled
where both answered the same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from harness.failures import UsageError, failure_from
from harness.schema import Record, Scored
from harness.tally import Tally
from harness.task import Aggregate, Combined, Metric, Quantile, Ratio, Statistic, Task
from harness.types import Channel
from harness.units import Floats, Keys, PartTable, Units, averaged


@dataclass(frozen=True, slots=True)
class Measure:
    """The units that a metric rests on: `parts` [units, columns] add up over units, `keys` [units] name them (sorted),
    and `compute` makes values [...] of sums [..., columns]; a value that is not defined is NaN."""

    metric: Metric
    keys: Keys
    parts: Floats
    kind: str
    compute: Callable[[Floats], Floats]

    @property
    def value(self) -> float:
        return float(self.compute(self.parts.sum(axis=0)))


class Matched(NamedTuple):
    """The units that two measures share: `one` and `other` [units, columns]; `alone` are those that only one has."""

    one: Floats
    other: Floats
    keys: Keys
    alone: int


def tables_of(task: Task, profile: str, channel: Channel, pairs: Iterable[tuple[Record, Scored]]) -> list[PartTable]:
    """The parts of a task's samples (or groups) under a profile and channel, a table each repeat; a record that the
    log has twice counts once."""
    tallies: dict[int, Tally] = {}
    seen: set[tuple[str, int]] = set()
    for record, scored in pairs:
        score = scored.scores.get(profile, {}).get(channel)
        if score is None or (record.id, record.repeat) in seen:
            continue
        seen.add((record.id, record.repeat))
        tallies.setdefault(record.repeat, Tally(task, profile)).add(record, score)
    return [tally.finished() for _, tally in sorted(tallies.items())]


def measure(task: Task, metric: Metric, tables: Sequence[PartTable]) -> Measure | None:
    """A metric's units; None where it is no function of sums (a quantile, an aggregate), or without samples."""
    if not tables or isinstance(metric, Quantile | Aggregate):
        return None
    kind = None if task.group is not None else task.cluster_name
    named = task.cluster_name or "sample" if task.group is not None else ""

    def units(tag: str = "", value: str = "") -> Units:
        rows = [table.tags.get(tag, {}).get(value, []) if tag else None for table in tables]
        return averaged([table.units(kind, picked) for table, picked in zip(tables, rows, strict=True)])

    if isinstance(metric, Ratio):
        own = units()
        parts = np.stack([own.column(metric.part), own.column(metric.whole)], axis=1)
        return Measure(metric, own.keys, parts, named or own.kind, partial(_ratio, metric))
    if isinstance(metric, Statistic):
        own = units().having(metric.over)
        if not len(own.keys):
            return None
        return Measure(metric, own.keys, own.parts, named or own.kind, partial(_statistic, metric, tuple(own.names)))
    of = next(one for one in task.metrics if one.name == metric.of)
    assert isinstance(of, Ratio)
    strata = [units(metric.tag, value) for value in metric.weights]
    keys = np.unique(np.concatenate([own.keys for own in strata]))
    parts = np.zeros((len(keys), 2 * len(strata)))
    for j, own in enumerate(strata):
        place = np.searchsorted(keys, own.keys)
        parts[place, 2 * j], parts[place, 2 * j + 1] = own.column(of.part), own.column(of.whole)
    kinds = {own.kind for own in strata}
    return Measure(metric, keys, parts, named or (kinds.pop() if len(kinds) == 1 else "unit"), _sum_of(metric, of))


class Whole(NamedTuple):
    """A metric that is made of all samples at once, and of how many; `fault` is why there is none, where its function
    fails."""

    value: float | None
    n: int
    fault: str = ""


def quantile(metric: Quantile, tables: Sequence[PartTable]) -> tuple[Whole, Floats]:
    """Over the samples of all repeats that have its part; with their values, sorted."""
    values = np.sort(np.concatenate([table.values(metric.part) for table in tables])) if tables else np.zeros(0)
    return Whole(float(np.quantile(values, metric.q)) if len(values) else None, len(values)), values


def aggregated(metric: Aggregate, tables: Sequence[PartTable]) -> Whole:
    """The mean over repeats of what the function makes of each. Raises UsageError where the function does."""
    of_repeats = [payloads for table in tables if (payloads := table.payloads(metric.name))]
    n = max(map(len, of_repeats), default=0)
    try:
        made = [_number(metric.compute(payloads)) for payloads in of_repeats]
    except UsageError:
        raise
    except Exception as error:  # a function of one's own may raise anything
        return Whole(None, n, failure_from(error, "score").message)
    numbers = [value for value in made if value is not None]
    value = sum(numbers) / len(numbers) if numbers and len(numbers) == len(made) else None
    return Whole(value, n)


def _number(made: object) -> float | None:
    if made is None or (isinstance(made, Real) and not isinstance(made, bool)):
        return None if made is None else float(made)
    raise ValueError(f"its function gave {made!r:.80}, which is no number")


def whole(metric: Quantile | Aggregate, tables: Sequence[PartTable]) -> Whole:
    return quantile(metric, tables)[0] if isinstance(metric, Quantile) else aggregated(metric, tables)


def _ratio(metric: Ratio, sums: Floats) -> Floats:
    with np.errstate(all="ignore"):
        value = metric.scale * sums[..., 0] / sums[..., 1]
    return np.asarray(metric.upper - value if metric.complement and metric.upper is not None else value)


def _statistic(metric: Statistic, names: Sequence[str], sums: Floats) -> Floats:
    with np.errstate(all="ignore"):
        by_name: Mapping[str, Any] = {name: sums[..., j] for j, name in enumerate(names)}
        try:
            return np.asarray(metric.compute(by_name), dtype=np.float64)
        except UsageError:
            raise
        except Exception:  # as in the results, which tell it
            return np.full(sums.shape[:-1], np.nan)


def _sum_of(metric: Combined, of: Ratio) -> Callable[[Floats], Floats]:
    weights = np.asarray(list(metric.weights.values()))

    def compute(sums: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(of.scale * (sums[..., 0::2] / sums[..., 1::2]) @ weights)

    return compute


def matched(one: Measure, other: Measure) -> Matched:
    """The units of both runs, in one order. Statistics whose runs have other parts get zeros where one lacks them."""
    keys, mine, theirs = np.intersect1d(one.keys, other.keys, assume_unique=True, return_indices=True)
    alone = len(one.keys) + len(other.keys) - 2 * len(keys)
    return Matched(one.parts[mine], other.parts[theirs], keys, alone)
