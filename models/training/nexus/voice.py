"""By whom replies are spoken: by any of the mini world's training voices, or by the one that the codec learnt from."""

from __future__ import annotations

import random
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from models.nexus_o.firefly_config import FireflyConfig
from models.nn.whisper_features import SAMPLE_RATE
from models.training.speech_out.readings import as_tensor, read, text
from models.vita15.tts_text import speech_text
from tasks.mini.grammar import sentences
from tasks.mini.recording import printed
from tasks.mini.speech import synthesize
from tasks.mini.training import training_speaker
from tasks.mini.voices import Language

NUMBERS = 100_000_000
PRINTED = 0.4
"""Of what the one voice reads: whole sentences as they are printed; all else are the codec's kinds of readings, most of
which are short: a few words tell best which of them stands for which sounds."""


class Line(NamedTuple):
    text: str
    language: Language


class Speaking(Protocol):
    def __str__(self) -> str:
        """What its lines and their sound follow."""
        ...

    def line(self, rng: random.Random) -> Line:
        """Something to be read aloud."""
        ...

    def say(self, line: Line, rng: random.Random) -> Tensor:
        """[n] at 16 kHz. Raises SynthesizerError without the extra `espeak`."""
        ...


class AnyVoice:
    """Each reply by another voice."""

    def __str__(self) -> str:
        return "any voice"

    def line(self, rng: random.Random) -> Line:
        language: Language = "en" if rng.random() < 0.5 else "zh"
        sentence = next(sentences(rng, "train"))
        return Line(sentence.english.lower() if language == "en" else sentence.chinese, language)

    def say(self, line: Line, rng: random.Random) -> Tensor:
        return torch.from_numpy(synthesize(line.text, training_speaker(line.language, rng), rng))


class OneVoice:
    """All replies by the codec's voice, in whole frames of codes. Raises ValueError on a codec of another rate."""

    def __init__(self, codec: FireflyConfig) -> None:
        if codec.mel.sample_rate != SAMPLE_RATE:
            raise ValueError(f"the codec is of {codec.mel.sample_rate} Hz: replies are made at {SAMPLE_RATE}")
        self.hop = codec.samples

    def __str__(self) -> str:
        return f"one voice, frames of {self.hop}"

    def line(self, rng: random.Random) -> Line:
        if rng.random() < PRINTED:
            language: Language = "en" if rng.random() < 0.5 else "zh"
            sentence = next(sentences(rng, "train"))
            return Line(printed(sentence.english if language == "en" else sentence.chinese, language), language)
        said, language = text(0, rng.randrange(NUMBERS))
        return Line(said.strip(), language)

    def say(self, line: Line, rng: random.Random) -> Tensor:
        return as_tensor(read(speech_text(line.text), line.language, SAMPLE_RATE, self.hop))
