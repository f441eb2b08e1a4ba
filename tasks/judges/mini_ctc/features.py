"""Sound to log mel energies, made for `mini-ctc` alone: no code that a model under test hears with."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import soxr
import torch
from torch import Tensor

RATE = 16_000
BANDS = 64
FFT, WINDOW, HOP = 512, 400, 160
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
FLOOR = 1e-5
SCALE = 3.0
SILENT = 1e-4
"""A recording whose loudest sample is below this holds no speech."""


def prepared(samples: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """Mono samples [n] at 16 kHz with their peak at 1; NaN and infinities are silence. Empty where all is silence."""
    finite = np.nan_to_num(np.asarray(samples, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if rate != RATE and len(finite):
        finite = soxr.resample(finite, rate, RATE)
    peak = float(np.abs(finite).max(initial=0.0))
    return (finite / peak).astype(np.float32) if peak > SILENT else np.zeros(0, np.float32)


def log_mel(wave: Tensor) -> Tensor:
    """Log energies [frames, BANDS] of samples [n], a frame each 10 ms, each band with mean zero over time."""
    padded = torch.nn.functional.pad(wave, (0, max(0, FFT - len(wave))))
    spectrum = torch.stft(padded, FFT, HOP, WINDOW, _window(), return_complex=True)  # [FFT / 2 + 1, frames]
    energies = _bands() @ spectrum.abs().square()
    logs = torch.log(energies + FLOOR).T
    return (logs - logs.mean(0)) / SCALE


@cache
def _window() -> Tensor:
    return torch.hann_window(WINDOW)


@cache
def _bands() -> Tensor:
    """Triangles [BANDS, FFT / 2 + 1], evenly spaced on the mel scale (2595 log10(1 + f / 700))."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    at = np.arange(FFT // 2 + 1) * RATE / FFT
    rising = (at - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - at) / np.diff(corners)[1:, None]
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0, None).astype(np.float32))
