"""Bounds on what one file may unfold to, so that a small file cannot fill the memory.

Each is an environment variable. What a file takes at its peak, beside some 30 MB:

    sound      5 bytes a kept sample: 0.9 GB for an hour at 48 kHz
    picture    at most 16 bytes a pixel (PNG 8, JPEG 9, AVIF 11, WebP 16): 1.6 GB for 100 million
    frames     3 bytes a pixel of every frame that a model asks for, and one frame
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.failures import SampleError, UsageError
from harness.media.files import shown

COUNTED_RATE = 48_000
"""Hz. Sound at a higher rate counts for as many more seconds, since samples are what takes memory."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound: `variable` is the environment variable that changes it."""

    variable: str
    default: int
    unit: str

    @property
    def value(self) -> int:
        """Raises UsageError when the environment holds something else than a number above 0."""
        written = os.environ.get(self.variable, "").strip()
        if not written:
            return self.default
        try:
            value = int(float(written))
        except (ValueError, OverflowError):
            value = 0
        if value <= 0:
            raise UsageError(f"{self.variable} is {written!r}; set it to a number of {self.unit} above 0, or unset it")
        return value

    def check(self, amount: float, what: str) -> None:
        """Raises SampleError when `amount` is over the bound; `what` says whose it is, with the amount."""
        if amount > self.value:
            raise self.exceeded(what)

    def exceeded(self, what: str) -> SampleError:
        message = f"{what}, more than {self.value} {self.unit}; {self.variable} changes this bound"
        return SampleError(message, "limit")


AUDIO_S = Limit("HARNESS_MAX_AUDIO_S", 3600, "seconds")
CHANNELS = Limit("HARNESS_MAX_CHANNELS", 64, "channels")
PIXELS = Limit("HARNESS_MAX_PIXELS", 100_000_000, "pixels")
CLIP_PIXELS = Limit("HARNESS_MAX_CLIP_PIXELS", 600_000_000, "pixels")
LIMITS = (AUDIO_S, CHANNELS, PIXELS, CLIP_PIXELS)
TEXT_BYTES = 16 << 20
"""Of one text chunk in a PNG; Pillow's own bound is 1 MB."""


def check_limits() -> None:
    """Raises UsageError for a bound that the environment sets to no number, before each sample would fail of it."""
    for limit in LIMITS:
        assert limit.value > 0


def require_short(path: Path, samples: int, rate: int) -> None:
    """Raises SampleError when so many samples are over the bound on sound."""
    AUDIO_S.check(samples / min(rate, COUNTED_RATE), f"audio of {samples / rate:.0f} s at {rate} Hz: {shown(path)}")
