"""Metrics on neighbour lists: mutual, cycle, LCS and edit-distance kNN, and CKNNA.

Definitions: platonic representation metrics (Huh et al. 2024). The lists are (n, k), nearest first, from
`nearest_neighbours`. The first four are means of one value per row, which `row_scores` gives, so that
confidence intervals and paired tests need no further pass over the features.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from alignment_probes.neighbours import Neighbours, ranks, returns

ROW_METRICS = ("cycle_knn", "cycle_knn_reverse", "mutual_knn", "lcs_knn", "edit_distance_knn")
EPS = 1e-6  # added to the denominators of CKA and CKNNA by the reference implementation


def mutual_knn(a: Tensor, b: Tensor) -> float:
    """Mean share of common neighbours, in [0, 1]. Chance: k / (n - 1). Symmetric."""
    return _mean(_overlap(ranks(a, b)))


def cycle_knn(there: Tensor, back: Tensor) -> float:
    """Share of rows i for which some neighbour j in there[i] has i in back[j]. Not symmetric.

    The reference's `cycle_knn(A, B)` walks there with B and back with A: `cycle_knn(there=b, back=a)`.
    Chance without hubs: 1 - (1 - k / (n - 1)) ** k.
    """
    return _mean(returns(there, back).any(dim=1))


def lcs_knn(a: Tensor, b: Tensor) -> float:
    """Mean length of the longest common subsequence, in [0, k] (not divided by k). Symmetric."""
    return _mean(lcs_lengths(ranks(a, b)))


def edit_distance_knn(a: Tensor, b: Tensor) -> float:
    """1 - mean Levenshtein distance / k, in [0, 1]: a similarity. Chance about 1 / (n - 1). Symmetric."""
    return _mean(1 - edit_distances(ranks(a, b)).double() / a.shape[1])


def row_scores(a: Tensor, b: Tensor, metrics: Iterable[str] = ROW_METRICS) -> dict[str, Tensor]:
    """The value of each row (n,) float64; their mean is the metric. Needs no features."""
    place = ranks(a, b)
    score = {
        "cycle_knn": lambda: returns(there=b, back=a).any(dim=1),
        "cycle_knn_reverse": lambda: returns(there=a, back=b).any(dim=1),
        "mutual_knn": lambda: _overlap(place),
        "lcs_knn": lambda: lcs_lengths(place),
        "edit_distance_knn": lambda: 1 - edit_distances(place).double() / a.shape[1],
    }
    return {metric: score[metric]().double() for metric in metrics}


def lcs_lengths(place: Tensor) -> Tensor:
    """LCS length of each pair of lists (n,), from the ranks (n, k) of one list's entries in the other.

    Entries of a list are distinct, so the LCS is the longest increasing run of ranks: patience sorting,
    all rows at once, k steps of O(n log k). Absent entries have rank k, like an empty pile: no effect.
    """
    n, k = place.shape
    tops = torch.full((n, k), k, dtype=place.dtype, device=place.device)
    for step in range(k):
        rank = place[:, step : step + 1].contiguous()  # (n, 1)
        pile = torch.searchsorted(tops, rank).clamp_(max=k - 1)
        tops.scatter_(1, pile, rank)
    return (tops < k).sum(dim=1)


def edit_distances(place: Tensor) -> Tensor:
    """Levenshtein distance of each pair of lists (n,) (unit costs), from the ranks (n, k).

    The table is filled by anti-diagonals, which depend only on the two before them: 2k steps, each
    vectorised over rows and cells.
    """
    n, k = place.shape
    dtype = torch.int16 if k < 2**15 else torch.int32
    column = place.T.to(dtype).contiguous()  # (k, n): the one column that matches, for each line of the table
    line = torch.arange(1, k + 1, dtype=dtype, device=place.device).unsqueeze(1)
    # diagonal[s % 3][i] is the cell in line i, column s - i
    diagonals = torch.zeros(3, k + 1, n, dtype=dtype, device=place.device)
    for s in range(1, 2 * k + 1):
        current, last, before = diagonals[s % 3], diagonals[(s - 1) % 3], diagonals[(s - 2) % 3]
        low, high = max(1, s - k), min(k, s - 1)
        if low <= high:
            inner, above = slice(low, high + 1), slice(low - 1, high)
            substituted = before[above] + (column[above] != s - 1 - line[above])
            torch.minimum(last[inner], last[above], out=current[inner])
            current[inner] += 1
            torch.minimum(current[inner], substituted, out=current[inner])
        if s <= k:
            current[0] = current[s] = s
    return diagonals[(2 * k) % 3][k].long()


class LocalKernel(NamedTuple):
    """A linear kernel restricted to each row's neighbours, and what CKNNA needs of it alone."""

    neighbours: Neighbours
    reciprocal: Tensor  # (n, k) bool: the neighbour has this row in its list
    self_hsic: float
    unbiased: bool


def local_kernel(neighbours: Neighbours, unbiased: bool = True) -> LocalKernel:
    """Prepare one side of CKNNA. For the biased form the lists may hold the row itself."""
    indices, value = neighbours.indices, neighbours.similarities.double()
    reciprocal = returns(indices, indices)
    return LocalKernel(neighbours, reciprocal, _local_hsic(indices, value, value, reciprocal, unbiased), unbiased)


def cknna(a: LocalKernel, b: LocalKernel, eps: float = EPS) -> float:
    """CKA restricted to the neighbours that both sides share, row by row.

    Not quite symmetric, because sharing is not: exchanging the sides changes it by about 1e-3.
    Chance about 0 in the unbiased form; with k = n - 1 that is unbiased CKA. O(n k) after the neighbours.
    NaN where a self-similarity is negative (possible only where neighbourhoods are hardly reciprocal).
    `eps` is the reference's; it shrinks the value where inner products are tiny.
    """
    if a.unbiased != b.unbiased:
        raise ValueError("cknna: one side is prepared for the biased form; prepare both alike")
    indices = a.neighbours.indices
    k = indices.shape[1]
    place = ranks(indices, b.neighbours.indices).long()
    shared, place = place < k, place.clamp(max=k - 1)
    value_a = a.neighbours.similarities.double() * shared
    value_b = b.neighbours.similarities.gather(1, place).double() * shared
    reciprocal = shared & a.reciprocal & b.reciprocal.gather(1, place)
    between = _local_hsic(indices, value_a, value_b, reciprocal, a.unbiased)
    within = a.self_hsic * b.self_hsic
    return between / (math.sqrt(within) + eps) if within >= 0 else math.nan


def _local_hsic(indices: Tensor, k: Tensor, l: Tensor, reciprocal: Tensor, unbiased: bool) -> float:  # noqa: E741
    """HSIC of two sparse n x n kernels with entries k, l (n, neighbours) at the columns `indices`."""
    n = len(indices)
    trace = float((k * l)[reciprocal].sum())  # sum of K_ij L_ji: both i -> j and j -> i must be kept
    rows_k, rows_l = k.sum(dim=1), l.sum(dim=1)
    columns_k = torch.zeros_like(rows_k).index_add_(0, indices.flatten(), k.flatten())
    columns_l = torch.zeros_like(rows_l).index_add_(0, indices.flatten(), l.flatten())
    totals = float(rows_k.sum() * rows_l.sum())
    k_then_l = float(columns_k @ rows_l)
    if unbiased:
        return (trace + totals / ((n - 1) * (n - 2)) - 2 * k_then_l / (n - 2)) / (n * (n - 3))
    return trace - (k_then_l + float(columns_l @ rows_k)) / n + totals / n**2


def _overlap(place: Tensor) -> Tensor:
    k = place.shape[1]
    return (place < k).sum(dim=1).double() / k


def _mean(rows: Tensor) -> float:
    return float(rows.double().mean())
