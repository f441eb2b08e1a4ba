"""Rows of different lengths side by side: each gives what it gives alone.

Padding is zero before every convolution, as what lies beyond a row's ends is; no norm counts it and no place attends
to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rows(NamedTuple):
    """Where rows stand in [B, ..., T]: their `lengths` [B], and `mask` [B, 1, T], true inside a row."""

    lengths: Tensor
    mask: Tensor

    def halved(self) -> Rows:
        """After a step of two, which keeps the last place of an odd row."""
        return rows_of((self.lengths + 1) // 2)

    def twice(self) -> Rows:
        """The same rows again after themselves."""
        return Rows(self.lengths.repeat(2), self.mask.repeat(2, 1, 1))


def rows_of(lengths: Tensor) -> Rows:
    """Rows of `lengths` [B], padded to the longest."""
    places = torch.arange(int(lengths.max()), device=lengths.device)
    return Rows(lengths, (places < lengths[:, None])[:, None])


def convolved(conv: nn.Module, x: Tensor, rows: Rows | None) -> Tensor:
    """A convolution of [B, width, T] that sees zeros where no row is."""
    return conv(x if rows is None else x.masked_fill(~rows.mask, 0))


def normalised(norm: nn.GroupNorm, x: Tensor, rows: Rows | None) -> Tensor:
    """A group norm of [B, width, T] over the places inside each row."""
    if rows is None:
        return norm(x)
    split, outside = x.unflatten(1, (norm.num_groups, -1)), ~rows.mask[:, None]  # [B, groups, width / groups, T]
    count = rows.lengths[:, None, None, None] * split.shape[2]
    mean = split.masked_fill(outside, 0).sum((2, 3), keepdim=True) / count
    away = (split - mean).masked_fill(outside, 0)
    variance = away.square().sum((2, 3), keepdim=True) / count
    even = (away * (variance + norm.eps).rsqrt()).flatten(1, 2)
    return even * norm.weight[:, None] + norm.bias[:, None]


def attended(q: Tensor, k: Tensor, v: Tensor, rows: Rows | None) -> Tensor:
    """Attention of all places to those inside their row; each [B, heads, T, width]."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=None if rows is None else rows.mask[:, None])


def groups(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places of `lengths` that go side by side, each once, the longest first.

    A group holds at most `most` with its padding (or one row), and no row under half of its longest.
    """
    group: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        longest = lengths[group[0]] if group else 0
        if group and ((len(group) + 1) * longest > most or 2 * lengths[place] < longest):
            yield group
            group = []
        group.append(place)
    if group:
        yield group
