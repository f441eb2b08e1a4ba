"""What NEXUS-O is trained on at a small size: sentences and questions of the mini world, by its training voices.

Everything is of the mini world's training part. English and Mandarin take turns by chance; how they share the
published data is not known.
Needs the extra `espeak`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.types import Message
from models.nexus_o.config import NexusConfig
from models.nexus_o.omni import Inputs
from models.nexus_o.prompts import mark_ids
from models.text.tokenizer import TURN_END, QwenTokenizer
from models.training.examples import SPEECH, assistant, user
from models.training.nexus.samples import IGNORED, Batch, Sample, Script
from models.training.nexus.stages import Kind, Work
from models.training.nexus.voice import AnyVoice, Line, Speaking
from tasks.mini.recording import printed
from tasks.mini.speech import Waveform
from tasks.mini.training import (
    SAY_ALOUD,
    SPOKEN_ASKS,
    recorded,
    training_fact,
    training_scene,
    training_speaker,
    training_utterance,
)
from tasks.mini.voices import Language

TO_TEXT = SPOKEN_ASKS[0]
TRANSLATED: Mapping[Language, str] = {"en": SPOKEN_ASKS[1], "zh": SPOKEN_ASKS[2]}
"""By the language that is spoken."""
FACTS = 0.6
"""Of spoken questions, those about a general fact, which have no word beside them; the others are on a description that
stands before them as text."""
NUMBERS = 100_000_000


class Said(NamedTuple):
    """A conversation whose answer, the tokens `answer` [N] of it, is spoken: `wave` [n] at 16 kHz."""

    inputs: Inputs
    answer: slice
    wave: Tensor


class Asked(NamedTuple):
    """A spoken question in its conversation; `wave` [n] at 16 kHz."""

    messages: Sequence[Message]
    question: str
    answer: str
    wave: Waveform


class NexusWorld:
    """Samples by kind, each of which follows the random numbers that it is given."""

    def __init__(
        self, config: NexusConfig, tokenizer: QwenTokenizer, seed: int, speaking: Speaking | None = None
    ) -> None:
        """`speaking`: by whom replies are spoken; None: any of the training voices."""
        self.config, self.tokenizer, self.seed, self.speaking = config, tokenizer, seed, speaking or AnyVoice()
        self.script = Script(config, tokenizer, mark_ids(tokenizer, config.choices))
        self.kinds: Mapping[Kind, Callable[[random.Random], Sample]] = {
            "transcript": self.transcript,
            "translation": self.translation,
            "spoken question": self.spoken_question,
        }
        self.spoken: Mapping[Kind, Callable[[random.Random], Said]] = {
            "reading": self.reading,
            "spoken answer": self.spoken_answer,
        }

    def transcript(self, rng: random.Random) -> Sample:
        said = training_utterance(_language(rng), self.seed, rng.randrange(NUMBERS))
        return self._heard([user(SPEECH, TO_TEXT), assistant(said.text.lower())], said.waveform, said.text)

    def translation(self, rng: random.Random) -> Sample:
        language = _language(rng)
        said = training_utterance(language, self.seed, rng.randrange(NUMBERS))
        answer = assistant(printed(said.translation, "zh" if language == "en" else "en"))
        return self._heard([user(SPEECH, TRANSLATED[language]), answer], said.waveform, said.text)

    def spoken_question(self, rng: random.Random) -> Sample:
        asked = self._question(rng)
        return self._heard(asked.messages, asked.wave, asked.question)

    def reading(self, rng: random.Random) -> Said:
        """A text to be read aloud: the answer is the text."""
        line = self.speaking.line(rng)
        return self._said(self.sample([user(SAY_ALOUD[line.language] + line.text), assistant(line.text)]), line, rng)

    def spoken_answer(self, rng: random.Random) -> Said:
        """A spoken question, answered by speech."""
        asked = self._question(rng)
        return self._said(self.sample(asked.messages, torch.from_numpy(asked.wave)), Line(asked.answer, "en"), rng)

    def _question(self, rng: random.Random) -> Asked:
        if rng.random() < FACTS:
            question, answer = training_fact(rng)
            asks = user(SPEECH)
        else:
            scene = training_scene(self.seed, rng.randrange(NUMBERS))
            question, answer = rng.choice(scene.questions)
            asks = user(scene.caption, SPEECH)
        wave = recorded(question, training_speaker("en", rng), rng)
        return Asked([asks, assistant(answer)], question, answer, wave)

    def _heard(self, messages: Sequence[Message], wave: Waveform, text: str) -> Sample:
        """With the tokens that are spoken."""
        made = self.sample(messages, torch.from_numpy(wave))
        return made._replace(units=torch.tensor(self.tokenizer.encode(text.lower())))

    def _said(self, sample: Sample, line: Line, rng: random.Random) -> Said:
        """With the answer's sound, which has neither noise nor a narrow microphone."""
        wave = self.speaking.say(line, rng)
        first = int((sample.labels != IGNORED).nonzero()[0])
        end = len(sample.labels) - len(self.tokenizer.encode(f"{TURN_END}\n"))
        return Said(sample.inputs, slice(first, end), wave)

    def sample(self, messages: Sequence[Message], wave: Tensor | None = None) -> Sample:
        """A conversation that ends with the assistant; `wave` [n] at 16 kHz stands in the place of audio."""
        return self.script.sample(messages, wave=wave)


def _language(rng: random.Random) -> Language:
    return "en" if rng.random() < 0.5 else "zh"


class NexusBatches:
    """Batches of a stage, each a function of stage, seed and number. Kinds are drawn by their published counts."""

    def __init__(self, world: NexusWorld, work: Work, seed: int) -> None:
        self.world, self.work, self.seed = world, work, seed

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the stage."""
        return f"{self.world.config}, seed {self.seed} and {self.world.seed}"

    def __call__(self, number: int) -> Batch:
        rng = random.Random(f"batch {self.work.name} {self.seed} {number}")
        shares = self.work.shares(number)
        kinds = rng.choices(list(shares), list(shares.values()), k=self.work.effort.batch)
        return Batch([self.world.kinds[kind](rng) for kind in kinds], kinds)
