"""LLaMA and Qwen2 decoder blocks: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Parameter names are those of the LLaMA family in public checkpoints (`self_attn.q_proj.weight`, ...). The
caller gives the mask, so the same block serves bidirectional, prefix and causal attention. With a
`LayerCache` the keys and values are written into preallocated memory at given slots and the visible ones are
attended to; shapes then never change and nothing is read back to the host, so a step can be captured in a
CUDA graph.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rotary(NamedTuple):
    """Cosine and sine tables, float32 [T, head_dim] or [B, 1, T, head_dim]."""

    cos: Tensor
    sin: Tensor


class Cache(Protocol):
    """One layer's keys and values so far."""

    def add(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Take in [B, kv heads, T, head_dim]; what is attended to, [B, kv heads, S, head_dim] each."""


class LayerCache(NamedTuple):
    """One layer's preallocated keys and values [B, kv heads, slots, head_dim], and where new ones go [T].

    The first `visible` slots are attended to; all where it is None.
    """

    keys: Tensor
    values: Tensor
    slots: Tensor
    visible: int | None = None

    def add(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put [B, kv heads, T, head_dim] in their slots; all that is visible."""
        keys = self.keys.index_copy_(2, self.slots, key)
        values = self.values.index_copy_(2, self.slots, value)
        return keys[:, :, : self.visible], values[:, :, : self.visible]


def rotary(positions: Tensor, head_dim: int, theta: float) -> Rotary:
    """Tables for integer positions [T] or [B, T]; the two halves of a head rotate together (LLaMA order)."""
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    angles = positions[..., None].float() * theta**-exponents  # [..., T, head_dim / 2]
    angles = torch.cat([angles, angles], dim=-1)
    if positions.dim() == 2:
        angles = angles[:, None]  # [B, 1, T, head_dim], the same for every head
    return Rotary(angles.cos(), angles.sin())


def rotate(x: Tensor, tables: Rotary) -> Tensor:
    """Apply rotary tables to queries or keys [B, heads, T, head_dim]."""
    first, second = x.chunk(2, dim=-1)
    turned = torch.cat([-second, first], dim=-1)
    return x * tables.cos.to(x.dtype) + turned * tables.sin.to(x.dtype)


class RMSNorm(nn.Module):
    """Root mean square norm; the variance is taken in float32 whatever the input's dtype."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


class Attention(nn.Module):
    """Queries of `heads` heads; each key and value head serves `heads / kv_heads` of them. `bias`: on q, k and v."""

    def __init__(self, width: int, heads: int, kv_heads: int, bias: bool) -> None:
        super().__init__()
        self.heads, self.kv_heads = heads, kv_heads
        kv_width = width // heads * kv_heads
        self.q_proj = nn.Linear(width, width, bias=bias)
        self.k_proj = nn.Linear(width, kv_width, bias=bias)
        self.v_proj = nn.Linear(width, kv_width, bias=bias)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, tables: Rotary, mask: Tensor | None, cache: Cache | None) -> Tensor:
        batch, length, width = x.shape
        head_dim = width // self.heads
        q = rotate(self.q_proj(x).view(batch, length, self.heads, head_dim).transpose(1, 2), tables)
        k = rotate(self.k_proj(x).view(batch, length, self.kv_heads, head_dim).transpose(1, 2), tables)
        v = self.v_proj(x).view(batch, length, self.kv_heads, head_dim).transpose(1, 2)
        if cache is not None:
            k, v = cache.add(k, v)
        out = grouped_attention(q, k, v, mask)  # [B, heads, T, head_dim]
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, width))


def grouped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Queries [B, heads, T, d] over keys and values [B, kv heads, S, d], of which no copy is made.

    The queries that share a key head lie behind each other in one longer sequence. `mask` is broadcast to
    [B, 1, T, S].
    """
    batch, heads, length, width = q.shape
    groups = heads // k.shape[1]
    if groups == 1:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    q = q.reshape(batch, k.shape[1], groups * length, width)
    if mask is not None:
        mask = mask.expand(*mask.shape[:-2], length, -1)
        mask = mask[..., None, :, :].expand(*mask.shape[:-2], groups, length, -1).flatten(-3, -2)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).reshape(batch, heads, length, width)


class SwiGLU(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaBlock(nn.Module):
    """One pre-norm block. `mask` is true where a query may see a key, broadcast to [B, 1, T, S]."""

    def __init__(
        self, width: int, heads: int, inner: int, eps: float, kv_heads: int | None = None, bias: bool = False
    ) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads, kv_heads or heads, bias)
        self.mlp = SwiGLU(width, inner)
        self.input_layernorm = RMSNorm(width, eps)
        self.post_attention_layernorm = RMSNorm(width, eps)

    def forward(self, x: Tensor, tables: Rotary, mask: Tensor | None = None, cache: Cache | None = None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), tables, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))
