"""Chance levels, confidence intervals and paired tests for alignment scores.

Drawing samples with replacement and scoring them again is not valid: a duplicate is its own nearest
neighbour, and it inflates kernel sums. Resampling the values of rows with fixed neighbour lists is not
either: a sample is also a candidate in the lists of others, so rows are dependent, and 95 % intervals of
mutual kNN held the expected value in 83 % of simulated studies (n = 150, k = 10).

So errors come from the delete-d jackknife (Shao and Wu 1989), for every metric alike: random thirds of the
samples are left out (without replacement, neighbours computed again) and the spread of the scores is scaled
by (n - d) / d. The same simulation covers 94 to 100 %: exact for CKA, wide by up to 1.7 for neighbour lists.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from scipy.stats import t as student_t
from torch import Tensor

from alignment_probes.metrics import Prepared, check_metrics, compare, score_all
from alignment_probes.names import METRICS
from alignment_probes.neighbours import check_pair
from alignment_probes.svcca import DEFAULT_DIM


class Chance(NamedTuple):
    """A metric over shuffled pairs."""

    mean: float
    sd: float  # over permutations


class Interval(NamedTuple):
    value: float
    low: float
    high: float
    standard_error: float


class PairedTest(NamedTuple):
    """First minus second model; the p-value is two-sided."""

    difference: float
    standard_error: float
    p_value: float


class Pair(NamedTuple):
    """The two sides of one model: row i of both is the same sample."""

    a: Tensor  # (n, da)
    b: Tensor  # (n, db)


def analytic_chance(n: int, k: int) -> dict[str, float]:
    """Expected values for unrelated sides without hubs (vectors that are everybody's neighbour).

    mutual: exactly k / (n - 1). Cycle: 1 - (1 - k / (n - 1))^k. Edit distance: about 1 / (n - 1).
    Inner products of rows of unequal length make hubs; then only `shuffled_chance` tells the level.
    """
    share = k / (n - 1)
    cycle = 1 - (1 - share) ** k
    return {"mutual_knn": share, "cycle_knn": cycle, "cycle_knn_reverse": cycle, "edit_distance_knn": 1 / (n - 1)}


def shuffled_chance(
    a: Prepared, b: Prepared, metrics: Sequence[str] = METRICS, *, permutations: int = 20, seed: int = 0
) -> dict[str, Chance]:
    """The metrics of prepared sides with the rows of b in random order: lists are relabelled, not computed."""
    if permutations < 2:
        raise ValueError(f"permutations={permutations}: at least 2 are needed for a standard deviation")
    generator = torch.Generator().manual_seed(seed)
    n, device = b.place()
    found = []
    for _ in range(permutations):
        order = torch.randperm(n, generator=generator).to(device)
        found.append(list(compare(a, b.permuted(order), metrics).values()))
    values = torch.tensor(found, dtype=torch.float64)  # (permutations, metrics)
    mean, sd = values.mean(dim=0).tolist(), values.std(dim=0).tolist()
    return {metric: Chance(mean[i], sd[i]) for i, metric in enumerate(metrics)}


def confidence_intervals(
    a: Tensor,
    b: Tensor,
    k: int,
    metrics: Sequence[str] = METRICS,
    *,
    level: float = 0.95,
    subsets: int = 40,
    svcca_dim: int = DEFAULT_DIM,
    seed: int = 0,
) -> dict[str, Interval]:
    """Intervals of `score_all(a, b, k, metrics)` over samples: delete-d jackknife, Student's t.

    They hold for the score at this n (biased CKA and SVCCA depend on it). Costs about `subsets` / 2 scores.
    ValueError: as `score_all`; level outside (0, 1), fewer than 2 subsets, k or dim too large for n - n // 3.
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level}: must be between 0 and 1, e.g. 0.95")
    check_metrics(metrics)
    check_pair(a, b)

    def score(kept: Tensor) -> dict[str, float]:
        return score_all(a[kept], b[kept], k, metrics, svcca_dim=svcca_dim)

    estimates = _jackknife(score, len(a), subsets, seed, a.device)
    quantile = float(student_t.ppf((1 + level) / 2, subsets - 1))
    return {
        metric: Interval(value, value - quantile * error, value + quantile * error, error)
        for metric, (value, error) in estimates.items()
    }


def paired_tests(
    first: Pair,
    second: Pair,
    k: int,
    metrics: Sequence[str] = METRICS,
    *,
    subsets: int = 40,
    svcca_dim: int = DEFAULT_DIM,
    seed: int = 0,
) -> dict[str, PairedTest]:
    """Is the first model aligned better than the second on the same samples? Two-sided, not corrected.

    The difference of scores against its own delete-d jackknife error, the same samples left out of both;
    Student's t with subsets - 1 degrees of freedom. A sign-flip test on the differences of row values is
    no substitute: for two equally aligned models it rejected mutual kNN in 14 % of simulated studies at a
    level of 5 %, this test in 1 % (n = 150, k = 10).
    ValueError: as `score_all`, and where the sides have unequal numbers of samples.
    """
    if len({len(side) for side in (*first, *second)}) > 1:
        raise ValueError("second: all four sides must hold the same samples, one row each")

    def score(kept: Tensor) -> dict[str, float]:
        one, two = (score_all(pair.a[kept], pair.b[kept], k, metrics, svcca_dim=svcca_dim) for pair in (first, second))
        return {metric: one[metric] - two[metric] for metric in metrics}

    found = {}
    for metric, (value, error) in _jackknife(score, len(first.a), subsets, seed, first.a.device).items():
        statistic = abs(value) / error if error > 0 else (math.inf if value else 0.0)
        found[metric] = PairedTest(value, error, float(2 * student_t.sf(statistic, subsets - 1)))
    return found


class _Estimate(NamedTuple):
    value: float
    standard_error: float


def _jackknife(
    score: Callable[[Tensor], dict[str, float]], n: int, subsets: int, seed: int, device: torch.device
) -> dict[str, _Estimate]:
    """Delete-d jackknife, d = n // 3, of each score; `score` is given the samples that are kept."""
    if subsets < 2:
        raise ValueError(f"subsets={subsets}: at least 2 are needed for an error")
    generator = torch.Generator().manual_seed(seed)
    deleted = n // 3
    full = score(torch.arange(n, device=device))
    found: dict[str, list[float]] = {metric: [] for metric in full}
    for _ in range(subsets):
        kept = torch.randperm(n, generator=generator)[deleted:].sort().values.to(device)
        for metric, value in score(kept).items():
            found[metric].append(value)
    scale = (n - deleted) / deleted
    return {
        metric: _Estimate(full[metric], math.sqrt(scale * statistics.variance(values)))
        for metric, values in found.items()
    }
