"""Slaney's mel scale and the filters on it (Slaney's Auditory Toolbox, 1998; the default of librosa)."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

_LINEAR_HZ = 1000.0  # the scale is linear below and logarithmic above
_LINEAR_MEL = 15.0
_RATE = 27.0 / math.log(6.4)  # 27 mels from 1 kHz to 6.4 kHz


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
