"""From a 16 kHz waveform to SenseVoice's input: Kaldi filter banks, joined, thinned out and normalised.

One frame of the input stands for 60 ms. The reference adds noise to the samples (dither 1.0 on the int16 scale); here
there is none unless it is asked for, so that a clip is always heard alike.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from models.nn.kaldi import FRAME_LENGTH, SAMPLE_RATE, fbank, num_fbank_frames
from models.vita_audio.sensevoice_config import FrontEndConfig

QUERY_FRAMES = 4  # put before the sound: language, event, emotion, text normalisation


class Cmvn(NamedTuple):
    """Statistics of the training features; normalised = (features + shift) * scale."""

    shift: Tensor  # [width], fp32
    scale: Tensor  # [width], fp32

    @classmethod
    def none(cls, width: int) -> Cmvn:
        """Leaves features as they are."""
        return cls(torch.zeros(width), torch.ones(width))


class FrontEnd(NamedTuple):
    """A front end with its statistics, whose width is that of `config`."""

    config: FrontEndConfig
    cmvn: Cmvn

    def __call__(self, wave: Tensor, dither: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Features [n_frames, width], fp32, of a 16 kHz wave [n] in -1..1, on its device.

        `dither` and `generator` are those of `models.nn.kaldi.fbank`. Raises ValueError on a wave below 25 ms.
        """
        banks = fbank(wave, self.config.mels, dither, generator, window="hamming")
        n_frames(len(wave), self.config.step)  # refuses what is too short
        joined = join_frames(banks, self.config.stack, self.config.step)
        return (joined + self.cmvn.shift.to(joined.device)) * self.cmvn.scale.to(joined.device)

    def n_tokens(self, samples: int) -> int:
        """Embeddings that the language model gets for so many samples at 16 kHz. ValueError below 25 ms."""
        return n_tokens(samples, self.config.step)


def join_frames(frames: Tensor, stack: int, step: int) -> Tensor:
    """[T, mels] -> [ceil(T / step), stack * mels]: frames around every `step`-th, with the ends repeated.

    The first one has `(stack - 1) // 2` frames before the start. T is at least 1.
    """
    places = torch.arange(0, len(frames), step, device=frames.device)[:, None] - (stack - 1) // 2
    places = places + torch.arange(stack, device=frames.device)  # [ceil(T / step), stack]
    return frames[places.clamp(0, len(frames) - 1)].flatten(1)


def n_frames(samples: int, step: int = 6) -> int:
    """Frames of SenseVoice's input for so many samples at 16 kHz. Raises ValueError below 25 ms."""
    if samples < FRAME_LENGTH:
        raise ValueError(
            f"audio of {1000 * samples / SAMPLE_RATE:g} ms is shorter than {1000 * FRAME_LENGTH / SAMPLE_RATE:g} ms, "
            "one window of the filter bank: leave the clip out or pad it with silence"
        )
    return -(-num_fbank_frames(samples) // step)


def n_tokens(samples: int, step: int = 6) -> int:
    """Embeddings for the language model: the frames of the sound and the query frames before them."""
    return n_frames(samples, step) + QUERY_FRAMES
