"""Resampling as torchaudio does by default: a Hann-windowed sinc."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from models.nn.kaldi import SAMPLE_RATE, require_1d

MAX_SAMPLE_RATE = 768_000

_LOWPASS_WIDTH = 6  # zero crossings of the sinc on each side
_ROLLOFF = 0.99
_CELLS_PER_STEP = 1 << 22  # bounds the memory of resampling whatever the length


def resample(waveform: Tensor, rate: int, target_rate: int = SAMPLE_RATE) -> Tensor:
    """Band-limited resampling of [n] from `rate` to `target_rate` Hz -> [ceil(n * target_rate / rate)], fp32.

    Hann-windowed sinc with 6 zero crossings on each side, cut off at 0.99 of the lower Nyquist frequency.
    Raises ValueError on a rate that is not positive or above MAX_SAMPLE_RATE.
    """
    if not 0 < rate <= MAX_SAMPLE_RATE or not 0 < target_rate <= MAX_SAMPLE_RATE:
        raise ValueError(f"cannot resample {rate} Hz to {target_rate} Hz: rates go from 1 to {MAX_SAMPLE_RATE}")
    require_1d(waveform)
    waveform = waveform.float()
    if rate == target_rate or not len(waveform):
        return waveform
    divisor = math.gcd(rate, target_rate)
    old, new = rate // divisor, target_rate // divisor
    kernels, reach = _sinc_kernels(old, new)
    taps = kernels.shape[1]
    length = -(-len(waveform) * new // old)  # rounded up
    # Output i lies at old * i / new on the input's axis; row i of `windows` is what its kernel covers.
    padded = torch.nn.functional.pad(waveform, (reach, reach + 1))
    windows = padded.unfold(0, taps, 1)
    kernels = kernels.to(waveform.device)
    pieces = []
    for outputs in torch.arange(length, device=waveform.device).split(max(1, _CELLS_PER_STEP // taps)):
        pieces.append((windows[outputs * old // new] * kernels[outputs % new]).sum(1))
    return torch.cat(pieces)


class SincKernels(NamedTuple):
    kernels: Tensor  # [new, 2 * reach + 2], one a phase, the first tap `reach` before the output's place
    reach: int


@lru_cache(maxsize=8)
def _sinc_kernels(old: int, new: int) -> SincKernels:
    """Kernels for each phase of old -> new (coprime), in fp32 throughout, as the reference computes them."""
    cutoff = min(old, new) * _ROLLOFF
    reach = math.ceil(_LOWPASS_WIDTH * old / cutoff)
    phase = torch.arange(new)
    first = phase * old // new - reach
    taps = first[:, None] + torch.arange(2 * reach + 2)  # [new, taps], places on the input's axis
    offset = (-phase[:, None] / new + taps / old) * cutoff  # in zero crossings
    offset = offset.clamp(-_LOWPASS_WIDTH, _LOWPASS_WIDTH)
    window = torch.cos(offset * (math.pi / (2 * _LOWPASS_WIDTH))) ** 2
    return SincKernels(torch.sinc(offset) * window * (cutoff / old), reach)
