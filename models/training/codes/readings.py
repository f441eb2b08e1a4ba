"""What the model says, read by one voice: whole sentences, as a benchmark prints them, and answers to questions.

The voice is that of `models.training.speech_out.readings`: at one speed and pitch, its sound at the start of a code, so
that the codes of a text are the same whoever asks for it.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.progress import track
from models.training.codes.clips import SUBFRAMES, Clip, heard, keep, kept
from models.training.codes.phonemes import numbers, spoken
from models.training.speech_out.readings import READERS, laid
from models.vita_audio.flow import SAMPLE_RATE
from models.vita_audio.speech_features import SAMPLES_PER_CODE
from tasks.mini.facts import facts
from tasks.mini.grammar import Sentence, sentences
from tasks.mini.recording import printed
from tasks.mini.voices import Language

CODE = SAMPLES_PER_CODE * SAMPLE_RATE // 16_000
"""Samples of one code at the vocoder's rate."""
TWICE = 0.1
"""Share of sentences that are two, one behind the other."""
FIRST_HELD_OUT = 100_000_000
"""Readings from this number on are never trained on."""


class Reading(NamedTuple):
    """A clip of the reader's, with its sound [codes * CODE] at 22,050 Hz."""

    clip: Clip
    wave: NDArray[np.int16]


def answers() -> list[str]:
    """All that is answered to questions, as it is written; sorted."""
    return sorted({answer for fact in facts() for answer in fact.answers[:1]})


def text(seed: int, number: int) -> tuple[str, Language]:
    """What is read: each answer once at the start, then sentences in English and Mandarin in turn."""
    if number < len(known := answers()):
        return known[number], "en"
    rng = random.Random(f"code reading {seed} {number}")
    language: Language = "zh" if number % 2 else "en"
    made = sentences(rng, "train")
    said = _printed(next(made), language)
    if rng.random() < TWICE:
        second = _printed(next(made), language)
        said = f"{said} {second}" if language == "en" else f"{said[:-1]}，{second}"
    return said, language


def read(said: str, language: Language, mels: int) -> Reading:
    """Raises SynthesizerError."""
    reader = READERS[language]
    made = spoken(said.lower(), reader.voice, reader.speed, reader.pitch)
    wave, lead = laid(made.samples, SAMPLE_RATE, CODE)
    codes = len(wave) // CODE
    phonemes = numbers(made.phonemes, lead, SUBFRAMES * codes, SUBFRAMES * SAMPLE_RATE / CODE)
    clip = Clip(heard(at_16_khz(wave), mels), torch.from_numpy(phonemes).view(codes, SUBFRAMES), said, "")
    return Reading(clip, wave)


def at_16_khz(wave: NDArray[np.int16]) -> Tensor:
    """As the tokenizer takes it: whole codes, float32 in -1..1."""
    made = soxr.resample(wave.astype(np.float32) / 32767, SAMPLE_RATE, 16_000).astype(np.float32)
    size = len(wave) // CODE * SAMPLES_PER_CODE
    return torch.from_numpy(np.pad(made, (0, max(0, size - len(made))))[:size])


def readings(seed: int, first: int, n: int, mels: int, cache: Path) -> list[Reading]:
    """`n` readings from number `first` on, from `cache` where they were made before."""
    path = cache / f"code-readings-{seed}-{first}-{n}.safetensors"
    sound = path.with_suffix(".waves")
    if not sound.exists():
        made = []
        with track("readings", n) as progress:
            for number in range(first, first + n):
                made.append(read(*text(seed, number), mels))
                progress.advance()
        keep(path, [reading.clip for reading in made])
        save_file({"waves": torch.from_numpy(np.concatenate([reading.wave for reading in made]))}, sound)
    clips = kept(path)
    waves = load_file(sound)["waves"].split([clip.codes * CODE for clip in clips])
    return [Reading(clip, wave.numpy()) for clip, wave in zip(clips, waves, strict=True)]


def _printed(sentence: Sentence, language: Language) -> str:
    return printed(sentence.english if language == "en" else sentence.chinese, language)
