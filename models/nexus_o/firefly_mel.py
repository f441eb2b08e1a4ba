"""FireFly's input: a log mel spectrogram of magnitudes on Slaney's scale."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.nexus_o.firefly_config import MelConfig
from models.nn.mel import slaney_filters

POWER_FLOOR = 1e-6
MEL_FLOOR = 1e-5


def shortest(config: MelConfig) -> int:
    """How many samples a wave needs so that it can be mirrored at its ends."""
    return max(config.hop, (config.window - config.hop + 1) // 2 + 1)


def log_mel(waves: Tensor, config: MelConfig) -> Tensor:
    """Waves [B, n] -> [B, mels, n // hop], fp32; mirrored at both ends. Needs n of at least `shortest`."""
    rest = config.window - config.hop
    padded = F.pad(waves.float()[:, None], (rest // 2, rest - rest // 2), mode="reflect")[:, 0]
    window = torch.hann_window(config.window, device=waves.device)
    spectrum = torch.stft(
        padded, config.fft, config.hop, config.window, window, center=False, return_complex=True
    )  # [B, fft // 2 + 1, n // hop]
    size = (spectrum.real.square() + spectrum.imag.square() + POWER_FLOOR).sqrt()
    filters = slaney_filters(config.sample_rate, config.fft, config.mels).to(size)
    return (filters @ size).clamp_min(MEL_FLOOR).log()
