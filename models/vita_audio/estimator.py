"""The network of the flow: a U-Net over mel frames with transformer blocks, told of the time."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita_audio.decoder_config import EstimatorConfig
from models.vita_audio.ragged import Rows, attended, convolved, normalised

GROUPS = 8
TIME_SCALE = 1000.0


class Estimator(nn.Module):
    """The change of a noisy spectrogram at a time."""

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__()
        self.inputs = config.inputs
        channels, time = config.channels, 4 * config.channels[0]
        self.time_mlp = nn.ModuleDict({"linear_1": nn.Linear(config.inputs, time), "linear_2": nn.Linear(time, time)})

        def stage(width_in: int, width: int) -> list[nn.Module]:
            blocks = nn.ModuleList(_Transformer(width, config.heads, config.head_width) for _ in range(config.blocks))
            return [_ResNet(width_in, width, time), blocks]

        def plain(width: int) -> nn.Module:
            return nn.Conv1d(width, width, 3, padding=1)

        last = len(channels) - 1
        ins = (config.inputs, *channels[:-1])
        self.down_blocks = nn.ModuleList(
            nn.ModuleList([*stage(ins[i], width), plain(width) if i == last else _Resample(_halve(width))])
            for i, width in enumerate(channels)
        )
        self.mid_blocks = nn.ModuleList(
            nn.ModuleList(stage(channels[-1], channels[-1])) for _ in range(config.mid_blocks)
        )
        rising = (*channels[::-1], channels[0])
        self.up_blocks = nn.ModuleList(
            nn.ModuleList([*stage(2 * rising[i], width), plain(width) if i == last else _Resample(_double(width))])
            for i, width in enumerate(rising[1:])
        )
        self.final_block = _Block(rising[-1], rising[-1])
        self.final_proj = nn.Conv1d(rising[-1], config.outputs, 1)

    def forward(
        self, x: Tensor, mu: Tensor, speaker: Tensor, prompt: Tensor, time: Tensor, rows: Rows | None = None
    ) -> Tensor:
        """Noisy `x`, expected `mu` and `prompt` [B, mels, T], `speaker` [B, mels], `time` [B] in 0..1.

        `rows` says where requests stand that are end to end in T.
        """
        x = torch.cat([x, mu, speaker[:, :, None].expand_as(x), prompt], dim=1)  # [B, inputs, T]
        t = self.time_mlp["linear_1"](time_waves(time, self.inputs))
        t = self.time_mlp["linear_2"](F.silu(t))  # [B, 4 * channels]
        skips = []
        for resnet, blocks, resample in self.down_blocks:
            x = _through(blocks, resnet(x, t, rows), rows)
            skips.append((x, rows))
            x = convolved(resample, x, rows)
            if rows is not None and x.shape[-1] < len(rows.outside):
                rows = rows.halved()
        for resnet, blocks in self.mid_blocks:
            x = _through(blocks, resnet(x, t, rows), rows)
        for resnet, blocks, resample in self.up_blocks:
            skip, rows = skips.pop()
            x = torch.cat([x[..., : skip.shape[-1]], skip], dim=1)
            x = convolved(resample, _through(blocks, resnet(x, t, rows), rows), rows)
        return self.final_proj(self.final_block(x, rows))


def time_waves(time: Tensor, width: int) -> Tensor:
    """Sines, then cosines, of times [B] -> [B, width]."""
    half = width // 2
    rates = torch.exp(torch.arange(half, device=time.device, dtype=torch.float32) * (-math.log(10000) / (half - 1)))
    angles = TIME_SCALE * time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _through(blocks: nn.ModuleList, x: Tensor, rows: Rows | None) -> Tensor:
    x = x.transpose(1, 2)  # [B, T, width]
    for block in blocks:
        x = block(x, rows)
    return x.transpose(1, 2)


class _Block(nn.Module):
    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv1d(width_in, width, 3, padding=1), nn.GroupNorm(GROUPS, width), nn.Mish())

    def forward(self, x: Tensor, rows: Rows | None) -> Tensor:
        conv, norm, activation = self.block
        return activation(normalised(norm, convolved(conv, x, rows), rows))


class _ResNet(nn.Module):
    def __init__(self, width_in: int, width: int, time: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Mish(), nn.Linear(time, width))
        self.block1 = _Block(width_in, width)
        self.block2 = _Block(width, width)
        self.res_conv = nn.Conv1d(width_in, width, 1)

    def forward(self, x: Tensor, time: Tensor, rows: Rows | None) -> Tensor:
        told = self.block1(x, rows) + self.mlp(time)[:, :, None]
        return self.block2(told, rows) + self.res_conv(x)


class _Transformer(nn.Module):
    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = _Attention(width, heads, head_width)
        self.norm3 = nn.LayerNorm(width)
        self.ff = _FeedForward(width)

    def forward(self, x: Tensor, rows: Rows | None) -> Tensor:
        x = x + self.attn1(self.norm1(x), rows)
        return x + self.ff(self.norm3(x))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * head_width
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_k = nn.Linear(width, inner, bias=False)
        self.to_v = nn.Linear(width, inner, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(inner, width)])

    def forward(self, x: Tensor, rows: Rows | None) -> Tensor:
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, head width]
            for project in (self.to_q, self.to_k, self.to_v)
        )
        return self.to_out[0](attended(q, k, v, rows).transpose(1, 2).flatten(2))


class _FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        into = nn.ModuleDict({"proj": nn.Linear(width, 4 * width)})
        self.net = nn.ModuleList([into, nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x: Tensor) -> Tensor:
        return self.net[2](F.gelu(self.net[0]["proj"](x)))


class _Resample(nn.Module):
    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


def _halve(width: int) -> nn.Module:
    return nn.Conv1d(width, width, 3, stride=2, padding=1)


def _double(width: int) -> nn.Module:
    return nn.ConvTranspose1d(width, width, 4, stride=2, padding=1)
