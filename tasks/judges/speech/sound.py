"""A recording as recognisers take it: mono, 16 kHz, within -1..1."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.media import load
from harness.types import Ask, Media, Waveform

RATE = 16_000
Resampling = Literal["soxr", "scipy"]
Samples = npt.NDArray[np.float32]


def recording(ask: Ask) -> Media:
    """What is judged. Raises ValueError where it is no recording."""
    if not isinstance(ask.content, Media) or ask.content.kind != "audio":
        raise ValueError(f"the role {ask.role} takes a recording; it was asked about a text or a picture")
    return ask.content


def heard(media: Media, how: Resampling = "soxr") -> Samples:
    """Samples [n] at 16 kHz of all channels' mean.

    `scipy` resamples by Fourier transform, as seed-tts-eval does. Raises SampleError for a file that cannot be read or
    holds samples that are no finite numbers.
    """
    wave = load(media)
    assert isinstance(wave, Waveform)
    samples = np.clip(wave.samples, -1.0, 1.0)
    if wave.rate == RATE:
        return samples.astype(np.float32)
    if how == "soxr":
        import soxr

        return np.asarray(soxr.resample(samples, wave.rate, RATE), np.float32)
    from scipy.signal import resample

    return np.asarray(resample(samples, int(len(samples) * RATE / wave.rate)), np.float32)
