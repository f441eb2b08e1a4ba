"""GLM-4-Voice's speech tokenizer: the first layers of a Whisper encoder and a codebook, 12.5 codes a second.

Convolutions see the past only; a frame attends to all frames before it and to those of its own block. Parameter names
are those of the release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nn.whisper import WhisperLayer
from models.vita_audio.speech_features import SAMPLES_PER_CODE, segments, speech_features

BATCH = 128

_ONLY = {
    "encoder_causal_convolution": True,
    "encoder_causal_attention": False,
    "quantize_causal_encoder": False,
    "quantize_encoder_only": True,
    "pooling_type": "avg",
    "activation_function": "gelu",
}
"""Of a released config.json: what has one implementation."""
_NAMES = {
    "width": "d_model",
    "heads": "encoder_attention_heads",
    "inner": "encoder_ffn_dim",
    "layers": "quantize_position",
    "mels": "num_mel_bins",
    "positions": "max_source_positions",
    "codes": "quantize_vocab_size",
    "block": "quantize_causal_block_size",
    "pooling": "pooling_kernel_size",
    "pooling_layer": "pooling_position",
}
"""Our names of the sizes -> those of config.json."""


@dataclass(frozen=True)
class TokenizerConfig:
    """Sizes; `pooling_layer` is the number of layers before pooling, `block` is counted in frames before pooling."""

    width: int
    heads: int
    inner: int
    layers: int
    mels: int
    positions: int
    codes: int
    block: int
    pooling: int
    pooling_layer: int

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"d_model {self.width} is no multiple of encoder_attention_heads {self.heads}")
        if not 0 < self.pooling_layer <= self.layers:
            raise ValueError(f"pooling_position {self.pooling_layer} must be from 1 to quantize_position {self.layers}")

    @classmethod
    def published(cls) -> TokenizerConfig:
        """glm-4-voice-tokenizer."""
        return cls(1280, 20, 5120, 16, 128, 1500, 16384, 200, 4, 16)

    @classmethod
    def tiny(cls) -> TokenizerConfig:
        """For tests and a model that runs anywhere: the published rates, 64 codes."""
        return cls(16, 2, 32, 1, 16, 1500, 64, 200, 4, 1)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TokenizerConfig:
        """From a released config.json. Raises ValueError naming a field that is missing or has no implementation."""
        for name, value in _ONLY.items():
            if data.get(name, value) != value:
                raise ValueError(f"{name} is {data[name]!r}: only {value!r} is supported")
        for name in _NAMES.values():
            value = data.get(name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} is {value!r}: expected a positive whole number")
        return cls(**{ours: data[theirs] for ours, theirs in _NAMES.items()})

    def to_json(self) -> dict[str, Any]:
        """As a released config.json."""
        return {"model_type": "whisper", **_ONLY, **{theirs: getattr(self, ours) for ours, theirs in _NAMES.items()}}


class Encoded(NamedTuple):
    """`codes` [B, T / 8] and `mask` likewise, true where a code stands for speech.

    `features` [B, T / 8, width] is what was quantised, `states` the input of every layer, `last` the codes' vectors
    with their positions.
    """

    codes: Tensor
    mask: Tensor
    features: Tensor
    states: tuple[Tensor, ...]
    last: Tensor


class SpeechTokenizer(nn.Module):
    ema_count: Tensor
    ema_weight: Tensor

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv1d(config.mels, config.width, 3)
        self.conv2 = nn.Conv1d(config.width, config.width, 3, stride=2)
        self.embed_positions = nn.Embedding(config.positions, config.width)
        self.layers = nn.ModuleList(
            WhisperLayer(config.width, config.heads, config.inner) for _ in range(config.layers)
        )
        self.codebook = nn.Embedding(config.codes, config.width)
        self.embed_positions2 = nn.Embedding(config.positions // config.pooling, config.width)
        self.register_buffer("ema_count", torch.ones(config.codes))
        self.register_buffer("ema_weight", torch.zeros(config.codes, config.width))

    def forward(self, mel: Tensor, mask: Tensor) -> Encoded:
        """Codes of spectrograms [B, mels, T] with `mask` [B, T]; T / 2 is at most the number of positions.

        Raises ValueError on an empty or too long spectrogram.
        """
        x = F.gelu(self.conv1(F.pad(mel, (2, 0)))) if mel.shape[-1] else mel
        if not 0 < mel.shape[-1] <= 2 * self.config.positions:
            raise ValueError(f"{mel.shape[-1]} frames of speech: expected 1 to {2 * self.config.positions}")
        x = F.gelu(self.conv2(F.pad(x, (2, 0)))).transpose(1, 2)  # [B, ceil(T / 2), width]
        x = x + self.embed_positions.weight[: x.shape[1]]
        valid, block = mask[:, ::2].bool(), self.config.block
        states = []
        for index, layer in enumerate(self.layers, start=1):
            states.append(x)
            x = layer(x, (block_mask(x.shape[1], block, x.device) & valid[:, None, :])[:, None])
            if index == self.config.pooling_layer:
                x, valid = self._pool(x), valid[:, :: self.config.pooling]
                block //= self.config.pooling
        codes = self._nearest(x)
        last = self.codebook(codes) + self.embed_positions2.weight[: x.shape[1]]
        return Encoded(codes, valid, x, tuple(states), last)

    @torch.inference_mode()
    def encode(self, waves: Sequence[Tensor]) -> list[list[int]]:
        """The codes of 16 kHz waves [n], ceil(n / 1280) for every 30 s. Raises ValueError on an empty wave."""
        pieces = [(row, piece) for row, wave in enumerate(waves) for piece in segments(wave)]
        found: list[list[int]] = [[] for _ in waves]
        device = self.conv1.weight.device
        for start in range(0, len(pieces), BATCH):
            batch = pieces[start : start + BATCH]
            features = speech_features([piece.to(device) for _, piece in batch], self.config.mels)
            codes = self(features.mel.to(self.conv1.weight.dtype), features.mask).codes.tolist()
            for (row, piece), ids in zip(batch, codes, strict=True):
                found[row] += ids[: -(-len(piece) // SAMPLES_PER_CODE)]
        return found

    def _pool(self, x: Tensor) -> Tensor:
        """[B, T, width] -> [B, ceil(T / pooling), width]; zeros fill up the last group."""
        size = self.config.pooling
        return F.avg_pool1d(F.pad(x.transpose(1, 2), (0, -x.shape[1] % size)), size).transpose(1, 2)

    def _nearest(self, x: Tensor) -> Tensor:
        """The closest entries by squared Euclidean distance: [B, T, width] -> [B, T]"""
        table = self.codebook.weight
        return (table.pow(2).sum(1) - 2 * x @ table.T).argmin(-1)


def block_mask(length: int, block: int, device: torch.device | str = "cpu") -> Tensor:
    """[length, length], true where a query (row) may see a key: one before it, or one of its own block."""
    places = torch.arange(length, device=device)
    return (places <= places[:, None]) | (places // block == places[:, None] // block)
