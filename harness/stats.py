"""Confidence intervals that hold at the edge: no error in n answers is no certainty.

Rates and other ratios of sums get an exact interval (Clopper and Pearson 1934; Garwood 1936 where there is no upper
limit) at an effective size that comes from the spread between units (Korn and Graubard 1998). How much answers of
one unit depend on each other cannot be seen while hardly any of them is wrong, so that it starts from the assumption
that an error takes its whole unit along, and gives way to what is seen. Any other function of sums is resampled.

`benchmarks/coverage.py` measures how often each covers the true value; docs/statistics.md tells it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betaincinv, gammaincinv, ndtri, stdtrit

RESAMPLES = 2000
PAIRED_RESAMPLES = 10_000
CONFIDENCE = 0.95
_CHUNK = 1 << 19
"""Weights held at once (4 MB of float64)."""
_BURST = 2.0
"""Errors that come together in one unit of an unlimited ratio (a misheard utterance), until the data say more."""
_LEAST = 0.5
"""A design effect below this is not believed, however alike the units are."""
_TAIL = (1 - CONFIDENCE) / 2

Floats = npt.NDArray[np.float64]


class Interval(NamedTuple):
    low: float
    high: float
    method: str


class Stratum(NamedTuple):
    """The units of a ratio: `part` and `whole` [units], and the weight of their ratio in a sum of ratios."""

    part: Floats
    whole: Floats
    weight: float = 1.0

    @property
    def asked(self) -> Stratum:
        """Without the units that have neither."""
        kept = (self.whole > 0) | (self.part != 0)
        return Stratum(self.part[kept], self.whole[kept], self.weight)


def ratio_interval(strata: Sequence[Stratum], upper: float | None) -> Interval | None:
    """The interval of the weighted sum of sum(part) / sum(whole) of each stratum.

    `upper` is the largest value of one such ratio, None where it has no limit. None where a stratum has fewer than two
    units with a whole: nothing is known of their spread then. Weights are positive.
    """
    asked = [s.asked for s in strata]
    if any(len(s.whole) < 2 or s.whole.sum() == 0 for s in asked):
        return None
    sum_of_weights = sum(s.weight for s in asked)
    ratio, size, spread, together = _moments(asked, upper or 1.0)
    freedom = sum(len(s.whole) for s in asked) - len(asked)
    widened = float(stdtrit(freedom, 1 - _TAIL) / ndtri(1 - _TAIL)) ** 2
    if upper is None:
        burst = min(_BURST, max(1.0, together))
        effect = max(_LEAST, (spread * size * size + burst) / (ratio * size + 1))
        events = ratio * size / effect / widened
        low, high = gammaincinv(events, _TAIL) if events else 0.0, gammaincinv(events + 1, 1 - _TAIL)
        scale, method = sum_of_weights * effect * widened / size, "Garwood"
    else:
        ratio = min(1.0, max(0.0, ratio))
        effect = max(_LEAST, (spread * size * size + together) / (ratio * (1 - ratio) * size + 1))
        n = size / effect / widened
        low = betaincinv(n * ratio, n * (1 - ratio) + 1, _TAIL) if ratio > 0 else 0.0
        high = betaincinv(n * ratio + 1, n * (1 - ratio), 1 - _TAIL) if ratio < 1 else 1.0
        scale, method = sum_of_weights * upper, "Clopper-Pearson"
    return Interval(scale * float(low), scale * float(high), method)


class _Moments(NamedTuple):
    ratio: float
    """Weighted mean of the strata's ratios, in units of the largest value."""
    size: float
    """As many independent answers as there would be, were no two of a unit alike."""
    spread: float
    """Variance of the mean by the differences between units."""
    together: float
    """Answers of a unit."""


def _moments(strata: Sequence[Stratum], upper: float) -> _Moments:
    total_weight = sum(s.weight for s in strata)
    mean = spread = inverse = together = 0.0
    for part, whole, weight in strata:
        share, total, n = weight / total_weight, float(whole.sum()), len(whole)
        own = float(part.sum()) / total / upper
        mean += share * own
        spread += (share / total) ** 2 * n / (n - 1) * float(((part / upper - own * whole) ** 2).sum())
        inverse += share * share / total
        together += share * total / n
    return _Moments(mean, 1 / inverse, spread, together)


def quantile_interval(values: Floats, q: float) -> Interval | None:
    """The interval of a quantile from order statistics of the sorted values [n] (Conover 1999); exact whatever the
    distribution. None where n values cannot bound it: too few of them, or a maximum."""
    n = len(values)
    if not 0 < q < 1:
        return None
    at_most = bdtr(np.arange(n, dtype=np.float64), n, q)  # P(fewer than or exactly k values lie below the quantile)
    low, high = int(np.searchsorted(at_most, _TAIL)) - 1, int(np.searchsorted(at_most, 1 - _TAIL))
    if low < 0 or high >= n:
        return None
    return Interval(float(values[low]), float(values[high]), "order statistics")


def bootstrap_interval(
    parts: Floats, names: Sequence[str], compute: Callable[[Mapping[str, Any]], Any], seed: int = 0
) -> Interval | None:
    """The percentile interval of a function of sums over units with parts [units, names].

    None where no resample differs or fewer than half are defined: that says that n is too small, not that the value
    is certain.
    """
    sums = bootstrap_sums(parts, seed=seed)
    with np.errstate(all="ignore"):
        values = np.asarray(compute({name: sums[:, j] for j, name in enumerate(names)}), dtype=np.float64)
    finite = values[np.isfinite(values)]
    if len(finite) < max(2, len(sums) / 2):
        return None
    low, high = (float(value) for value in np.quantile(finite, [_TAIL, 1 - _TAIL]))
    return Interval(low, high, "bootstrap") if low < high else None


def bootstrap_sums(parts: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
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


class Difference(NamedTuple):
    """One run's value minus another's over shared units, with the interval of the paired bootstrap."""

    value: float
    low: float
    high: float
    p: float
    """Two-sided: how far the resampled differences lie on one side of zero; at least 1 / (resamples + 1)."""
    error: float
    """Standard error."""

    @property
    def significant(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def paired_bootstrap(
    one: Floats,
    other: Floats,
    compute: Callable[[Floats], Floats],
    compute_other: Callable[[Floats], Floats] | None = None,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = PAIRED_RESAMPLES,
    seed: int = 0,
) -> Difference | None:
    """The difference of a function of sums between two runs over the same units [units, columns each].

    Both runs get the same draws, so that what is hard for both cancels out. The percentile interval is widened as a t
    interval is against a normal one, since few units vary too little among themselves (Hesterberg 2015). None where
    there are fewer than two units, or the difference is not defined in half of the draws.
    """
    n = len(one)
    if n < 2:
        return None
    value = float(compute(one.sum(axis=0)) - (compute_other or compute)(other.sum(axis=0)))
    draws = paired_differences(one, other, compute, compute_other, resamples, seed)
    draws = draws[np.isfinite(draws)]
    if not math.isfinite(value) or len(draws) < max(2, resamples / 2):
        return None
    tail = (1 - confidence) / 2
    widened = math.sqrt(n / (n - 1)) * float(stdtrit(n - 1, 1 - tail) / ndtri(1 - tail))
    draws = value + widened * (draws - value)
    low, high = (float(bound) for bound in np.quantile(draws, [tail, 1 - tail]))
    side = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    p = min(1.0, 2 * (side + 1) / (len(draws) + 1))
    return Difference(value, low, high, p, float(draws.std()))


def paired_differences(
    one: Floats,
    other: Floats,
    compute: Callable[[Floats], Floats],
    compute_other: Callable[[Floats], Floats] | None = None,
    resamples: int = PAIRED_RESAMPLES,
    seed: int = 0,
) -> Floats:
    """The difference in each of `resamples` draws of units with replacement: [resamples]."""
    split = one.shape[1]
    sums = bootstrap_sums(np.concatenate([one, other], axis=1), resamples, seed)
    return np.asarray(compute(sums[:, :split]) - (compute_other or compute)(sums[:, split:]))


def mcnemar(fixed: int, broken: int) -> float:
    """The exact two-sided p-value of as many answers turned right as wrong (McNemar 1947, by the binomial).

    >>> mcnemar(0, 6)
    0.03125
    """
    n = fixed + broken
    return 1.0 if n == 0 else min(1.0, 2 * float(bdtr(min(fixed, broken), n, 0.5)))


def detectable(error: float, power: float = 0.8) -> float:
    """The least true difference that a two-sided test at 5 % finds with `power`, at a standard error."""
    return float(ndtri(1 - _TAIL) + ndtri(power)) * error


def units_needed(error: float, units: int, difference: float, power: float = 0.8) -> int:
    """How many units like these `units` it takes to find a difference of a given size with `power`."""
    return max(2, math.ceil(units * (detectable(error, power) / difference) ** 2))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for the number of tests made together (Holm 1979), in the order given."""
    corrected = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = running
    return corrected
