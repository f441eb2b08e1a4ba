"""Training data, made on demand: endless in variety, the same for the same seed, apart from the test data."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from tasks.mini.dice import Dice
from tasks.mini.facts import facts
from tasks.mini.grammar import sentences
from tasks.mini.mathvista import HINTS
from tasks.mini.scenes import CATEGORIES, SceneItem, scenes
from tasks.mini.speech import Channel, Waveform, synthesize, through, with_noise
from tasks.mini.voices import Language, Speaker, speakers
from tasks.nexus_o import SAY, TRANSCRIBE
from tasks.nexus_o import TRANSLATE as TRANSLATE_INTO
from tasks.prompts import LETTER_ONLY, MME_WORDINGS, SHORT_ANSWER, YES_OR_NO
from tasks.speech.covost2 import instruction
from tasks.speech.tts import READ_ALOUD
from tasks.video.mvbench import ONLY, SYSTEM
from tasks.video.tempcompass import SUFFIXES

SPEEDS = (0.95, 1.25)
"""From the clean test speakers' speed to that of the `other` ones."""
NOISY = 0.35
NOISE_SNR_DB = (10.0, 25.0)
NARROW = 0.2
CHANNELS: tuple[Channel, ...] = ("telephone", "far")

WORDINGS = MME_WORDINGS
"""How the benchmarks put a question, by preset."""
TRANSLATE: Mapping[Language, str] = {"en": instruction("zh"), "zh": instruction("en")}
"""The instruction to translate, by the language that is spoken."""
SPOKEN_ASKS = (TRANSCRIBE, TRANSLATE_INTO.format("Chinese"), TRANSLATE_INTO.format("English"))
"""How NEXUS-O is asked about speech: to write it down, to translate English, to translate Mandarin."""
SAY_ALOUD: Mapping[Language, str] = SAY
"""How it is asked to speak."""
STANDING = (
    f" {SHORT_ANSWER}", SHORT_ANSWER, YES_OR_NO, LETTER_ONLY, "Answer the question directly.", "请直接回答选项字母。",
    "请直接回答问题。", "Please select the correct answer from the options above.", ONLY, SYSTEM, "\nBest option:(",
    "Please respond with only the letter of the correct answer.", *HINTS.values(), *TRANSLATE.values(),
    *READ_ALOUD.values(), *SUFFIXES.values(),
)  # fmt: skip
"""What the benchmarks put around every question."""


class Utterance(NamedTuple):
    text: str
    translation: str
    waveform: Waveform
    speaker: str
    """The voice's name."""


def training_utterance(language: Language, seed: int, number: int) -> Utterance:
    """One utterance by a training speaker; a part has noise or another microphone. Needs the extra `espeak`.

    Depends on the seed and its number only; takes about 15 ms of one core. Raises SynthesizerError.
    """
    rng = random.Random(f"utterance {language} {seed} {number}")
    sentence = next(sentences(rng, "train"))
    speaker = training_speaker(language, rng)
    english = language == "en"
    wave = recorded(sentence.english if english else sentence.chinese, speaker, rng)
    texts = (sentence.english, sentence.chinese) if english else (sentence.chinese, sentence.english)
    return Utterance(*texts, wave, speaker.voice)


def training_utterances(language: Language, seed: int, n: int) -> Iterator[Utterance]:
    """The first `n` of `training_utterance`."""
    return (training_utterance(language, seed, number) for number in range(n))


def training_fact(rng: random.Random) -> tuple[str, str]:
    """A question about a general fact in one of its wordings, in small letters, and its answer."""
    fact = rng.choice(facts())
    return rng.choice(fact.wordings), fact.answers[0]


def training_speaker(language: Language, rng: random.Random) -> Speaker:
    """A training voice at some speed."""
    speaker = rng.choice(speakers("train", language))
    return replace(speaker, speed=round(speaker.speed * rng.uniform(*SPEEDS)))


def recorded(text: str, speaker: Speaker, rng: random.Random) -> Waveform:
    """A text spoken, at times over a narrow microphone and in noise. Raises SynthesizerError."""
    wave = synthesize(text, speaker, rng)
    if rng.random() < NARROW:
        wave = through(rng.choice(CHANNELS), wave)
    if rng.random() < NOISY:
        wave = with_noise(wave, rng.uniform(*NOISE_SNR_DB), rng)
    return wave


def training_scene(seed: int, number: int) -> SceneItem:
    """One picture with questions; the 14 categories take turns. Depends on the seed and its number only."""
    categories = list(CATEGORIES)
    return next(scenes(Dice(f"scene {seed} {number}"), categories[number % len(categories)], "train"))


def training_scenes(seed: int, n: int) -> Iterator[SceneItem]:
    """The first `n` of `training_scene`."""
    return (training_scene(seed, number) for number in range(n))
