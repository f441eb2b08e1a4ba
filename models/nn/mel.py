"""Whisper's log mel spectrogram of 16 kHz waves: 100 frames a second, on Slaney's mel scale."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

SAMPLE_RATE = 16_000
HOP = 160  # samples between frames
MEL_FLOOR = 1e-10

_FFT_SIZE = 400
_LINEAR_HZ = 1000.0  # Slaney's scale is linear below and logarithmic above
_LINEAR_MEL = 15.0
_LOG_STEPS = 27.0  # mels from 1 kHz to 6.4 kHz


def log_mel(waves: Tensor, mels: int = 128) -> Tensor:
    """[B, n] -> [B, mels, n // 160], fp32; each row's range is 8 decades below its own maximum.

    Computed in fp64: in fp32 the rounding noise of the Fourier transform shows in weak bins.
    """
    waves = waves.double()
    window = torch.hann_window(_FFT_SIZE, dtype=waves.dtype, device=waves.device)
    spectrum = torch.stft(waves, _FFT_SIZE, HOP, window=window, return_complex=True)[..., :-1]  # [B, 201, n // 160]
    mel = _mel_filters(mels).to(waves.device) @ spectrum.abs() ** 2
    decades = mel.clamp_min(MEL_FLOOR).log10()
    decades = decades.maximum(decades.amax(dim=(1, 2), keepdim=True) - 8.0)
    return ((decades + 4.0) / 4.0).float()


@lru_cache(maxsize=4)
def _mel_filters(mels: int) -> Tensor:
    """Triangles of equal area on Slaney's mel scale from 0 to 8 kHz, fp64 [mels, 201]."""
    bins = torch.linspace(0, SAMPLE_RATE / 2, _FFT_SIZE // 2 + 1, dtype=torch.float64)
    rate = _LOG_STEPS / torch.log(torch.tensor(6.4, dtype=torch.float64))
    top = _LINEAR_MEL + rate * torch.log(torch.tensor(SAMPLE_RATE / 2 / _LINEAR_HZ, dtype=torch.float64))
    points = torch.linspace(0, 1, mels + 2, dtype=torch.float64) * top
    above = _LINEAR_HZ * torch.exp((points - _LINEAR_MEL) / rate)
    edges = torch.where(points < _LINEAR_MEL, points * (_LINEAR_HZ / _LINEAR_MEL), above)  # [mels + 2], Hz
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return torch.minimum(rising, falling).clamp_min(0) * (2.0 / (high - low))
