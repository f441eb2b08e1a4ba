"""FireFly's generator: a causal HiFi-GAN from features at the mel frame rate to a wave.

Unlike HiFi-GAN, both convolutions of a residual pair are dilated, activations are SiLU, and nothing sees the future.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nexus_o.firefly_config import HeadConfig
from models.nexus_o.firefly_layers import CausalConv, CausalUp, History


class _ResBlock(nn.Module):
    def __init__(self, width: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(CausalConv(width, width, kernel, step) for step in dilations)
        self.convs2 = nn.ModuleList(CausalConv(width, width, kernel, step) for step in dilations)

    def forward(self, x: Tensor, history: History | None) -> Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            x = x + second(F.silu(first(F.silu(x), history)), history)
        return x


class _Parallel(nn.Module):
    """The mean of residual blocks with different kernels."""

    def __init__(self, width: int, config: HeadConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            _ResBlock(width, kernel, dilations)
            for kernel, dilations in zip(config.kernels, config.dilations, strict=True)
        )

    def forward(self, x: Tensor, history: History | None) -> Tensor:
        return torch.stack([block(x, history) for block in self.blocks]).mean(0)


class Head(nn.Module):
    def __init__(self, inputs: int, config: HeadConfig) -> None:
        super().__init__()
        widths = [config.width // 2**i for i in range(len(config.rates) + 1)]
        self.conv_pre = CausalConv(inputs, widths[0], config.pre_kernel)
        self.ups = nn.ModuleList(
            CausalUp(before, after, kernel, rate)
            for (before, after), kernel, rate in zip(pairwise(widths), config.up_kernels, config.rates, strict=True)
        )
        self.resblocks = nn.ModuleList(_Parallel(width, config) for width in widths[1:])
        self.conv_post = CausalConv(widths[-1], 1, config.post_kernel)

    def forward(self, features: Tensor, history: History | None = None) -> Tensor:
        """[B, inputs, T] -> wave [B, 1, hop * T] in -1..1"""
        x = self.conv_pre(features, history)
        for up, blocks in zip(self.ups, self.resblocks, strict=True):
            x = blocks(up(F.silu(x), history), history)
        return torch.tanh(self.conv_post(F.silu(x), history))
