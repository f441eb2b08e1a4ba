"""Whisper's encoder block: pre-norm attention of which the keys have no bias, then a GELU network.

Parameter names are those of the public checkpoints (`self_attn.q_proj`, `fc1`, `final_layer_norm`, ...).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WhisperAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (
            project(x).view(batch, length, self.heads, -1).transpose(1, 2)  # [B, heads, T, head width]
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out_proj(out.transpose(1, 2).reshape(batch, length, width))


class WhisperLayer(nn.Module):
    """One block on [B, T, width]; `mask` is true where a query may see a key, broadcast to [B, heads, T, T]."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attn = WhisperAttention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x), mask)
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


def sinusoids(length: int, width: int) -> Tensor:
    """[length, width]: sines of 1 to 1/10000 radian a frame in the first half, cosines in the second."""
    steps = -math.log(10_000) / (width // 2 - 1)
    angles = torch.arange(length)[:, None] * (torch.arange(width // 2) * steps).exp()
    return torch.cat([angles.sin(), angles.cos()], dim=1)
