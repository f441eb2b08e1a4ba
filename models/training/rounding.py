"""Weights that ship are rounded to 8 bits a row or fewer, so that the repository, which keeps all, stays easy to clone.

They are stored in bfloat16, which holds such numbers exactly, as the releases are: half the bytes of float32, of which
a third is saved again where the file is compressed, as git does. The scores of a card are of the rounded weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BITS = 8
"""Of which one is the sign."""
FEWER_BITS = 6
"""Of weights that shipped before: what they gain is more than the 0.01 that this costs of a loss of about 2."""


def rounded(weight: Tensor, bits: int = BITS) -> Tensor:
    """[N, ...] -> bfloat16: each row's numbers are whole multiples of the power of two by which its largest has less
    than 2 ** (bits - 1) of them. What has one dimension, such as norms and biases, keeps all of bfloat16."""
    if weight.ndim < 2:
        return weight.detach().bfloat16()
    rows = weight.detach().float().flatten(1)
    largest = rows.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    step = 2.0 ** ((largest / (2 ** (bits - 1) - 0.5)).log2().ceil())
    return ((rows / step).round() * step).view(weight.shape).bfloat16()


@torch.no_grad()
def round_weights(model: nn.Module, bits: int = BITS) -> None:
    """All parameters of a model, in place; buffers that are numbers too become bfloat16."""
    for parameter in model.parameters():
        parameter.data = rounded(parameter.data, bits)
    model.bfloat16()
