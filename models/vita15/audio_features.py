"""From a waveform to the speech encoder's input: mono, 16 kHz, Kaldi filter banks and their statistics.

The filter bank is Kaldi's (80 bins, 25 ms Povey windows every 10 ms); resampling is the Hann-windowed sinc of
torchaudio's defaults. Both are the reference implementation's.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

SAMPLE_RATE = 16_000
MAX_SAMPLE_RATE = 768_000
FRAME_LENGTH = 400  # 25 ms
FRAME_SHIFT = 160  # 10 ms
MIN_FRAMES = 7  # fewer leave nothing after the encoder's two convolutions
MEL_FLOOR = 1.1920929e-07  # fp32 machine epsilon: the log of an empty bin
VARIANCE_FLOOR = 1e-20

_FFT_SIZE = 512
_PRE_EMPHASIS = 0.97
_LOWEST_HZ = 20.0
_INT16_SCALE = 32768.0
_LOWPASS_WIDTH = 6  # zero crossings of the sinc on each side
_ROLLOFF = 0.99
_CELLS_PER_STEP = 1 << 22  # bounds the memory of resampling whatever the length


class Cmvn(NamedTuple):
    """Statistics of the training features; normalised = (features - mean) * istd."""

    mean: Tensor  # [mel], fp32
    istd: Tensor  # [mel], fp32


def to_mono(samples: Tensor) -> Tensor:
    """The first channel of [n] or [n, channels] (the layout of sound files), as the reference takes it."""
    if samples.ndim == 1:
        return samples
    if samples.ndim != 2 or samples.shape[1] == 0:
        raise ValueError(f"samples of shape {tuple(samples.shape)}: expected [n] or [n, channels]")
    return samples[:, 0]


def resample(waveform: Tensor, rate: int, target_rate: int = SAMPLE_RATE) -> Tensor:
    """Band-limited resampling of [n] from `rate` to `target_rate` Hz -> [ceil(n * target_rate / rate)], fp32.

    Hann-windowed sinc with 6 zero crossings on each side, cut off at 0.99 of the lower Nyquist frequency.
    Raises ValueError on a rate that is not positive or above MAX_SAMPLE_RATE.
    """
    if not 0 < rate <= MAX_SAMPLE_RATE or not 0 < target_rate <= MAX_SAMPLE_RATE:
        raise ValueError(f"cannot resample {rate} Hz to {target_rate} Hz: rates go from 1 to {MAX_SAMPLE_RATE}")
    _require_1d(waveform)
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


def fbank(
    waveform: Tensor, num_mel_bins: int = 80, dither: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    """Log mel filter banks, fp32 [1 + (n - 400) // 160, num_mel_bins], of a 16 kHz waveform [n] in -1..1.

    `dither` is the standard deviation of noise added on the int16 scale, drawn from `generator` (on the
    waveform's device). A clip below 25 ms has no frame. Computed in fp64: in fp32 the rounding noise of the
    Fourier transform shows in weak bins.
    """
    _require_1d(waveform)
    waveform = waveform.double() * _INT16_SCALE
    if len(waveform) < FRAME_LENGTH:
        return torch.zeros(0, num_mel_bins, device=waveform.device)
    frames = waveform.unfold(0, FRAME_LENGTH, FRAME_SHIFT)  # [T, 400]
    if dither:
        noise = torch.randn(frames.shape, generator=generator, dtype=frames.dtype, device=frames.device)
        frames = frames + dither * noise
    frames = frames - frames.mean(dim=1, keepdim=True)
    previous = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)  # the first sample precedes itself
    frames = (frames - _PRE_EMPHASIS * previous) * _povey_window().to(frames.device)
    power = torch.fft.rfft(frames, n=_FFT_SIZE).abs() ** 2  # [T, 257]
    mel = power @ _mel_filters(num_mel_bins).to(frames.device)
    return mel.clamp_min(MEL_FLOOR).log().float()


@lru_cache(maxsize=1)
def _povey_window() -> Tensor:
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


def num_encoder_frames(frames: int) -> int:
    """Encoder frames (40 ms) of that many filter-bank frames."""
    return max(0, ((frames - 1) // 2 - 1) // 2)


def num_llm_tokens(frames: int) -> int:
    """Language-model embeddings (80 ms) of that many filter-bank frames."""
    return (num_encoder_frames(frames) + 1) // 2


def check_frames(samples: int) -> int:
    """Filter-bank frames of a 16 kHz clip of so many samples; ValueError if too few to encode."""
    frames = num_fbank_frames(samples)
    if frames < MIN_FRAMES:
        shortest = FRAME_LENGTH + (MIN_FRAMES - 1) * FRAME_SHIFT
        raise ValueError(
            f"audio of {_milliseconds(samples)} ms is shorter than {_milliseconds(shortest)} ms, the least "
            "that the speech encoder can take: leave the clip out or pad it with silence"
        )
    return frames


def load_cmvn(path: Path) -> Cmvn:
    """Read a `global_cmvn` file: sums, sums of squares and the frame count.

    Either JSON {"mean_stat", "var_stat", "frame_num"} or Kaldi text "[ sums count squares 0 ]".
    Computed in float64. Raises ValueError naming the file if its content is neither.
    """
    text = path.read_text(encoding="utf-8").strip()
    try:
        if text.startswith("{"):
            fields = json.loads(text)
            sums, squares, count = fields["mean_stat"], fields["var_stat"], fields["frame_num"]
        else:
            sums, squares, count = _kaldi_statistics(text)
        total, total_squares = np.asarray(sums, np.float64), np.asarray(squares, np.float64)
        if total.ndim != 1 or total.shape != total_squares.shape or not total.size:
            raise ValueError(f"{total.shape} sums but {total_squares.shape} sums of squares")
        if not float(count) > 0:
            raise ValueError(f"a frame count of {count}")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: no feature statistics ({error}); expected JSON with mean_stat, var_stat and frame_num, "
            "or Kaldi text '[ sums count squares 0 ]'"
        ) from error
    mean = total / float(count)
    variance = np.maximum(total_squares / float(count) - mean**2, VARIANCE_FLOOR)
    return Cmvn(torch.from_numpy(mean).float(), torch.from_numpy(1 / np.sqrt(variance)).float())


class _Statistics(NamedTuple):
    sums: list[float]
    squares: list[float]
    frames: float


def _kaldi_statistics(text: str) -> _Statistics:
    words = text.split()
    if len(words) < 6 or len(words) % 2 or words[0] != "[" or words[-1] != "]":
        raise ValueError("not a bracketed matrix of two rows")
    values = [float(word) for word in words[1:-1]]
    row = len(values) // 2
    return _Statistics(values[: row - 1], values[row:-1], values[row - 1])


def _milliseconds(samples: int) -> str:
    return f"{1000 * samples / SAMPLE_RATE:g}"


def _require_1d(waveform: Tensor) -> None:
    if waveform.ndim != 1:
        raise ValueError(f"waveform of shape {tuple(waveform.shape)}: expected one dimension (see to_mono)")
