"""Captions as speech, made by espeak-ng where the data bring no recordings, and kept by what was asked for."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import soxr

from harness.failures import UsageError
from harness.media import cache_folder, encode_flac, espeak
from harness.types import Waveform

RATE = 16_000
SPEED = 175  # words a minute
ENGLISH, MANDARIN = "en-us", "cmn-latn-pinyin"
_HAN = re.compile(r"[\u3400-\u9fff]")


def synthesizer() -> str:
    """Package and version of espeak-ng, which decide the samples. Raises UsageError with the remedies."""
    try:
        return espeak.version()
    except espeak.SynthesizerError as error:
        raise UsageError(
            f"the captions have no recordings, and cannot be spoken: {error}, or give the table a column named audio."
        ) from error


def voice_for(text: str) -> str:
    """Mandarin for a text with Chinese characters, else American English."""
    return MANDARIN if _HAN.search(text) else ENGLISH


def spoken(text: str) -> Path:
    """A FLAC file (16 kHz) in which the text is spoken; made once for each text, voice and version.

    Raises UsageError without the extra `espeak`, ValueError where it has nothing to say.
    """
    voice = voice_for(text)
    key = hashlib.sha256("\0".join((synthesizer(), voice, str(SPEED), text)).encode()).hexdigest()
    path = cache_folder() / "spoken" / key[:2] / f"{key}.flac"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        partial.write_bytes(encode_flac(synthesize(text, voice)))
        partial.replace(path)
    return path


def synthesize(text: str, voice: str) -> Waveform:
    """The text in espeak-ng's voice, 16 kHz. Raises ValueError where nothing comes out of it."""
    try:
        samples = espeak.speak(text, voice, SPEED)
    except espeak.SynthesizerError as error:
        raise ValueError(f"the caption {text[:60]!r} cannot be spoken: {error}") from error
    if not np.any(samples):
        raise ValueError(f"espeak-ng cannot speak the caption {text[:60]!r} with voice {voice}: it is silent")
    wave = soxr.resample(samples.astype(np.float32) / 32768, espeak.RATE, RATE)
    return Waveform(wave.astype(np.float32), RATE)
