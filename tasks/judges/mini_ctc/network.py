"""The recogniser's network: log-mel frames of 10 ms in, scores of the units for each 20 ms out.

A strided convolution halves the frame rate; blocks of a depthwise convolution and a two-layer perceptron follow, as
in ConvNeXt (arXiv:2201.03545). All is local: with kernels of 13 and 9 blocks a frame sees 1.1 s to each side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tasks.judges.mini_ctc.features import BANDS

STRIDE = 2


@dataclass(frozen=True)
class Shape:
    units: int
    width: int = 192
    blocks: int = 9
    kernel: int = 13
    expansion: int = 2

    def check(self) -> None:
        """Raises ValueError for a shape that is none of a small recogniser's."""
        limits = {"units": 10_000, "width": 1024, "blocks": 64, "kernel": 99, "expansion": 16}
        for name, most in limits.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ValueError(f"{name} is {value!r}, not a number from 1 to {most}")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel is {self.kernel}, not an odd number")


class Block(nn.Module):
    """[B, T, width] -> the same; padding stays zero outside `mask`, bool [B, T, 1]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, inner = shape.width, shape.width * shape.expansion
        self.taps = nn.Parameter(torch.randn(shape.kernel, width) * shape.kernel**-0.5)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        side = len(self.taps) // 2
        padded = functional.pad(x.transpose(1, 2), (side, side))
        near = functional.conv1d(padded, self.taps.t()[:, None], groups=x.shape[-1]).transpose(1, 2)
        y = self.down(functional.gelu(self.up(self.norm(near))))
        out: Tensor = (x + y) * mask
        return out


class Network(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.front = nn.Conv1d(BANDS, shape.width, 5, stride=STRIDE, padding=2)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.norm = nn.LayerNorm(shape.width)
        self.head = nn.Linear(shape.width, shape.units)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, T, BANDS], zero beyond `lengths` [B] -> log probabilities [B, T', units] and their lengths."""
        x = functional.gelu(self.front(features.transpose(1, 2))).transpose(1, 2)
        lengths = (lengths + STRIDE - 1) // STRIDE
        mask = (torch.arange(x.shape[1])[None] < lengths[:, None])[..., None]
        x = x * mask
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x)).log_softmax(-1), lengths
