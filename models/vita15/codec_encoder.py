"""TiCodec's encoder, and the residual block that it shares with the generator.

Facts that are not in the TiCodec paper come from the released code: strides and residual kernels run in the
reverse order of the generator, the three residual branches are summed with a group norm after each addition,
the voice branch leaves where the encoder is as wide as the voice vector, the last activation has slope 0.01.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita15.speech_config import CodecConfig

SLOPE = 0.1
LAST_SLOPE = 0.01
GROUP_NORM_EPS = 1e-6


class EncodedSpeech(NamedTuple):
    """Unquantised features: `codes` [B, code_dim, T] and `voice` [B, global_dim]."""

    codes: Tensor
    voice: Tensor


class ResBlock(nn.Module):
    """HiFi-GAN's residual block 1: three pairs of a dilated and a plain convolution of equal length."""

    def __init__(self, width: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        half = (kernel - 1) // 2
        self.convs1 = nn.ModuleList(
            nn.Conv1d(width, width, kernel, dilation=dilation, padding=half * dilation) for dilation in dilations
        )
        self.convs2 = nn.ModuleList(nn.Conv1d(width, width, kernel, padding=half) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class VoiceEncoder(nn.Module):
    """Voice vector of an utterance: three convolutions, mean over time, a linear layer, a batch norm."""

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        first, inner, last, kernel, stride = sizes
        layers: list[nn.Module] = []
        for before, after in ((first, inner), (inner, inner), (inner, last)):
            layers += [nn.Conv1d(before, after, kernel, stride, padding=1, bias=False), nn.LeakyReLU(SLOPE)]
        self.conv = nn.Sequential(*layers)
        self.fn = nn.Sequential(nn.Linear(last, width), nn.LeakyReLU(SLOPE), nn.BatchNorm1d(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.fn(self.conv(x).mean(-1))  # [B, width, T] -> [B, width]


class CodecEncoder(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.global_dim = config.global_dim
        self.branches = len(config.resblock_kernels)
        stages = len(config.upsample_rates)
        channels = [config.encoder_base * 2**i for i in range(stages + 1)]
        if config.global_dim not in channels[1:]:
            raise ValueError(
                f"codec: the voice vector has {config.global_dim} channels, the encoder stages {channels[1:]}; "
                "one of them must match"
            )
        self.conv_pre = nn.Conv1d(1, channels[0], 7, padding=3)
        self.ups = nn.ModuleList(
            nn.Conv1d(before, after, kernel, rate, padding=(kernel - rate) // 2)
            for before, after, kernel, rate in zip(
                channels,
                channels[1:],
                config.upsample_kernels[::-1],
                config.upsample_rates[::-1],
                strict=False,
            )
        )
        shapes = list(zip(config.resblock_kernels, config.resblock_dilations, strict=True))[::-1]
        self.resblocks = nn.ModuleList(
            ResBlock(width, kernel, dilations) for width in channels[1:] for kernel, dilations in shapes
        )
        self.normalize = nn.ModuleList(
            nn.GroupNorm(max(width // 16, 1), width, eps=GROUP_NORM_EPS) for width in channels[1:] for _ in shapes
        )
        self.conv_post = nn.Conv1d(channels[-1], config.code_dim, 3, padding=1)
        self.GlobalTokenEncoder = VoiceEncoder(config.global_conv, config.global_dim)
        # The release holds this layer and never uses it.
        self.linear = nn.ModuleList([nn.Linear(config.global_dim, config.global_dim)])

    def forward(self, wave: Tensor) -> EncodedSpeech:
        """Waveform [B, samples], a multiple of the hop -> one feature a token and the voice vector."""
        x = self.conv_pre(wave[:, None])
        for stage, down in enumerate(self.ups):
            x = down(F.leaky_relu(x, SLOPE))
            total = torch.zeros_like(x)
            for branch in range(stage * self.branches, (stage + 1) * self.branches):
                total = self.normalize[branch](total + self.resblocks[branch](x))
            x = total / self.branches
            if x.shape[1] == self.global_dim:
                voice = self.GlobalTokenEncoder(x)
        return EncodedSpeech(self.conv_post(F.leaky_relu(x, LAST_SLOPE)), voice)
