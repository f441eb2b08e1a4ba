"""From a waveform to the speech tokenizer's input: Whisper's log mel spectrogram, padded to whole codes.

One code stands for 1,280 samples (80 ms at 16 kHz), which is 8 spectrogram frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.nn.whisper_features import HOP, SAMPLE_RATE, log_mel

SAMPLES_PER_CODE = 1280
SEGMENT = 30 * SAMPLE_RATE  # longer waves are cut into pieces that know nothing of each other


class SpeechFeatures(NamedTuple):
    """`mel` [B, mels, T] fp32 and `mask` [B, T], true where a frame belongs to the wave; T is a multiple of 8."""

    mel: Tensor
    mask: Tensor


def segments(wave: Tensor) -> list[Tensor]:
    """A 16 kHz wave [n] cut every 30 seconds. Raises ValueError on another shape or an empty wave."""
    if wave.ndim != 1 or not len(wave):
        raise ValueError(f"speech of shape {list(wave.shape)}: expected a 16 kHz wave [n] with at least one sample")
    return list(wave.split(SEGMENT))


def speech_features(waves: Sequence[Tensor], mels: int = 128) -> SpeechFeatures:
    """Features of 16 kHz waves [n] of at most 30 s, filled with silence to the longest one's whole codes."""
    if not waves:
        raise ValueError("no speech given: expected at least one 16 kHz wave [n]")
    lengths = []
    for wave in waves:
        if wave.ndim != 1 or not 0 < len(wave) <= SEGMENT:
            raise ValueError(
                f"speech of shape {list(wave.shape)}: expected a 16 kHz wave [n] of 1 to {SEGMENT} samples"
            )
        lengths.append(len(wave))
    total = -(-max(lengths) // SAMPLES_PER_CODE) * SAMPLES_PER_CODE
    padded = torch.stack([F.pad(wave, (0, total - len(wave))) for wave in waves])  # [B, total]
    places = torch.arange(0, total, HOP, device=padded.device)
    return SpeechFeatures(log_mel(padded, mels), places < torch.tensor(lengths, device=padded.device)[:, None])
