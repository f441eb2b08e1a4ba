"""Processes that train one model together: each has a part of every batch, and all take the same step.

Small matrices keep one core busy and two little busier, so two processes of a thread each train nearly twice as fast
as one process of two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import Tensor, nn


class Team(NamedTuple):
    """One member's place in it."""

    rank: int = 0
    size: int = 1

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the mean of all members' gradients in place of each one's own."""
        if self.size == 1:
            return
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        for parameter, mean in zip(parameters, flat.split([gradient.numel() for gradient in gradients]), strict=True):
            parameter.grad = mean.view_as(parameter)

    def mean(self, value: Tensor) -> float:
        """Of a scalar of each member."""
        if self.size > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value.item() / self.size


ALONE = Team()


def together(size: int, work: Callable[[Team], None]) -> None:
    """Do `work`, which has to be picklable, in `size` processes at once. An error in one of them ends all."""
    if size == 1:
        work(ALONE)
        return
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(_member, (size, Path(folder) / "meeting", work), nprocs=size)


def _member(rank: int, size: int, meeting: Path, work: Callable[[Team], None]) -> None:
    dist.init_process_group("gloo", init_method=meeting.as_uri(), rank=rank, world_size=size)
    try:
        dist.barrier()  # one that fails at once would else break the others' way to each other, and hide why
        work(Team(rank, size))
    finally:
        dist.destroy_process_group()
