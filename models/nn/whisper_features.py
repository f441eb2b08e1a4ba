"""Whisper's log mel spectrogram of 16 kHz waves: 100 frames a second."""

from __future__ import annotations

import torch
from torch import Tensor

from models.nn.mel import slaney_filters

SAMPLE_RATE = 16_000
HOP = 160  # samples between frames
MEL_FLOOR = 1e-10

_FFT_SIZE = 400


def log_mel(waves: Tensor, mels: int = 128) -> Tensor:
    """[B, n] -> [B, mels, n // 160], fp32; each row's range is 8 decades below its own maximum.

    Computed in fp64: in fp32 the rounding noise of the Fourier transform shows in weak bins.
    """
    waves = waves.double()
    window = torch.hann_window(_FFT_SIZE, dtype=waves.dtype, device=waves.device)
    spectrum = torch.stft(waves, _FFT_SIZE, HOP, window=window, return_complex=True)[..., :-1]  # [B, 201, n // 160]
    mel = slaney_filters(SAMPLE_RATE, _FFT_SIZE, mels).to(waves.device) @ spectrum.abs() ** 2
    decades = mel.clamp_min(MEL_FLOOR).log10()
    decades = decades.maximum(decades.amax(dim=(1, 2), keepdim=True) - 8.0)
    return ((decades + 4.0) / 4.0).float()
