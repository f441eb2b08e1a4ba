"""The delay pattern of code streams (MusicGen): stream k starts k steps late, so a frame's codes follow each other.

    codes            table with its start column, `pad` shown as -
    a0 a1 a2         - a0 a1 a2  -  -
    b0 b1 b2    ->   -  - b0 b1 b2  -
    c0 c1 c2         -  -  - c0 c1 c2

Unlike the implementation in transformers, short sequences are delayed too.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

IGNORED = -100


class TrainingPair(NamedTuple):
    """`inputs` and what follows them, `targets`, both [..., K, T + K - 1]; -100 where nothing is to be learnt."""

    inputs: Tensor
    targets: Tensor


def delay(codes: Tensor, pad: int, bos: bool = True) -> Tensor:
    """Codes [..., K, T] -> table [..., K, T + K], or without its start column [..., K, T + K - 1].

    Cells without a code hold `pad`. Raises ValueError on no stream or no frame.
    """
    if codes.ndim < 2 or not codes.shape[-2] or not codes.shape[-1]:
        raise ValueError(f"codes of shape {list(codes.shape)}: expected [..., K, T], at least one stream and one frame")
    streams, frames = codes.shape[-2:]
    start = int(bos)
    table = codes.new_full((*codes.shape[:-1], start + frames + streams - 1), pad)
    for k in range(streams):
        table[..., k, start + k : start + k + frames] = codes[..., k, :]
    return table


def undo(table: Tensor, streams: int, bos: bool = True) -> Tensor:
    """The frames that a table [..., K, S] holds whole: [..., K, S - K] with its start column, else one frame more.

    Where a table is still being made, its last `streams` + 1 columns with `bos` hold the newest frame. Raises
    ValueError where K is not `streams`, or where no frame is whole yet.
    """
    if table.ndim < 2 or table.shape[-2] != streams:
        raise ValueError(
            f"table of shape {list(table.shape)}: expected [..., {streams}, S], {streams} streams of codes"
        )
    start = int(bos)
    frames = table.shape[-1] - start - (streams - 1)
    if frames < 1:
        raise ValueError(
            f"table of {table.shape[-1]} columns: {streams} streams have a whole frame from {start + streams} on"
        )
    rows = [table[..., k, start + k : start + k + frames] for k in range(streams)]
    return torch.stack(rows, dim=-2)


def training_pair(codes: Tensor, pad: int) -> TrainingPair:
    """Teacher forcing on codes [..., K, T]. To learn an end mark, give it as a last frame. Raises as `delay`."""
    table = delay(codes, pad)
    streams, frames = codes.shape[-2:]
    step = torch.arange(table.shape[-1] - 1, device=codes.device)
    k = torch.arange(streams, device=codes.device)[:, None]
    known = (k <= step) & (step < k + frames)  # [K, T + K - 1]
    return TrainingPair(table[..., :-1], table[..., 1:].masked_fill(~known, IGNORED))
