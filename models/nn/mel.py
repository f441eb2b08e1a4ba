"""Slaney's mel scale and the filters on it (Slaney's Auditory Toolbox, 1998; the default of librosa), and Whisper's
log mel spectrogram, which is on it."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

SAMPLE_RATE = 16_000  # of Whisper
HOP = 160  # samples between Whisper's frames
MEL_FLOOR = 1e-10

_FFT_SIZE = 400
_LINEAR_HZ = 1000.0  # the scale is linear below and logarithmic above
_LINEAR_MEL = 15.0
_RATE = 27.0 / math.log(6.4)  # 27 mels from 1 kHz to 6.4 kHz


def log_mel(waves: Tensor, mels: int = 128) -> Tensor:
    """16 kHz waves [B, n] -> [B, mels, n // 160], fp32; each row's range is 8 decades below its own maximum.

    Computed in fp64: in fp32 the rounding noise of the Fourier transform shows in weak bins.
    """
    waves = waves.double()
    window = torch.hann_window(_FFT_SIZE, dtype=waves.dtype, device=waves.device)
    spectrum = torch.stft(waves, _FFT_SIZE, HOP, window=window, return_complex=True)[..., :-1]  # [B, 201, n // 160]
    mel = slaney_filters(SAMPLE_RATE, _FFT_SIZE, mels).to(waves.device) @ spectrum.abs() ** 2
    decades = mel.clamp_min(MEL_FLOOR).log10()
    decades = decades.maximum(decades.amax(dim=(1, 2), keepdim=True) - 8.0)
    return ((decades + 4.0) / 4.0).float()


@lru_cache(maxsize=8)
def slaney_filters(sample_rate: int, fft: int, mels: int) -> Tensor:
    """Triangles of equal area from 0 Hz to half the sample rate, fp64 [mels, fft // 2 + 1]. Do not write to it."""
    nyquist = sample_rate / 2
    bins = torch.linspace(0, nyquist, fft // 2 + 1, dtype=torch.float64)
    points = torch.linspace(0, 1, mels + 2, dtype=torch.float64) * _mel(nyquist)
    above = _LINEAR_HZ * torch.exp((points - _LINEAR_MEL) / _RATE)
    edges = torch.where(points < _LINEAR_MEL, points * (_LINEAR_HZ / _LINEAR_MEL), above)  # [mels + 2], Hz
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return torch.minimum(rising, falling).clamp_min(0) * (2.0 / (high - low))


def _mel(hertz: float) -> float:
    if hertz < _LINEAR_HZ:
        return hertz * _LINEAR_MEL / _LINEAR_HZ
    return _LINEAR_MEL + _RATE * math.log(hertz / _LINEAR_HZ)
