"""SenseVoiceSmall's encoder: attention with a memory block (SANM) over frames of 60 ms.

Parameter names are those of the release; the CTC head is there so that loading is strict, and is not used.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita_audio.sensevoice_config import SenseVoiceConfig

QUERIES = (0, 1, 2, 15)
"""Rows of `embed`: language "auto", event, emotion, text without inverse normalisation."""
EMBEDDINGS = 16


class Encoded(NamedTuple):
    """`states` [B, T + 4, width], of which row b has `lengths[b]` valid ones; the rest means nothing."""

    states: Tensor
    lengths: Tensor


class _Attention(nn.Module):
    """Self-attention plus a depthwise convolution of the values, both of valid frames only."""

    def __init__(self, inputs: int, config: SenseVoiceConfig) -> None:
        super().__init__()
        width, kernel = config.width, config.kernel
        self.heads = config.heads
        self.linear_q_k_v = nn.Linear(inputs, 3 * width)
        self.linear_out = nn.Linear(width, width)
        self.fsmn_block = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """[B, T, inputs] -> [B, T, width]; `valid` [B, T] is true where a frame is one of the clip's."""
        q, k, v = self.linear_q_k_v(x).chunk(3, dim=-1)  # [B, T, width] each
        padding = ~valid[..., None]
        values = v.masked_fill(padding, 0)
        memory = self.fsmn_block(values.transpose(1, 2)).transpose(1, 2) + values
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, k, v))  # [B, heads, T, -1]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=valid[:, None, None, :])
        return self.linear_out(out.transpose(1, 2).flatten(2)) + memory.masked_fill(padding, 0)


class _FeedForward(nn.Module):
    def __init__(self, config: SenseVoiceConfig) -> None:
        super().__init__()
        self.w_1 = nn.Linear(config.width, config.inner)
        self.w_2 = nn.Linear(config.inner, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_2(F.relu(self.w_1(x)))


class _Layer(nn.Module):
    """Pre-norm. A layer that changes the width has no residual around its attention."""

    def __init__(self, inputs: int, config: SenseVoiceConfig) -> None:
        super().__init__()
        self.residual = inputs == config.width
        self.self_attn = _Attention(inputs, config)
        self.feed_forward = _FeedForward(config)
        self.norm1 = nn.LayerNorm(inputs)
        self.norm2 = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        attended = self.self_attn(self.norm1(x), valid)
        x = x + attended if self.residual else attended
        return x + self.feed_forward(self.norm2(x))


class _Encoder(nn.Module):
    def __init__(self, config: SenseVoiceConfig) -> None:
        super().__init__()
        self.scale = math.sqrt(config.width)  # of the outputs, though it is the inputs that are scaled
        self.encoders0 = nn.ModuleList([_Layer(config.inputs, config)])
        self.encoders = nn.ModuleList(_Layer(config.width, config) for _ in range(config.layers - 1))
        self.tp_encoders = nn.ModuleList(_Layer(config.width, config) for _ in range(config.top_layers))
        self.after_norm = nn.LayerNorm(config.width)
        self.tp_norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """[B, T, inputs] -> [B, T, width]"""
        x = x * self.scale + sinusoids(x.shape[1], x.shape[2], x.device, x.dtype)
        for layer in (*self.encoders0, *self.encoders):
            x = layer(x, valid)
        x = self.after_norm(x)
        for layer in self.tp_encoders:
            x = layer(x, valid)
        return self.tp_norm(x)


class SenseVoice(nn.Module):
    def __init__(self, config: SenseVoiceConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _Encoder(config)
        self.embed = nn.Embedding(EMBEDDINGS, config.inputs)
        self.ctc = nn.ModuleDict({"ctc_lo": nn.Linear(config.width, config.vocabulary)})

    def forward(self, features: Tensor, lengths: Tensor) -> Encoded:
        """Features [B, T, inputs], of which row b has `lengths[b]` (1 to T) valid frames.

        A row equals itself alone, whatever stands behind its valid frames.
        """
        queries = self.embed(torch.tensor(QUERIES, device=features.device))
        x = torch.cat([queries.expand(len(features), -1, -1), features], dim=1)
        lengths = lengths + len(QUERIES)
        valid = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        return Encoded(self.encoder(x, valid), lengths)


def sinusoids(length: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Positions 1 to `length` as [length, width]: all sines, then all cosines, wavelengths 2 pi to 20,000 pi.

    Computed in `dtype`, as FunASR does: in bf16, which the release was trained and measured in, places after 256 are
    rounded.
    """
    half = width // 2
    spacing = torch.tensor(10_000.0, device=device, dtype=dtype).log() / (width / 2 - 1)
    rates = (torch.arange(half, device=device).to(dtype) * -spacing).exp()
    angles = torch.arange(1, length + 1, device=device).to(dtype)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
