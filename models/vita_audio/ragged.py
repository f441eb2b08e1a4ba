"""Rows of different lengths end to end in one sequence: each gives what it gives alone.

Gaps of zeros stand between the rows, as zeros stand beyond the ends of one that is alone, so that convolutions go
over all rows at once and hardly any place is computed for nothing. Norms count each row for itself, and attention
stays within a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rows(NamedTuple):
    """Where rows stand in [B, ..., size]: their starts and lengths, and for each place whether it is in one.

    `member` [size, rows] is 1.0 where a place is in a row, `outside` [size] is true in the gaps.
    """

    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    member: Tensor
    outside: Tensor

    def halved(self) -> Rows:
        """After a step of two, which keeps the last place of an odd row."""
        size = len(self.member) // 2
        halves = tuple((length + 1) // 2 for length in self.lengths)
        return _placed(tuple(start // 2 for start in self.starts), halves, size, self.member)

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """The rows [width, length] in their places: [width, size]"""
        whole = parts[0].new_zeros(len(parts[0]), len(self.member))
        for part, start, length in zip(parts, self.starts, self.lengths, strict=True):
            whole[:, start : start + length] = part
        return whole

    def parted(self, x: Tensor, dim: int = -1) -> list[Tensor]:
        """The rows out of their places along a dimension."""
        return [x.narrow(dim, start, length) for start, length in zip(self.starts, self.lengths, strict=True)]


def rows_of(lengths: Sequence[int], halvings: int, like: Tensor) -> Rows:
    """Rows end to end, with a gap between any two that is left after so many steps of two."""
    unit, starts, size = 2**halvings, [], 0
    for length in lengths:
        starts.append(size)
        size += unit * (-(-length // unit) + 1)
    return _placed(tuple(starts), tuple(lengths), size, like)


def _placed(starts: tuple[int, ...], lengths: tuple[int, ...], size: int, like: Tensor) -> Rows:
    member = torch.zeros(size, len(starts))
    for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        member[start : start + length, row] = 1
    member = member.to(like)
    return Rows(starts, lengths, member, member.sum(1) == 0)


def convolved(conv: nn.Module, x: Tensor, rows: Rows | None) -> Tensor:
    """A convolution of [B, width, T] that sees zeros where no row is."""
    return conv(x if rows is None else x.masked_fill(rows.outside, 0))


def normalised(norm: nn.GroupNorm, x: Tensor, rows: Rows | None) -> Tensor:
    """A group norm of [B, width, T] over each row for itself."""
    if rows is None:
        return norm(x)
    groups = norm.num_groups
    count = rows.member.sum(0) * (x.shape[1] // groups)  # [rows]
    x = x.masked_fill(rows.outside, 0)

    def mean(x: Tensor) -> Tensor:
        """Over a row and a group: [B, groups, rows]"""
        return (x @ rows.member).unflatten(1, (groups, -1)).sum(2) / count

    def spread(means: Tensor) -> Tensor:
        """To the places: [B, groups, 1, T]"""
        return (means @ rows.member.T)[:, :, None]

    away = (x.unflatten(1, (groups, -1)) - spread(mean(x))).flatten(1, 2)
    scale = spread((mean(away.square()) + norm.eps).rsqrt())
    even = (away.unflatten(1, (groups, -1)) * scale).flatten(1, 2)
    return even * norm.weight[:, None] + norm.bias[:, None]


def attended(q: Tensor, k: Tensor, v: Tensor, rows: Rows | None) -> Tensor:
    """Attention within each row; each [B, heads, T, width]. In the gaps it is 0."""
    if rows is None:
        return F.scaled_dot_product_attention(q, k, v)
    found = torch.zeros_like(q)
    parts = zip(*(rows.parted(x, -2) for x in (q, k, v, found)), strict=True)
    for own_q, own_k, own_v, place in parts:
        place.copy_(F.scaled_dot_product_attention(own_q, own_k, own_v))
    return found


def groups(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places of `lengths`, in their order, that go side by side: at most `most` in all, or one row."""
    group: list[int] = []
    for place, length in enumerate(lengths):
        if group and sum(lengths[other] for other in group) + length > most:
            yield group
            group = []
        group.append(place)
    if group:
        yield group
