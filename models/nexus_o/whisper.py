"""The speech encoder: Whisper-large-v3's, with Qwen2-Audio's pooling as an alternative (spec section 1.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nexus_o.config import AudioConfig
from models.nn.whisper import WhisperLayer, sinusoids


class WhisperEncoder(nn.Module):
    """`pool` frames are averaged before the last norm; 1 is Whisper itself."""

    def __init__(self, config: AudioConfig, pool: int = 1) -> None:
        super().__init__()
        width = config.d_model
        self.pool = pool
        self.conv1 = nn.Conv1d(config.num_mel_bins, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(config.max_source_positions, width)
        self.layers = nn.ModuleList(
            WhisperLayer(width, config.encoder_attention_heads, config.encoder_ffn_dim)
            for _ in range(config.encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(width)
        with torch.no_grad():
            self.embed_positions.weight.copy_(sinusoids(config.max_source_positions, width))

    def forward(self, mel: Tensor) -> Tensor:
        """Spectrograms [B, mels, 2 * positions] -> [B, positions // pool, width], 50 / pool frames a second.

        Raises ValueError on another number of frames: every window is filled up with silence.
        """
        frames = 2 * self.embed_positions.num_embeddings
        if mel.shape[-1] != frames:
            raise ValueError(f"{mel.shape[-1]} frames of speech: a window has {frames}")
        return self.frames(mel)

    def frames(self, mel: Tensor) -> Tensor:
        """The same of windows that are cut short, as in training: [B, mels, 2 T] -> [B, T // pool, width]."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        if self.pool > 1:
            x = F.avg_pool1d(x.transpose(1, 2), self.pool).transpose(1, 2)
        return self.layer_norm(x)
