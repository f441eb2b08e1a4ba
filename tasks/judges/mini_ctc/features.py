"""Log-mel filter banks of 16 kHz sound, in numpy: what the recogniser reads.

The mel scale is O'Shaughnessy's (2595 log10(1 + f / 700)); windows are 25 ms long, 10 ms apart.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
HOP = RATE // 100
WINDOW = RATE // 40
FFT = 512
BANDS = 64
FLOOR = 1e-6
"""Added to each band's energy: below the faintest speech, and silence stays finite."""


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """[samples] at 16 kHz within -1..1 -> [frames, BANDS], each band with mean 0 over the sound.

    A frame for each 10 ms begun; [0, BANDS] for no samples.
    """
    frames = -(-len(samples) // HOP)
    if not frames:
        return np.zeros((0, BANDS), np.float32)
    padded = np.pad(samples, (WINDOW // 2, WINDOW // 2 + HOP))
    cut = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames]
    power = np.abs(np.fft.rfft(cut * _window(), FFT)) ** 2
    bands = np.log(power.astype(np.float32) @ _filters() + np.float32(FLOOR))
    centred: NDArray[np.float32] = (bands - bands.mean(axis=0)).astype(np.float32)
    return centred


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(WINDOW).astype(np.float32)


@cache
def _filters() -> NDArray[np.float32]:
    """[FFT // 2 + 1, BANDS]: triangles, evenly spaced in mel from 0 to 8 kHz."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, BANDS + 2) / 2595) - 1)
    at = np.arange(FFT // 2 + 1)[:, None] * RATE / FFT
    rising = (at - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - at) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
