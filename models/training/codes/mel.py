"""The spectrogram between flow and vocoder, and the pitch that the vocoder's source is taught."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.speech_out.spectra import Scale, log_mel
from models.vita_audio.flow import FRAME, SAMPLE_RATE

FFT = 1024
MIDDLE, SPREAD = -5.0, 2.0
"""Of logarithms of amplitudes: so that what the flow makes out of noise is as large as noise."""
LOWEST, HIGHEST = 60.0, 400.0  # Hz
VOICED, LOUD = 0.6, 0.01
"""Of voiced frames: likeness to themselves one period later, and the least loudness."""


def spectrogram(waves: Tensor, mels: int) -> Tensor:
    """Waves [B, n] at 22,050 Hz -> [B, mels, n // FRAME]"""
    frames = waves.shape[1] // FRAME
    return (log_mel(waves, SAMPLE_RATE, Scale(FFT, FRAME, mels))[:, :, :frames] - MIDDLE) / SPREAD


def pitch(wave: Tensor) -> Tensor:
    """Fundamental frequency of a wave [n] in Hz, 0 where it is unvoiced: [n // FRAME]

    The lag at which a window is most like itself; of multiples as good, the first.
    """
    frames, window = len(wave) // FRAME, 2 * FFT
    padded = F.pad(wave, (window // 2, window // 2))
    pieces = padded.unfold(0, window, FRAME)[:frames] * torch.hann_window(window)
    spectrum = torch.fft.rfft(pieces, 2 * window).abs().square()
    like = torch.fft.irfft(spectrum)[:, :window]
    shape = torch.fft.irfft(torch.fft.rfft(torch.hann_window(window), 2 * window).abs().square())[:window]
    like = like / like[:, :1].clamp_min(1e-8) / (shape / shape[0]).clamp_min(1e-3)
    first, last = int(SAMPLE_RATE / HIGHEST), int(SAMPLE_RATE / LOWEST)
    inner = like[:, first:last]
    best = inner.amax(1)
    lag = first + (inner >= 0.9 * best[:, None]).float().argmax(1)  # the first that is nearly as good
    for _ in range(8):  # up to the top of that peak
        higher = like.gather(1, lag[:, None] + 1)[:, 0] > like.gather(1, lag[:, None])[:, 0]
        lag = (lag + higher.long()).clamp_max(window - 2)
    loud = pieces.abs().amax(1) > LOUD
    return torch.where((best > VOICED) & loud, SAMPLE_RATE / lag, 0.0)
