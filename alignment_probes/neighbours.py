"""Exact nearest neighbours by inner product, computed once and shared by every neighbour metric.

Similarity is the inner product, as in the platonic representation metrics (Huh et al. 2024); it is the
cosine only after `l2_normalize`. A row is never its own neighbour unless that is asked for.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

CHUNK_BYTES = 16 * 2**20
MIN_ROWS = 4  # unbiased HSIC divides by n - 3


class Neighbours(NamedTuple):
    """The k nearest rows of every row, nearest first."""

    indices: Tensor  # (n, k) int64
    similarities: Tensor  # (n, k) inner products, in the dtype in which they were ranked

    def permuted(self, order: Tensor) -> Neighbours:
        """The lists of `x[order]`, relabelled instead of computed again."""
        position = torch.empty_like(order)
        position[order] = torch.arange(len(order), device=order.device)
        return Neighbours(position[self.indices[order]], self.similarities[order])


def check_features(x: Tensor, name: str) -> Tensor:
    """Return `x` as float32 or float64; ValueError (with the remedy) where no metric is defined on it."""
    if x.ndim != 2:
        raise ValueError(f"{name}: shape {tuple(x.shape)}; pass (samples, features), pooled over tokens")
    if not x.is_floating_point():
        raise ValueError(f"{name}: dtype {x.dtype}; convert it to a floating-point type")
    if len(x) < MIN_ROWS or x.shape[1] < 1:
        raise ValueError(f"{name}: shape {tuple(x.shape)}; at least {MIN_ROWS} samples of one feature needed")
    x = x if x.dtype in (torch.float32, torch.float64) else x.float()
    finite = x.isfinite().all(dim=1)
    if not bool(finite.all()):
        row = int((~finite).nonzero()[0])
        raise ValueError(f"{name}: NaN or infinity in row {row}; drop the sample from both sides")
    if bool((x == x[0]).all()):
        raise ValueError(f"{name}: all rows are equal, alignment is undefined; check the layer and the pooling")
    return x


def check_pair(a: Tensor, b: Tensor) -> None:
    """ValueError unless both hold one row for each sample, on one device."""
    if len(a) != len(b):
        raise ValueError(f"B: {len(b)} rows, but A has {len(a)}; row i of both must be the same sample")
    if a.device != b.device:
        raise ValueError(f"B: on {b.device}, but A is on {a.device}; move one of them")


def check_k(k: int, n: int) -> None:
    """ValueError unless every row has k other rows."""
    if not 1 <= k < n:
        raise ValueError(f"k={k}: must be between 1 and {n - 1} for {n} samples; lower k or add samples")


def l2_normalize(x: Tensor, eps: float = 1e-12) -> Tensor:
    """Scale the last dimension to length 1, dividing by at least `eps` (a zero row stays zero)."""
    x = x if x.dtype in (torch.float32, torch.float64) else x.float()
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / length.clamp_min(eps)


def first_occurrence(x: Tensor) -> Tensor | None:
    """For each row the index of the first row equal to it, (n,); None if all rows differ."""
    n = len(x)
    _, value, count = torch.unique(x[:, 0], return_inverse=True, return_counts=True)
    candidates = (count[value] > 1).nonzero().squeeze(1)  # only these can have an equal row
    if len(candidates) == 0:
        return None
    unique, group = torch.unique(x[candidates], dim=0, return_inverse=True)
    if len(unique) == len(candidates):
        return None
    first = torch.full((len(unique),), n, dtype=torch.long, device=x.device)
    first.scatter_reduce_(0, group, candidates, reduce="amin")
    occurrence = torch.arange(n, device=x.device)
    occurrence[candidates] = first[group]
    return occurrence


def nearest_neighbours(
    x: Tensor, k: int, *, include_self: bool = False, name: str = "A", chunk_bytes: int = CHUNK_BYTES
) -> Neighbours:
    """The k largest inner products of every row of `x` (n, d), descending; equal ones by lower index.

    Duplicate rows tie exactly. Ranked in the dtype of `x` on a CPU (convert to float64 for a ranking free
    of rounding), always in float64 on other devices, where float32 products may be rounded to TF32.
    Extra memory is a few times `chunk_bytes`, plus the lists. ValueError: see `check_features`, `check_k`.
    """
    x = check_features(x, name)
    n = len(x)
    check_k(k, n)
    x = x if x.device.type == "cpu" else x.double()
    representative = first_occurrence(x)
    rows = max(1, min(n, chunk_bytes // (n * x.element_size())))
    take = min(k + 1, n)  # one more than k, to see a tie across the end of the list
    indices = torch.empty(n, k, dtype=torch.long, device=x.device)
    similarities = torch.empty(n, k, dtype=x.dtype, device=x.device)
    buffer = torch.empty(rows, n, dtype=x.dtype, device=x.device)
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        product = torch.mm(x[start:stop], x.T, out=buffer[: stop - start])  # (rows, n)
        if representative is not None:
            product = product[:, representative]  # matrix products may round equal columns differently
        if not include_self:
            product.diagonal(start).fill_(-torch.inf)
        value, index = product.topk(take, dim=1)
        tied = (value[:, 1:] == value[:, :-1]).any(dim=1)
        if bool(tied.any()):  # topk does not order equal values
            ordered = product[tied].sort(dim=1, descending=True, stable=True)
            value[tied], index[tied] = ordered.values[:, :take], ordered.indices[:, :take]
        similarities[start:stop], indices[start:stop] = value[:, :k], index[:, :k]
    return Neighbours(indices, similarities)


def ranks(of: Tensor, within: Tensor, chunk_bytes: int = CHUNK_BYTES) -> Tensor:
    """Position of each entry of `of` (n, k) in the same row of `within` (n, k); k where it is absent."""
    if of.shape != within.shape:
        raise ValueError(f"neighbour lists of shapes {tuple(of.shape)} and {tuple(within.shape)}; use one k")
    n, k = of.shape
    rows = max(1, min(n, chunk_bytes // (4 * n)))
    place = torch.arange(k, dtype=torch.int32, device=of.device).expand(rows, k)
    scratch = torch.empty(rows, n, dtype=torch.int32, device=of.device)
    found = torch.empty(n, k, dtype=torch.int32, device=of.device)
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        table = scratch[: stop - start].fill_(k)
        table.scatter_(1, within[start:stop], place[: stop - start])
        found[start:stop] = table.gather(1, of[start:stop])
    return found


def returns(there: Tensor, back: Tensor) -> Tensor:
    """Whether row i is in the list `back[j]` of its neighbour j = there[i, p]; (n, k) bool."""
    n = len(there)
    row = torch.arange(n, device=there.device).unsqueeze(1)
    keys = (row * n + back.sort(dim=1).values).flatten()  # ascending: one key j * n + i for each i in back[j]
    query = there * n + row
    place = torch.searchsorted(keys, query).clamp_(max=keys.numel() - 1)
    return keys[place] == query
