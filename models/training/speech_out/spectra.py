"""How unlike two waveforms sound: mel spectra on several scales of time and frequency."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from models.nn.mel import slaney_filters

FLOOR = 1e-4
"""Of a sine wave's amplitude: what is fainter than -80 dB is silence."""
POWER_FLOOR = 1e-10


class Scale(NamedTuple):
    fft: int
    hop: int
    mels: int


SCALES = (Scale(2048, 480, 96), Scale(1024, 240, 80), Scale(512, 120, 48))


def mel_loss(made: Tensor, true: Tensor, rate: int, scales: Sequence[Scale] = SCALES) -> Tensor:
    """Mean absolute difference of log mel spectra of waves [B, n], averaged over the scales; a scalar.

    It asks for the size of each band in each moment and not for the phase. `n` is at least half the longest window.
    """
    return torch.stack([(log_mel(made, rate, s) - log_mel(true, rate, s)).abs().mean() for s in scales]).mean()


def log_mel(waves: Tensor, rate: int, scale: Scale, floor: float = FLOOR) -> Tensor:
    """Waves [B, n] -> natural logarithms of amplitudes [B, mels, 1 + n // hop], in float32."""
    window, filters = (table.to(waves.device) for table in _tables(rate, scale))
    with torch.autocast(waves.device.type, enabled=False):
        spectrum = torch.stft(waves.float(), scale.fft, scale.hop, window=window, return_complex=True)
        size = (spectrum.real.square() + spectrum.imag.square() + POWER_FLOOR).sqrt()
        return ((filters @ size) + floor).log()


@cache
def _tables(rate: int, scale: Scale) -> tuple[Tensor, Tensor]:
    """The window, and mel filters that give a sine wave's amplitude."""
    window = torch.hann_window(scale.fft)
    filters = slaney_filters(rate, scale.fft, scale.mels).float()
    filters = filters / filters.amax(1, keepdim=True).clamp_min(1e-12)
    return window, filters * (2 / window.sum())
