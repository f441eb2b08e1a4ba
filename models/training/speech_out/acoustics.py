"""What codes stand for: features of the sound itself, by which the codebook is found and the encoder is taught.

A token's features are the mel spectra of its three thirds, turned to their principal axes. They tell which bands are
loud when, and not where in a wave the token starts, so a code can be told from text. Encoder and generator trained
together from random weights do not get there in our time: their mel loss was 0.63 after 700 steps without a codebook,
that of a generator given these features 0.37 after 300.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.speech_out.readings import Reading, as_tensor
from models.training.speech_out.spectra import Scale, log_mel

PARTS, MELS, FFT = 3, 64, 1024
FLOOR = 1e-3
"""Fainter is silence, higher than in the loss: codes are not for hiss."""
WHITENED = 0.5
"""Power of the axes' spread that is taken out: 1 would make all alike, 0 leave loudness above everything."""
LEARNT_FROM = 600
"""Readings."""


@dataclass(frozen=True, eq=False)
class Acoustics:
    rate: int
    hop: int
    mean: Tensor  # [PARTS * MELS]
    axes: Tensor  # [PARTS * MELS, width]

    def __call__(self, waves: Tensor) -> Tensor:
        """Waves [B, tokens * hop] -> features [B, tokens, width]."""
        return (_spectra(waves, self.rate, self.hop) - self.mean) @ self.axes


def find_acoustics(readings: Sequence[Reading], rate: int, hop: int, width: int) -> Acoustics:
    """The `width` principal axes of the readings' spectra, scaled to a mean square of 1 a feature."""
    some = [_spectra(as_tensor(reading.wave)[None], rate, hop)[0] for reading in readings[:LEARNT_FROM]]
    spectra = torch.cat(some)  # [tokens, PARTS * MELS]
    mean = spectra.mean(0)
    values, vectors = torch.linalg.eigh((spectra - mean).T @ (spectra - mean) / len(spectra))  # from small to large
    spread = values[-width:].clamp_min(1e-8).sqrt()
    axes = vectors[:, -width:] * spread.pow(-WHITENED)
    size = ((spectra - mean) @ axes).square().mean().sqrt()
    return Acoustics(rate, hop, mean, axes / size)


def _spectra(waves: Tensor, rate: int, hop: int) -> Tensor:
    """Waves [B, tokens * hop] -> log mel spectra of each token's thirds [B, tokens, PARTS * MELS]."""
    part = hop // PARTS
    shifted = F.pad(waves, (0, part))[:, part // 2 :]  # so that windows are centred on the thirds
    frames = log_mel(shifted, rate, Scale(FFT, part, MELS), FLOOR)
    tokens = waves.shape[1] // hop
    return frames[:, :, : tokens * PARTS].transpose(1, 2).unflatten(1, (tokens, PARTS)).flatten(2)
