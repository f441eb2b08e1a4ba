"""The flow's encoder: conformer blocks without convolution, relative positions, block attention; and its regulator."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita_audio.decoder_config import FlowConfig
from models.vita_audio.speech_tokenizer import block_mask


class FlowEncoder(nn.Module):
    """[B, T, embedding] -> [B, T, width]; a code is seen by those after it and by those of its own block."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.block = config.block
        self.embed = nn.ModuleDict(
            {"out": nn.Sequential(nn.Linear(config.embedding, config.width), nn.LayerNorm(config.width))}
        )
        self.encoders = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.after_norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed["out"](x)
        x = x * math.sqrt(x.shape[-1])
        positions = relative_positions(x.shape[1], x.shape[2], x)
        mask = block_mask(x.shape[1], self.block, x.device)
        for block in self.encoders:
            x = block(x, positions, mask)
        return self.after_norm(x)


class _Block(nn.Module):
    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.norm_mha = nn.LayerNorm(config.width)
        self.self_attn = _RelativeAttention(config.width, config.heads)
        self.norm_ff = nn.LayerNorm(config.width)
        self.feed_forward = nn.ModuleDict(
            {"w_1": nn.Linear(config.width, config.inner), "w_2": nn.Linear(config.inner, config.width)}
        )

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        x = x + self.self_attn(self.norm_mha(x), positions, mask)
        return x + self.feed_forward["w_2"](F.silu(self.feed_forward["w_1"](self.norm_ff(x))))


class _RelativeAttention(nn.Module):
    """Attention to content and to distance, each with its own bias on the query."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear_q = nn.Linear(width, width)
        self.linear_k = nn.Linear(width, width)
        self.linear_v = nn.Linear(width, width)
        self.linear_out = nn.Linear(width, width)
        self.linear_pos = nn.Linear(width, width, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(heads, width // heads))
        self.pos_bias_v = nn.Parameter(torch.zeros(heads, width // heads))

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (
            project(x).view(batch, length, self.heads, -1).transpose(1, 2)  # [B, heads, T, head width]
            for project in (self.linear_q, self.linear_k, self.linear_v)
        )
        p = self.linear_pos(positions).view(2 * length - 1, self.heads, -1).transpose(0, 1)
        content = (q + self.pos_bias_u[:, None]) @ k.transpose(-2, -1)  # [B, heads, T, T]
        distance = (q + self.pos_bias_v[:, None]) @ p.transpose(-2, -1)  # [B, heads, T, 2 T - 1]
        places = torch.arange(length, device=x.device)
        column = length - 1 - places[:, None] + places  # where the distance of query (row) and key stands
        distance = distance.gather(-1, column.expand(batch, self.heads, length, length))
        scores = (content + distance) / math.sqrt(width // self.heads)
        weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
        return self.linear_out((weights @ v).transpose(1, 2).reshape(batch, length, width))


def relative_positions(length: int, width: int, like: Tensor) -> Tensor:
    """Sines and cosines in turn of the distances length - 1 ... 1 - length: [2 * length - 1, width]."""
    distances = torch.arange(length - 1, -length, -1, device=like.device, dtype=torch.float32)
    rates = torch.exp(torch.arange(0, width, 2, device=like.device, dtype=torch.float32) * (-math.log(10000.0) / width))
    angles = distances[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(like.dtype)


class LengthRegulator(nn.Module):
    """Stretch [B, T, mels] to [B, frames, mels] by repetition, then smooth it."""

    def __init__(self, mels: int, layers: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for _ in range(layers):
            parts += [nn.Conv1d(mels, mels, 3, padding=1), nn.GroupNorm(1, mels), nn.Mish()]
        self.model = nn.Sequential(*parts, nn.Conv1d(mels, mels, 1))

    def forward(self, x: Tensor, frames: int) -> Tensor:
        stretched = F.interpolate(x.transpose(1, 2), size=frames, mode="nearest")
        return self.model(stretched).transpose(1, 2)
