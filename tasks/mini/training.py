"""Training data, made on demand: endless in variety, the same for the same seed, apart from the test data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from tasks.mini.dice import Dice
from tasks.mini.grammar import sentences
from tasks.mini.scenes import CATEGORIES, SceneItem, scenes
from tasks.mini.speech import Channel, Waveform, synthesize, through, with_noise
from tasks.mini.voices import Language, speakers

SPEEDS = (0.95, 1.25)
"""From the clean test speakers' speed to that of the `other` ones."""
NOISY = 0.35
NOISE_SNR_DB = (10.0, 25.0)
NARROW = 0.2
CHANNELS: tuple[Channel, ...] = ("telephone", "far")


class Utterance(NamedTuple):
    text: str
    translation: str
    waveform: Waveform
    speaker: str
    """The voice's name."""


def training_utterances(language: Language, seed: int, n: int) -> Iterator[Utterance]:
    """`n` utterances by training speakers; a part has noise or another microphone. Needs espeak-ng.

    Each item depends on the seed and its own number only, about 15 ms of one core. Raises SynthesizerError.
    """
    voices = speakers("train", language)
    for number in range(n):
        rng = random.Random(f"utterance {language} {seed} {number}")
        sentence = next(sentences(rng, "train"))
        speaker = rng.choice(voices)
        speaker = replace(speaker, speed=round(speaker.speed * rng.uniform(*SPEEDS)))
        english = language == "en"
        wave = synthesize(sentence.english if english else sentence.chinese, speaker, rng)
        if rng.random() < NARROW:
            wave = through(rng.choice(CHANNELS), wave)
        if rng.random() < NOISY:
            wave = with_noise(wave, rng.uniform(*NOISE_SNR_DB), rng)
        texts = (sentence.english, sentence.chinese) if english else (sentence.chinese, sentence.english)
        yield Utterance(*texts, wave, speaker.voice)


def training_scenes(seed: int, n: int) -> Iterator[SceneItem]:
    """`n` pictures with questions, the 14 categories in turn. Each item depends on the seed and its own number only."""
    categories = list(CATEGORIES)
    for number in range(n):
        yield next(scenes(Dice(f"scene {seed} {number}"), categories[number % len(categories)], "train"))
