"""The speech encoder and its adapter: 100 Hz filter banks -> 25 Hz encoder frames -> 12.5 Hz embeddings.

Facts from the VITA-1.5 and Freeze-Omni papers and the reference implementation. Parameter names are the
released checkpoint's, under `model.audio_encoder.` (its spelling `adpter` included).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vita15.audio_features import MIN_FRAMES
from models.vita15.config import AudioConfig

ADAPTER_NORM_EPS = 1e-3  # the adapter's LayerNorm; every other one has torch's 1e-5


class EncoderOutput(NamedTuple):
    hidden: Tensor  # [B, T2, C]
    mask: Tensor  # [B, T2], True on valid frames


class AudioEmbeddings(NamedTuple):
    embeddings: Tensor  # [B, L, D]
    mask: Tensor  # [B, L], True on valid embeddings
    lengths: Tensor  # [B], the number of valid ones, which come first


class AudioEncoder(nn.Module):
    """Speech as embeddings of the language model, whose width is `output_size`."""

    def __init__(self, config: AudioConfig, output_size: int) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.adpter = Adapter(config, output_size)
        if config.num_prompt_embeddings:
            self.prompt_embeddings = nn.Embedding(config.num_prompt_embeddings, output_size)
        self.num_prompt_embeddings = config.num_prompt_embeddings

    def forward(self, features: Tensor, lengths: Tensor) -> AudioEmbeddings:
        """Filter banks [B, T, mel] before normalisation, right-padded with anything, and their lengths [B].

        The valid embeddings of a sample do not depend on its padding. Raises ValueError on shapes that do not
        fit and on T below MIN_FRAMES.
        """
        hidden, mask = self.encoder(features, lengths)
        embeddings, mask = self.adpter(hidden, mask), mask[:, ::2]
        if self.num_prompt_embeddings:
            prompt = self.prompt_embeddings.weight.expand(len(embeddings), -1, -1)
            embeddings = torch.cat([prompt, embeddings], dim=1)
            mask = F.pad(mask, (self.num_prompt_embeddings, 0), value=True)
        return AudioEmbeddings(embeddings, mask, mask.sum(1))


class Encoder(nn.Module):
    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.num_mel_bins = config.num_mel_bins
        self.global_cmvn = GlobalCmvn(config.num_mel_bins)
        self.enc = nn.ModuleList([Subsampling(config), Transformer(config)])

    def forward(self, features: Tensor, lengths: Tensor) -> EncoderOutput:
        """[B, T, mel], [B] -> [B, T2, C] with T2 = ((T - 1) // 2 - 1) // 2."""
        if features.ndim != 3 or features.shape[2] != self.num_mel_bins or features.shape[:1] != lengths.shape:
            raise ValueError(
                f"features {tuple(features.shape)} with lengths {tuple(lengths.shape)}: expected "
                f"[B, T, {self.num_mel_bins}] and [B]"
            )
        if features.shape[1] < MIN_FRAMES:
            raise ValueError(f"{features.shape[1]} frames cannot be subsampled: at least {MIN_FRAMES} are needed")
        valid = torch.arange(features.shape[1], device=features.device) < lengths[:, None]  # [B, T]
        subsampling, transformer = self.enc
        hidden = subsampling(self.global_cmvn(features))
        # A frame counts as valid if all the input that it was made of is: two 3-wide convolutions, stride 2.
        mask = valid[:, 2::2][:, 2::2]
        return EncoderOutput(transformer(hidden, mask), mask)


class GlobalCmvn(nn.Module):
    """Normalises each mel bin by the training set's mean and inverse standard deviation."""

    mean: Tensor
    istd: Tensor

    def __init__(self, num_mel_bins: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_mel_bins))
        self.register_buffer("istd", torch.ones(num_mel_bins))

    def forward(self, features: Tensor) -> Tensor:
        return (features - self.mean) * self.istd


class Subsampling(nn.Module):
    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.core = ConvSubsampling(config.num_mel_bins, config.hidden_size)

    def forward(self, features: Tensor) -> Tensor:
        return self.core(features)


class ConvSubsampling(nn.Module):
    """Two unpadded 3x3 convolutions of stride 2: a quarter of the frames and of the mel bins."""

    def __init__(self, num_mel_bins: int, width: int) -> None:
        super().__init__()
        bins = ((num_mel_bins - 1) // 2 - 1) // 2
        self.conv = nn.Sequential(nn.Conv2d(1, width, 3, 2), nn.ReLU(), nn.Conv2d(width, width, 3, 2), nn.ReLU())
        self.out = nn.Sequential(nn.Linear(width * bins, width))

    def forward(self, features: Tensor) -> Tensor:
        """[B, T, mel] -> [B, T2, C]."""
        maps = self.conv(features.unsqueeze(1))  # [B, C, T2, bins]
        return self.out(maps.transpose(1, 2).flatten(2))  # the channel varies slowest


class Transformer(nn.Module):
    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.chunk_size, self.left_chunks = config.chunk_size, config.left_chunks
        self.embed = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU())
        self.encoders = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.after_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [B, S, C], mask [B, S] of valid frames -> [B, S, C]."""
        visible = mask[:, None, None, :]  # [B, heads, queries, keys]
        if self.chunk_size > 0:
            visible = visible & chunk_mask(x.shape[1], self.chunk_size, self.left_chunks, x.device)
        x = self.embed(x)
        x = x * math.sqrt(x.shape[-1])
        positions = sinusoids(x.shape[1], x.shape[2], x.device).to(x.dtype)
        for block in self.encoders:
            x = block(x, positions, visible)
        return self.after_norm(x)


class Block(nn.Module):
    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.self_attn = PositionBiasedAttention(width, config.num_attention_heads)
        self.feed_forward = FeedForward(width, config.intermediate_size)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, positions: Tensor, visible: Tensor) -> Tensor:
        x = x + self.self_attn(self.norm1(x), positions, visible)
        return x + self.feed_forward(self.norm2(x))


class PositionBiasedAttention(nn.Module):
    """Scores ((q_t + u) . k_s + (q_t + v) . p_s) / sqrt(d), with p_s the projected position of the key.

    The form is that of relative positions, but p is indexed by the absolute position of the key: the
    reference implementation makes no relative shift, and the released weights were trained so.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = width // num_heads
        self.linear_q = nn.Linear(width, width)
        self.linear_k = nn.Linear(width, width)
        self.linear_v = nn.Linear(width, width)
        self.linear_out = nn.Linear(width, width)
        self.linear_pos = nn.Linear(width, width, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(num_heads, self.head_dim))
        self.pos_bias_v = nn.Parameter(torch.zeros(num_heads, self.head_dim))

    def forward(self, x: Tensor, positions: Tensor, visible: Tensor) -> Tensor:
        """x [B, S, C], positions [S, C], visible [B, 1, 1 or S, S] -> [B, S, C].

        A query that sees no key attends to nothing: its output is that of a zero vector.
        """
        heads = (self.num_heads, self.head_dim)
        q = self.linear_q(x).unflatten(-1, heads)  # [B, S, heads, d]
        k = self.linear_k(x).unflatten(-1, heads)
        v = self.linear_v(x).unflatten(-1, heads)
        p = self.linear_pos(positions).unflatten(-1, heads).expand_as(k)
        # Both products are one product of vectors laid end to end, so the bias is never held as a matrix.
        query = torch.cat([q + self.pos_bias_u, q + self.pos_bias_v], dim=-1).transpose(1, 2)  # [B, heads, S, 2d]
        key = torch.cat([k, p], dim=-1).transpose(1, 2)
        # A softmax over no key is NaN: such queries see all keys, and their result is dropped.
        sees_any = visible.any(-1, keepdim=True)
        attended = F.scaled_dot_product_attention(
            query, key, v.transpose(1, 2), attn_mask=visible | ~sees_any, scale=self.head_dim**-0.5
        )
        attended = attended.masked_fill(~sees_any, 0)
        return self.linear_out(attended.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, width: int, intermediate_size: int) -> None:
        super().__init__()
        self.w_1 = nn.Linear(width, intermediate_size)
        self.w_2 = nn.Linear(intermediate_size, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_2(F.relu(self.w_1(x)))


class Adapter(nn.Module):
    """A strided convolution that halves the rate and looks ahead, then a projection to the language model."""

    def __init__(self, config: AudioConfig, output_size: int) -> None:
        super().__init__()
        width, kernel = config.hidden_size, config.adapter_kernel
        self.look_ahead = kernel - 1
        self.conv1d2 = nn.Conv1d(width, 2 * width, kernel, stride=2)
        self.bn2 = nn.LayerNorm(2 * width, eps=ADAPTER_NORM_EPS)  # the released name; it is no batch norm
        self.project = nn.Linear(2 * width, output_size)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [B, S, C], mask [B, S] -> [B, (S + 1) // 2, D]."""
        x = x.masked_fill(~mask.unsqueeze(-1), 0).transpose(1, 2)  # [B, C, S]
        x = self.conv1d2(F.pad(x, (0, self.look_ahead))).transpose(1, 2)
        return self.project(F.gelu(self.bn2(x)))


def chunk_mask(size: int, chunk_size: int, left_chunks: int, device: torch.device | None = None) -> Tensor:
    """Which key (column) each query (row) sees, bool [size, size].

    A query sees its own chunk and the `left_chunks` chunks before it, or all before it if that is negative.
    """
    chunk = torch.arange(size, device=device) // chunk_size
    query, key = chunk[:, None], chunk[None, :]
    visible = key <= query
    return visible if left_chunks < 0 else visible & (key >= query - left_chunks)


def sinusoids(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """Position table [length, width], fp32: sines in the even columns, cosines in the odd, base 10000."""
    steps = torch.arange(0, width, 2, dtype=torch.float32, device=device)
    rates = torch.exp(steps * -(math.log(10000.0) / width))
    angles = torch.arange(length, dtype=torch.float32, device=device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
