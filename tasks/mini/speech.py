"""Text to a waveform with espeak-ng, and what spoils it: noise and narrow microphones."""

from __future__ import annotations

import random
from typing import Literal, NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from harness.media import espeak
from tasks.mini.voices import Speaker

RATE = 16_000
Channel = Literal["wide", "telephone", "far"]
Waveform = NDArray[np.float32]
"""[samples] at 16 kHz within -1..1, on the grid of `LEVELS` so that FLAC stores it small."""

LEVELS = 1 << 9
PEAK = 0.45
MARGIN = RATE // 16
SILENCE = 0.02


class Manner(NamedTuple):
    """How a text is spoken this time."""

    speed: int
    pitch: int
    level: float
    """Of the loudest sample."""


def manner(speaker: Speaker, rng: random.Random) -> Manner:
    """Each time a little faster or slower, higher or lower, louder or fainter."""
    speed = round(speaker.speed * rng.uniform(0.9, 1.1))
    pitch = min(99, max(0, speaker.pitch + rng.randint(-8, 8)))
    return Manner(speed, pitch, PEAK * rng.uniform(0.5, 1.0))


def synthesize(text: str, speaker: Speaker, rng: random.Random) -> Waveform:
    """Speak a text in some manner. Silence around it is short.

    Upper-case words would be spelt as acronyms, so the text is lowered. Raises espeak.SynthesizerError.
    """
    how = manner(speaker, rng)
    spoken = espeak.speak(text.lower(), speaker.voice, how.speed, how.pitch)
    if not np.any(spoken):
        raise espeak.SynthesizerError(f"espeak-ng says nothing for {text!r} with voice {speaker.voice}")
    return placed(spoken, how.level).wave


class Placed(NamedTuple):
    wave: Waveform
    lead: float
    """Seconds of what was spoken that come before the wave; less than 0 where silence was put there."""


def placed(spoken: NDArray[np.int16], level: float) -> Placed:
    """What espeak-ng said as a recording: at 16 kHz, with short silence around it, at a level."""
    wave = soxr.resample(spoken.astype(np.float32) / 32768, espeak.RATE, RATE).astype(np.float32)
    loud = np.flatnonzero(np.abs(wave) > SILENCE * np.abs(wave).max())
    inner = np.pad(wave[loud[0] : loud[-1] + 1], MARGIN)
    return Placed(_on_grid(_to_level(inner, level)), (float(loud[0]) - MARGIN) / RATE)


def with_noise(wave: Waveform, snr_db: float, rng: random.Random) -> Waveform:
    """Add noise whose power falls towards high frequencies, `snr_db` below the speech."""
    noise = np.random.default_rng(rng.getrandbits(64)).standard_normal(len(wave)).astype(np.float32)
    noise = np.convolve(noise, _low_pass(2500, 31), mode="same")
    wanted = np.sqrt(np.mean(wave**2)) * 10 ** (-snr_db / 20)
    noisy = wave + noise * (wanted / np.sqrt(np.mean(noise**2)))
    return _on_grid(np.clip(noisy, -1.0, 1.0).astype(np.float32))


def through(channel: Channel, wave: Waveform) -> Waveform:
    """The same speech over another microphone: a wide one, a telephone, or one far away in an echoing room."""
    match channel:
        case "wide":
            return wave
        case "telephone":
            band = _low_pass(3600, 63) - _low_pass(250, 63)
            heard = np.convolve(wave, band, mode="same")
        case "far":
            echo = np.zeros(RATE // 8, np.float32)
            for at, gain in ((0, 1.0), (430, 0.45), (911, 0.3), (1503, 0.2)):
                echo[at] = gain
            heard = np.convolve(np.convolve(wave, echo)[: len(wave)], _low_pass(5000, 31), mode="same")
    return _on_grid(_to_level(heard.astype(np.float32), PEAK * 0.6))


def _low_pass(cutoff_hz: float, taps: int) -> NDArray[np.float32]:
    at = np.arange(taps) - taps // 2
    kernel = np.sinc(2 * cutoff_hz / RATE * at) * np.hamming(taps)
    scaled: NDArray[np.float32] = (kernel / kernel.sum()).astype(np.float32)
    return scaled


def _to_level(wave: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    return wave * np.float32(peak / np.abs(wave).max())


def _on_grid(wave: NDArray[np.float32]) -> Waveform:
    return (np.round(wave * LEVELS) / LEVELS).clip(-1.0, 1.0 - 1.0 / LEVELS).astype(np.float32)
