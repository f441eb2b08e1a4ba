"""From a waveform to the speech encoder's input: its channel, its lengths and the features' statistics.

The filter bank is Kaldi's with 80 bins and Povey windows (`models.nn.kaldi`), of sound brought to 16 kHz
(`models.nn.resampling`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.nn.kaldi import FRAME_LENGTH, FRAME_SHIFT, SAMPLE_RATE, num_fbank_frames

MIN_FRAMES = 7  # fewer leave nothing after the encoder's two convolutions
VARIANCE_FLOOR = 1e-20


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
