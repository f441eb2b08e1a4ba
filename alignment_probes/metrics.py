"""All alignment metrics of two sets of features, with everything shared that can be shared.

`score_all(A, B, k)` is the entry. It prepares each side once (neighbours, kernel norms, leading directions)
and then compares; layer grids and shuffled-pair chance reuse prepared sides. Metrics and their order:
NEXUS-O paper, table 7; definitions: platonic representation metrics (Huh et al. 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from alignment_probes.kernels import Centred, centre, linear_hsic, normalised, scatter_matrix, squared_cross_norm
from alignment_probes.names import KNOWN_METRICS, METRICS
from alignment_probes.neighbour_metrics import ROW_METRICS, LocalKernel, cknna, local_kernel, row_scores
from alignment_probes.neighbours import CHUNK_BYTES, Neighbours, check_features, check_pair, nearest_neighbours
from alignment_probes.svcca import DEFAULT_DIM, basis_correlations, leading_directions

_CKA = ("cka", "unbiased_cka")


class Place(NamedTuple):
    rows: int
    device: torch.device


@dataclass(frozen=True)
class Prepared:
    """One side, ready to be compared; a field is None where no asked metric needs it."""

    centred: Centred | None = None
    squared_norm: float | None = None  # ||Xc^T Xc||_F^2
    neighbours: Neighbours | None = None
    local: LocalKernel | None = None
    local_biased: LocalKernel | None = None
    directions: Tensor | None = None  # (n, svcca_dim)

    def place(self) -> Place:
        """How many rows, and where they are."""
        parts = (
            self.neighbours and self.neighbours.indices,
            self.centred and self.centred.features,
            self.local_biased and self.local_biased.reciprocal,
            self.directions,
        )
        held = next(part for part in parts if part is not None)
        return Place(len(held), held.device)

    def permuted(self, order: Tensor) -> Prepared:
        """The same side with its rows in another order; nothing is computed again."""
        return replace(
            self,
            centred=self.centred and self.centred.permuted(order),
            neighbours=self.neighbours and self.neighbours.permuted(order),
            local=self.local and _permuted_kernel(self.local, order),
            local_biased=self.local_biased and _permuted_kernel(self.local_biased, order),
            directions=None if self.directions is None else self.directions[order],
        )


def prepare(
    x: Tensor,
    k: int,
    metrics: Sequence[str] = METRICS,
    *,
    name: str = "A",
    svcca_dim: int = DEFAULT_DIM,
    chunk_bytes: int = CHUNK_BYTES,
) -> Prepared:
    """Compute what the metrics need of one side (n, d) alone. ValueError: see `score_all`."""
    check_metrics(metrics)
    x = check_features(x, name)
    asked = set(metrics)
    neighbours = local = local_biased = centred = directions = squared_norm = None
    if asked & {*ROW_METRICS, "cknna"}:
        neighbours = nearest_neighbours(x, k, name=name, chunk_bytes=chunk_bytes)
    if "cknna" in asked and neighbours is not None:
        local = local_kernel(neighbours)
    if "cknna_biased" in asked:
        with_self = nearest_neighbours(x, k, include_self=True, name=name, chunk_bytes=chunk_bytes)
        local_biased = local_kernel(with_self, unbiased=False)
    if asked & {*_CKA, "svcca"}:
        centred = centre(x, name, chunk_bytes)
        scatter: Tensor | None = None
        if "svcca" in asked:
            if x.shape[1] <= len(x):  # one product serves both CKA and SVCCA
                scatter = scatter_matrix(centred, centred, chunk_bytes=chunk_bytes)
            directions = leading_directions(centred, svcca_dim, name, scatter, chunk_bytes)
        if asked & set(_CKA):
            squared_norm = (
                squared_cross_norm(centred, centred, chunk_bytes) if scatter is None else float(scatter.square_().sum())
            )
    return Prepared(centred, squared_norm, neighbours, local, local_biased, directions)


def compare(
    a: Prepared, b: Prepared, metrics: Sequence[str] = METRICS, chunk_bytes: int = CHUNK_BYTES
) -> dict[str, float]:
    """The metrics of two sides that were prepared for them, in the order asked."""
    check_metrics(metrics)
    found: dict[str, float] = {}
    rowwise = [metric for metric in metrics if metric in ROW_METRICS]
    if rowwise and a.neighbours and b.neighbours:
        rows = row_scores(a.neighbours.indices, b.neighbours.indices, rowwise)
        found |= {metric: float(value.mean()) for metric, value in rows.items()}
    if "cknna" in metrics and a.local and b.local:
        found["cknna"] = cknna(a.local, b.local)
    if "cknna_biased" in metrics and a.local_biased and b.local_biased:
        found["cknna_biased"] = cknna(a.local_biased, b.local_biased)
    if "svcca" in metrics and a.directions is not None and b.directions is not None:
        found["svcca"] = float(basis_correlations(a.directions, b.directions).mean())
    asked_cka = [metric for metric in _CKA if metric in metrics]
    if asked_cka and a.centred and b.centred:
        cross = squared_cross_norm(a.centred, b.centred, chunk_bytes)
        for metric in asked_cka:
            unbiased = metric == "unbiased_cka"
            within = [linear_hsic(s.centred, s.centred, unbiased, s.squared_norm) for s in (a, b) if s.centred]
            found[metric] = normalised(linear_hsic(a.centred, b.centred, unbiased, cross), *within)
    missing = [metric for metric in metrics if metric not in found]
    if missing:
        raise ValueError(f"metrics {', '.join(missing)}: the sides are not prepared for them; name them in prepare")
    return {metric: found[metric] for metric in metrics}


def score_all(
    a: Tensor,
    b: Tensor,
    k: int,
    metrics: Sequence[str] = METRICS,
    *,
    svcca_dim: int = DEFAULT_DIM,
    chunk_bytes: int = CHUNK_BYTES,
) -> dict[str, float]:
    """Score features A (n, da) against B (n, db), row i of both being the same sample.

    `k` neighbours by inner product (normalise the rows first for cosine). `cycle_knn` walks there with B and
    back with A; `cycle_knn_reverse` the other way. `lcs_knn` is in [0, k], the rest at most 1. Equal rows
    tie and are ranked by index. ValueError names the argument and the remedy: unequal numbers of rows, fewer
    than 4 rows, NaN or infinity, all rows equal, k >= n, svcca_dim beyond the rank, unknown metrics.
    """
    check_pair(a, b)
    sides = [
        prepare(x, k, metrics, name=name, svcca_dim=svcca_dim, chunk_bytes=chunk_bytes)
        for name, x in (("A", a), ("B", b))
    ]
    return compare(sides[0], sides[1], metrics, chunk_bytes)


def check_metrics(metrics: Sequence[str]) -> None:
    """ValueError unless all names are known."""
    unknown = [metric for metric in metrics if metric not in KNOWN_METRICS]
    if unknown:
        raise ValueError(f"metrics: unknown {', '.join(unknown)}; there are {', '.join(KNOWN_METRICS)}")


def _permuted_kernel(kernel: LocalKernel, order: Tensor) -> LocalKernel:
    return kernel._replace(neighbours=kernel.neighbours.permuted(order), reciprocal=kernel.reciprocal[order])
