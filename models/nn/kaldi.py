"""Kaldi's log mel filter banks of 16 kHz speech: 25 ms windows every 10 ms, from 20 Hz to Nyquist.

A frame has its mean taken away, is pre-emphasised by 0.97 and windowed; windows past the end are left out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

Window = Literal["povey", "hamming"]

SAMPLE_RATE = 16_000
FRAME_LENGTH = 400  # 25 ms
FRAME_SHIFT = 160  # 10 ms
MEL_FLOOR = 1.1920929e-07  # fp32 machine epsilon: the log of an empty bin

_FFT_SIZE = 512
_PRE_EMPHASIS = 0.97
_LOWEST_HZ = 20.0
_INT16_SCALE = 32768.0


def fbank(
    waveform: Tensor,
    num_mel_bins: int = 80,
    dither: float = 0.0,
    generator: torch.Generator | None = None,
    window: Window = "povey",
) -> Tensor:
    """Log mel filter banks, fp32 [1 + (n - 400) // 160, num_mel_bins], of a 16 kHz waveform [n] in -1..1.

    `dither` is the standard deviation of noise added on the int16 scale, drawn from `generator` (on the
    waveform's device). A clip below 25 ms has no frame. Computed in fp64: in fp32 the rounding noise of the
    Fourier transform shows in weak bins.
    """
    require_1d(waveform)
    waveform = waveform.double() * _INT16_SCALE
    if len(waveform) < FRAME_LENGTH:
        return torch.zeros(0, num_mel_bins, device=waveform.device)
    frames = waveform.unfold(0, FRAME_LENGTH, FRAME_SHIFT)  # [T, 400]
    if dither:
        noise = torch.randn(frames.shape, generator=generator, dtype=frames.dtype, device=frames.device)
        frames = frames + dither * noise
    frames = frames - frames.mean(dim=1, keepdim=True)
    previous = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)  # the first sample precedes itself
    frames = (frames - _PRE_EMPHASIS * previous) * _window(window).to(frames.device)
    power = torch.fft.rfft(frames, n=_FFT_SIZE).abs() ** 2  # [T, 257]
    mel = power @ _mel_filters(num_mel_bins).to(frames.device)
    return mel.clamp_min(MEL_FLOOR).log().float()


@lru_cache(maxsize=2)
def _window(name: Window) -> Tensor:
    """[400], fp64; both are symmetric: the last sample is weighed as the first."""
    if name == "hamming":
        return torch.hamming_window(FRAME_LENGTH, periodic=False, dtype=torch.float64)
    return torch.hann_window(FRAME_LENGTH, periodic=False, dtype=torch.float64) ** 0.85


@lru_cache(maxsize=4)
def _mel_filters(num_mel_bins: int) -> Tensor:
    """Triangles of height 1, straight on the mel scale, from 20 Hz to Nyquist: [257, num_mel_bins]."""

    def to_mel(hz: Tensor) -> Tensor:
        return 1127.0 * torch.log1p(hz / 700.0)

    low, high = to_mel(torch.tensor([_LOWEST_HZ, SAMPLE_RATE / 2], dtype=torch.float64))
    step = (high - low) / (num_mel_bins + 1)
    left = low + step * torch.arange(num_mel_bins)
    mel = to_mel(torch.arange(_FFT_SIZE // 2 + 1, dtype=torch.float64) * (SAMPLE_RATE / _FFT_SIZE))[:, None]
    filters = torch.minimum((mel - left) / step, (left + 2 * step - mel) / step).clamp_min(0)
    filters[-1] = 0  # Kaldi's banks leave out the Nyquist bin
    return filters


def num_fbank_frames(samples: int) -> int:
    """Filter-bank frames (10 ms) of a 16 kHz clip; windows that would run past the end are left out."""
    return max(0, 1 + (samples - FRAME_LENGTH) // FRAME_SHIFT)


def require_1d(waveform: Tensor) -> None:
    """Raises ValueError, with the shape, where a waveform is not [n]."""
    if waveform.ndim != 1:
        raise ValueError(f"waveform of shape {tuple(waveform.shape)}: expected one channel [n]")
