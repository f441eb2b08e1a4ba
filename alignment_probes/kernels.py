"""CKA (Kornblith et al. 2019) with linear and RBF kernels, from biased or unbiased HSIC.

No n x n matrix is ever held: the linear kernel works on d x d products or on rows of the Gram matrix,
whichever is cheaper, in float64 and in pieces of `chunk_bytes`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from alignment_probes.neighbour_metrics import EPS
from alignment_probes.neighbours import CHUNK_BYTES, check_features, check_pair


class Centred(NamedTuple):
    """Features with what makes them centred. HSIC, biased or not, does not see the mean."""

    features: Tensor  # (n, d), as given
    mean: Tensor  # (d,) float64
    squared_norms: Tensor  # (n,) float64, of the centred rows

    def block(self, rows: slice, columns: slice = slice(None)) -> Tensor:
        """A centred float64 piece of the features."""
        return self.features[rows, columns].double() - self.mean[columns]

    def permuted(self, order: Tensor) -> Centred:
        return Centred(self.features[order], self.mean, self.squared_norms[order])


def centre(x: Tensor, name: str = "A", chunk_bytes: int = CHUNK_BYTES) -> Centred:
    """Mean and centred norms of checked features (n, d), accumulated in float64."""
    x = check_features(x, name)
    mean = sum(
        (x[rows].double().sum(dim=0) for rows in _spans(len(x), x.shape[1], chunk_bytes)), torch.zeros(()).to(x.device)
    )
    unnormed = Centred(x, mean / len(x), x.new_empty(0))
    norms = [unnormed.block(rows).square_().sum(dim=1) for rows in _spans(len(x), x.shape[1], chunk_bytes)]
    return Centred(x, unnormed.mean, torch.cat(norms))


def scatter_matrix(x: Centred, y: Centred, columns: slice = slice(None), chunk_bytes: int = CHUNK_BYTES) -> Tensor:
    """Xc^T Yc for some columns of X, (columns, dy) float64, added up over pieces of rows."""
    n, width = len(x.features), max(x.features.shape[1], y.features.shape[1])
    total = torch.zeros((), dtype=torch.float64, device=x.mean.device)
    for rows in _spans(n, width, chunk_bytes // 2):
        left = x.block(rows, columns)
        right = left if y is x and columns == slice(None) else y.block(rows)
        total = left.T @ right if total.ndim == 0 else total.addmm_(left.T, right)
    return total


def squared_cross_norm(x: Centred, y: Centred, chunk_bytes: int = CHUNK_BYTES) -> float:
    """||Xc^T Yc||_F^2 = sum of the product of the centred Gram matrices, by the cheaper of the two."""
    (n, dx), dy = x.features.shape, y.features.shape[1]
    total = 0.0
    if dx * dy <= n * (dx + dy):
        for columns in _spans(dx, dy, chunk_bytes):
            total += float(scatter_matrix(x, y, columns, chunk_bytes).square_().sum())
        return total
    for rows in _spans(n, n, chunk_bytes):
        gram = gram_rows(x, rows, chunk_bytes)
        total += float(gram.square_().sum() if y is x else gram.mul_(gram_rows(y, rows, chunk_bytes)).sum())
    return total


def gram_rows(x: Centred, rows: slice, chunk_bytes: int = CHUNK_BYTES) -> Tensor:
    """Rows of the centred Gram matrix, (rows, n) float64, added up over pieces of columns."""
    n, d = x.features.shape
    total = torch.zeros(len(range(n)[rows]), n, dtype=torch.float64, device=x.mean.device)
    for columns in _spans(d, n, chunk_bytes):
        block = x.block(slice(None), columns)  # (n, columns)
        total.addmm_(block[rows], block.T)
    return total


def linear_hsic(x: Centred, y: Centred, unbiased: bool, squared_norm: float | None = None) -> float:
    """HSIC of linear kernels: tr(KHLH), or the unbiased estimate of Song et al. 2012.

    `squared_norm`, if it is known already, is ||Xc^T Yc||_F^2.
    """
    cross = squared_cross_norm(x, y) if squared_norm is None else squared_norm
    if not unbiased:
        return cross
    # On centred features sum(K~ L~) over all cells is r_x . r_y, and K~ sums to -sum r_x.
    n = len(x.features)
    norms = float(x.squared_norms @ y.squared_norms)
    totals = float(x.squared_norms.sum() * y.squared_norms.sum())
    return (cross - norms + totals / ((n - 1) * (n - 2)) - 2 * norms / (n - 2)) / (n * (n - 3))


def normalised(between: float, within_a: float, within_b: float, eps: float = EPS) -> float:
    """HSIC(K, L) / (sqrt(HSIC(K, K) HSIC(L, L)) + eps)."""
    return between / (math.sqrt(max(within_a, 0.0) * max(within_b, 0.0)) + eps)


def cka(
    a: Tensor,
    b: Tensor,
    *,
    unbiased: bool = False,
    rbf_sigma: float | None = None,
    eps: float = EPS,
    chunk_bytes: int = CHUNK_BYTES,
) -> float:
    """CKA of features (n, da), (n, db) of the same samples; linear, or RBF with an absolute `rbf_sigma`.

    Biased by default, like the reference: unrelated features of effective rank r score about r / (r + n).
    The unbiased form is about 0 there. `eps` shrinks the value where features are tiny (0.08 at a scale of
    1e-3); 0 makes it free of scale. An RBF kernel much narrower than the distances is the identity: biased
    CKA is then 1 whatever the features. ValueError: see `check_features`.
    """
    x, y = centre(a, "A", chunk_bytes), centre(b, "B", chunk_bytes)
    check_pair(a, b)
    if rbf_sigma is not None:
        within_a, between, within_b = rbf_hsics(x, y, rbf_sigma, unbiased, chunk_bytes)
    else:
        within_a, between, within_b = (
            linear_hsic(p, q, unbiased, squared_cross_norm(p, q, chunk_bytes)) for p, q in ((x, x), (x, y), (y, y))
        )
    return normalised(between, within_a, within_b, eps)


class Hsics(NamedTuple):
    within_a: float
    between: float
    within_b: float


def rbf_hsics(x: Centred, y: Centred, sigma: float, unbiased: bool, chunk_bytes: int) -> Hsics:
    """HSIC of (K, K), (K, L), (L, L) for kernels exp(-||x - x'||^2 / (2 sigma^2)), in one pass over rows."""
    if sigma <= 0:
        raise ValueError(f"rbf_sigma={sigma}: must be positive")
    n = len(x.features)
    products = [0.0, 0.0, 0.0]
    sums_k, sums_l = [], []
    for rows in _spans(n, n, chunk_bytes):
        k, l = (_rbf_rows(side, rows, sigma, unbiased, chunk_bytes) for side in (x, y))  # noqa: E741
        products = [total + float((p * q).sum()) for total, p, q in zip(products, (k, k, l), (k, l, l), strict=True)]
        sums_k.append(k.sum(dim=1))
        sums_l.append(l.sum(dim=1))
    rows_k, rows_l = torch.cat(sums_k), torch.cat(sums_l)
    return Hsics(
        *(
            _hsic_from_sums(product, p, q, unbiased)
            for product, p, q in zip(products, (rows_k, rows_k, rows_l), (rows_k, rows_l, rows_l), strict=True)
        )
    )


def _rbf_rows(x: Centred, rows: slice, sigma: float, zero_diagonal: bool, chunk_bytes: int) -> Tensor:
    distance = gram_rows(x, rows, chunk_bytes).mul_(-2)
    distance += x.squared_norms
    distance += x.squared_norms[rows].unsqueeze(1)
    kernel = distance.clamp_(min=0).mul_(-1 / (2 * sigma**2)).exp_()
    kernel.diagonal(rows.start).fill_(0.0 if zero_diagonal else 1.0)
    return kernel


def _hsic_from_sums(product: float, rows_k: Tensor, rows_l: Tensor, unbiased: bool) -> float:
    """HSIC of symmetric kernels (zero diagonal if unbiased) from sum(K * L) and their row sums."""
    n = len(rows_k)
    both, totals = float(rows_k @ rows_l), float(rows_k.sum() * rows_l.sum())
    if unbiased:
        return (product + totals / ((n - 1) * (n - 2)) - 2 * both / (n - 2)) / (n * (n - 3))
    return product - 2 * both / n + totals / n**2


def _spans(count: int, width: int, chunk_bytes: int) -> Iterator[slice]:
    """Slices over `count` lines of `width` float64 numbers, each of at most `chunk_bytes`."""
    step = max(1, chunk_bytes // (8 * width))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
