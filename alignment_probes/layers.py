"""Alignment of every layer of one model with every layer of another (platonic representation protocol).

The order is clamp, L2-normalise, score; the best pair is the first maximum above zero in row-major order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from alignment_probes.metrics import Prepared, check_metrics, compare, prepare
from alignment_probes.names import METRICS
from alignment_probes.neighbours import CHUNK_BYTES
from alignment_probes.svcca import DEFAULT_DIM


class BestPair(NamedTuple):
    value: float
    x_layer: int
    y_layer: int


def clamp_outliers(x: Tensor, q: float = 0.95, mode: Literal["exact", "approx"] = "exact") -> Tensor:
    """Clamp x (n, layers, d) to plus or minus one threshold near its q-quantile of absolute values.

    exact: the element at index int(q * count) of all absolute values in ascending order. approx: the
    interpolated q-quantile of each sample, averaged over the samples. q = 1 changes nothing.
    ValueError: q outside (0, 1], unknown mode, or NaN in x.
    """
    if not 0 < q <= 1:
        raise ValueError(f"q={q}: must be above 0 and at most 1")
    if mode not in ("exact", "approx"):
        raise ValueError(f"mode={mode!r}: must be 'exact' or 'approx'")
    if bool(x.isnan().any()):
        raise ValueError("x: NaN has no quantile; drop the samples that hold it")
    if q == 1:
        return x
    size = x.abs().flatten(1)  # (n, layers * d)
    size = size if size.dtype in (torch.float32, torch.float64) else size.float()
    if mode == "exact":
        threshold = size.flatten().kthvalue(int(q * size.numel()) + 1).values
    else:
        # By sample: torch.quantile refuses more than 2**24 elements at a time in some versions.
        threshold = torch.stack([sample.quantile(q) for sample in size]).mean()
    return x.clamp(-float(threshold), float(threshold))


def score_grid(
    x: Tensor,
    y: Tensor,
    k: int,
    metrics: Sequence[str] = METRICS,
    *,
    svcca_dim: int = DEFAULT_DIM,
    chunk_bytes: int = CHUNK_BYTES,
) -> dict[str, Tensor]:
    """Score every layer of x (n, Lx, dx) against every layer of y (n, Ly, dy): (Lx, Ly) float64 a metric.

    Each layer is prepared once; cell (i, j) is `score_all(x[:, i], y[:, j])`, so exchanging x and y changes
    `cycle_knn` and, slightly, `cknna`. Layers of different widths: call `prepare` and `compare`.
    """
    check_metrics(metrics)
    for name, side in (("x", x), ("y", y)):
        if side.ndim != 3:
            raise ValueError(f"{name}: shape {tuple(side.shape)}; pass (samples, layers, features)")
    if len(x) != len(y):
        raise ValueError(f"y: {len(y)} rows, but x has {len(x)}; row i of both must be the same sample")

    def prepared(side: Tensor, name: str) -> list[Prepared]:
        return [
            prepare(
                side[:, layer], k, metrics, name=f"{name} layer {layer}", svcca_dim=svcca_dim, chunk_bytes=chunk_bytes
            )
            for layer in range(side.shape[1])
        ]

    layers_x, layers_y = prepared(x, "x"), prepared(y, "y")
    grid = {metric: torch.empty(len(layers_x), len(layers_y), dtype=torch.float64) for metric in metrics}
    for i, side_x in enumerate(layers_x):
        for j, side_y in enumerate(layers_y):
            for metric, value in compare(side_x, side_y, metrics, chunk_bytes).items():
                grid[metric][i, j] = value
    return grid


def best_pair(grid: Tensor) -> BestPair | None:
    """The largest value of a grid (Lx, Ly) and its layers; None if no value is above zero (or all are NaN).

    A maximum over pairs is above a single pair's chance level even where nothing is aligned.
    """
    scores = grid.nan_to_num(nan=-math.inf, neginf=-math.inf, posinf=math.inf)
    value, place = max((value, -place) for place, value in enumerate(scores.flatten().tolist()))
    if value <= 0:
        return None
    return BestPair(value, *divmod(-place, grid.shape[1]))


def truncate(value: float, digits: int = 5) -> float:
    """Cut (not round) after `digits` decimals, as the NEXUS-O paper prints its table 7."""
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR))
