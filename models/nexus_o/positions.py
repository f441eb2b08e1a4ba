"""Rotary positions on three axes: time, height and width (M-RoPE, spec sections 1.1 and 1.4).

Text and audio go on by one a token on all axes; a picture's tokens stand side by side from where it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor


class Run(NamedTuple):
    """So many tokens of text or audio."""

    tokens: int


class Grid(NamedTuple):
    """A picture's tokens: layers in time, rows and columns; `seconds` from one layer to the next, 0 for an image."""

    layers: int
    rows: int
    columns: int
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        return self.layers * self.rows * self.columns


class Positions(NamedTuple):
    """`axes` int64 [3, S], and the position of what comes next, the same on all axes."""

    axes: Tensor
    next: int


def positions(
    parts: Sequence[Run | Grid], tokens_per_second: int, after_visual: Literal["max", "grid"] = "max"
) -> Positions:
    """Positions of a prompt's parts, one behind the other.

    Behind a picture they go on after the largest on any axis ("max"), or after its rows and columns alone ("grid");
    what is answered always goes on after the largest of all.
    """
    start = 0
    found = [torch.zeros(3, 0, dtype=torch.long)]
    for part in parts:
        if isinstance(part, Run):
            found.append((torch.arange(part.tokens) + start).expand(3, -1))
            start += part.tokens
            continue
        found.append(_grid(part, tokens_per_second) + start)
        start = int(found[-1].max()) + 1 if after_visual == "max" else start + max(part.rows, part.columns)
    joined = torch.cat(found, dim=1)
    return Positions(joined, int(joined.max()) + 1 if joined.numel() else 0)


def _grid(grid: Grid, tokens_per_second: int) -> Tensor:
    """[3, tokens], from 0; seconds become whole steps in fp32, as in transformers."""
    interval = torch.tensor(grid.seconds, dtype=torch.float32) * tokens_per_second
    time = (torch.arange(grid.layers) * interval).long()
    return torch.stack(
        torch.meshgrid(time, torch.arange(grid.rows), torch.arange(grid.columns), indexing="ij")
    ).flatten(1)
