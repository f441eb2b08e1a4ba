"""From a 16 kHz wave to the speech encoder's windows, and how many tokens they give (spec sections 1.2 to 1.4)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.nexus_o.config import STACK, NexusConfig
from models.nn.whisper_features import HOP, log_mel


class Windows(NamedTuple):
    """`mel` [W, mels, T] fp32, each window filled up with silence; `valid` [W], encoder frames that are not."""

    mel: Tensor
    valid: tuple[int, ...]


def window_samples(config: NexusConfig) -> int:
    """30 s in the release."""
    return 2 * config.audio.max_source_positions * HOP


def valid_frames(samples: int, config: NexusConfig) -> list[int]:
    """Encoder frames that each window of a wave of so many samples keeps; a window that keeps none is left out."""
    whole, choices = window_samples(config), config.choices
    found = []
    for start in range(0, samples, whole):
        mel_frames = -(-min(samples - start, whole) // HOP)
        if choices.pad_audio_to_30s:
            mel_frames = whole // HOP
        frames = (mel_frames - 1) // 2 + 1
        found.append((frames - choices.audio_pool) // choices.audio_pool + 1)
    return [frames for frames in found if frames > 0]


def audio_tokens(samples: int, config: NexusConfig) -> int:
    """Embeddings that a wave of so many samples puts into the prompt: 10 a second, 300 for 30 s in the release."""
    return sum(-(-frames // STACK) for frames in valid_frames(samples, config))


def windows(wave: Tensor, config: NexusConfig) -> Windows:
    """A 16 kHz wave [n] in windows that know nothing of each other.

    Raises ValueError on another shape and on a wave that is too short to give a token.
    """
    if wave.ndim != 1 or not audio_tokens(len(wave), config):
        raise ValueError(
            f"audio of shape {list(wave.shape)}: expected a 16 kHz wave [n] that is long enough for a token"
        )
    whole = window_samples(config)
    valid = valid_frames(len(wave), config)
    pieces = wave.split(whole)[: len(valid)]
    padded = torch.stack([F.pad(piece, (0, whole - len(piece))) for piece in pieces])
    return Windows(log_mel(padded, config.audio.num_mel_bins), tuple(valid))
