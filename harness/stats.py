"""Confidence intervals of metrics that are functions of sums (WER, accuracy, MME points, ...)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
CONFIDENCE = 0.95
_CHUNK = 1 << 19
"""Weights held at once (4 MB of float64)."""


class Interval(NamedTuple):
    low: float
    high: float


def bootstrap_sums(
    parts: npt.NDArray[np.float64], resamples: int = RESAMPLES, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Sums of `parts` [units, parts] over `resamples` draws of units with replacement: [resamples, parts].

    A draw of n units out of n is the vector of how often each was drawn, so that all sums are one matrix product.
    """
    n = len(parts)
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // max(1, n))
    sums = np.empty((resamples, parts.shape[1]))
    for start in range(0, resamples, rows):
        stop = min(start + rows, resamples)
        drawn = rng.integers(0, n, size=(stop - start, n))
        offset = np.arange(stop - start)[:, None] * n
        counts = np.bincount((drawn + offset).ravel(), minlength=(stop - start) * n)
        sums[start:stop] = counts.reshape(stop - start, n).astype(np.float64) @ parts
    return sums


def percentile_interval(values: npt.NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval | None:
    """The central interval of bootstrap values; None when fewer than half of them are finite."""
    finite = values[np.isfinite(values)]
    if len(finite) < max(2, len(values) / 2):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(float(low), float(high))


def bootstrap_values(
    values: npt.NDArray[np.float64],
    over: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """`over` (percentile, maximum, ...) of `resamples` draws with replacement from `values` [n]: [resamples]."""
    n = len(values)
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // max(1, n))
    starts = range(0, resamples, rows)
    sizes = [(min(start + rows, resamples) - start, n) for start in starts]
    return np.concatenate([over(values[rng.integers(0, n, size=size)]) for size in sizes])


def table(rows: Sequence[Mapping[str, float]]) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Mappings part -> value as (names, array [rows, names]); an absent part is 0."""
    names = sorted({name for row in rows for name in row})
    column = {name: j for j, name in enumerate(names)}
    array = np.zeros((len(rows), len(names)))
    for i, row in enumerate(rows):
        for name, value in row.items():
            array[i, column[name]] = value
    return names, array


def metric_interval(
    names: Sequence[str], sums: npt.NDArray[np.float64], value: Callable[[Mapping[str, Any]], Any]
) -> Interval | None:
    """The interval of a metric from resampled sums [resamples, parts]."""
    columns = {name: sums[:, j] for j, name in enumerate(names)}
    with np.errstate(all="ignore"):
        values = np.asarray(value(columns), dtype=np.float64)
    return percentile_interval(np.broadcast_to(values, (len(sums),)))
