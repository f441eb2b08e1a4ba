"""Layers of the FireFly codec: convolutions that look to the past only, and the ConvNeXt block.

Every convolution takes a `History`, in which it keeps the inputs that its next call needs. Calls one after the other
with one history give what a single call with all inputs gives; without one, the past is silence.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-6


class History:
    """What each layer of one stream has to remember of its inputs so far."""

    def __init__(self) -> None:
        self._kept: dict[nn.Module, Tensor] = {}

    def extend(self, layer: nn.Module, x: Tensor, width: int) -> Tensor:
        """Put the last `width` inputs of `layer` in front of x [B, C, T] and remember those for the next call."""
        kept = self._kept.get(layer)
        if kept is None:
            kept = x.new_zeros(*x.shape[:2], width)
        x = torch.cat([kept, x], dim=2)
        self._kept[layer] = x[:, :, x.shape[2] - width :].clone()  # a view would keep the whole chunk
        return x

    @property
    def size(self) -> int:
        """Numbers kept for all layers."""
        return sum(kept.numel() for kept in self._kept.values())


class CausalConv(nn.Module):
    """[B, in, T] -> [B, out, ceil(T / stride)]; padded with zeros on the left, on the right to whole strides only.

    A stream goes on only where there is no stride.
    """

    def __init__(
        self, width_in: int, width: int, kernel: int, dilation: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width_in, width, kernel, stride, dilation=dilation, groups=groups)
        self.past = (kernel - 1) * dilation + 1 - stride
        self.stride = stride

    def forward(self, x: Tensor, history: History | None = None) -> Tensor:
        if history is None:
            return self.conv(F.pad(x, (self.past, -x.shape[2] % self.stride)))
        return self.conv(history.extend(self, x, self.past) if self.past else x)


class CausalUp(nn.Module):
    """Transposed convolution [B, in, T] -> [B, out, T * rate]: what reaches beyond the last input is cut off."""

    def __init__(self, width_in: int, width: int, kernel: int, rate: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(width_in, width, kernel, rate)
        self.rate = rate
        self.past = -(-kernel // rate) - 1  # inputs before the last whose outputs still reach its own

    def forward(self, x: Tensor, history: History | None = None) -> Tensor:
        count = x.shape[2] * self.rate
        if history is None or not self.past:
            return self.conv(x)[:, :, :count]
        first = self.past * self.rate
        return self.conv(history.extend(self, x, self.past))[:, :, first : first + count]


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of [B, C, T]."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class ConvNeXtBlock(nn.Module):
    """A causal convolution in each channel, then two linear layers across the channels: [B, C, T] -> the same."""

    def __init__(self, width: int, kernel: int = 7) -> None:
        super().__init__()
        self.dwconv = CausalConv(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor, history: History | None = None) -> Tensor:
        inner = self.norm(self.dwconv(x, history).transpose(1, 2))
        inner = self.gamma * self.pwconv2(F.gelu(self.pwconv1(inner)))
        return x + inner.transpose(1, 2)
