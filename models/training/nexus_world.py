"""What NEXUS-O is trained on at a small size: sentences and questions of the mini world, by its training voices.

Everything is of the mini world's training part. English and Mandarin take turns by chance; how they share the
published data is not known. A spoken question is on a description that stands before it as text.
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
from models.nexus_o.positions import Run, positions
from models.nexus_o.prompts import assemble, conversation, mark_ids
from models.nexus_o.sound import audio_tokens, windows
from models.text.tokenizer import TURN_END, QwenTokenizer
from models.training.examples import SPEECH, assistant, user
from models.training.nexus_stages import Kind, Work
from tasks.mini.grammar import sentences
from tasks.mini.speech import synthesize
from tasks.mini.training import recorded, training_scene, training_speaker, training_utterance
from tasks.mini.voices import Language

IGNORED = -100
"""A label that is not learnt."""
TO_TEXT, TO_SPEECH = "Transcribe the speech.", "Read the text aloud."
TRANSLATED: Mapping[Language, str] = {
    "en": "Translate the speech into Chinese.",
    "zh": "Translate the speech into English.",
}
"""By the language that is spoken."""
NUMBERS = 100_000_000


class Sample(NamedTuple):
    """A conversation and its labels, int64 [S]: each its own token's; they are shifted later."""

    inputs: Inputs
    labels: Tensor


class Said(NamedTuple):
    """A conversation whose answer, the tokens `answer` [N] of it, is spoken: `wave` [n] at 16 kHz."""

    inputs: Inputs
    answer: slice
    wave: Tensor


class Batch(NamedTuple):
    """Samples and the kind of each."""

    samples: Sequence[Sample]
    kinds: Sequence[Kind]


class NexusWorld:
    """Samples by kind, each of which follows the random numbers that it is given."""

    def __init__(self, config: NexusConfig, tokenizer: QwenTokenizer, seed: int) -> None:
        self.config, self.tokenizer, self.seed = config, tokenizer, seed
        self.marks = mark_ids(tokenizer, config.choices)
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
        return self.sample([user(SPEECH, TO_TEXT), assistant(said.text.lower())], torch.from_numpy(said.waveform))

    def translation(self, rng: random.Random) -> Sample:
        language = _language(rng)
        said = training_utterance(language, self.seed, rng.randrange(NUMBERS))
        asks = user(SPEECH, TRANSLATED[language])
        return self.sample([asks, assistant(said.translation.lower())], torch.from_numpy(said.waveform))

    def spoken_question(self, rng: random.Random) -> Sample:
        messages, _, wave = self._question(rng)
        return self.sample(messages, wave)

    def reading(self, rng: random.Random) -> Said:
        """A text to be read aloud: the answer is the text."""
        language, sentence = _language(rng), next(sentences(rng, "train"))
        text = sentence.english.lower() if language == "en" else sentence.chinese
        return self._said(self.sample([user(f"{TO_SPEECH}\n{text}"), assistant(text)]), text, language, rng)

    def spoken_answer(self, rng: random.Random) -> Said:
        """A spoken question, answered by speech."""
        messages, answer, wave = self._question(rng)
        return self._said(self.sample(messages, wave), answer, "en", rng)

    def _question(self, rng: random.Random) -> tuple[list[Message], str, Tensor]:
        """A conversation, its answer and the sound of its question."""
        scene = training_scene(self.seed, rng.randrange(NUMBERS))
        question = rng.choice(scene.questions)
        wave = recorded(question.text, training_speaker("en", rng), rng)
        return [user(scene.caption, SPEECH), assistant(question.answer)], question.answer, torch.from_numpy(wave)

    def _said(self, sample: Sample, text: str, language: Language, rng: random.Random) -> Said:
        """With the answer's sound, which has neither noise nor a narrow microphone."""
        wave = synthesize(text, training_speaker(language, rng), rng)
        first = int((sample.labels != IGNORED).nonzero()[0])
        end = len(sample.labels) - len(self.tokenizer.encode(f"{TURN_END}\n"))
        return Said(sample.inputs, slice(first, end), torch.from_numpy(wave))

    def sample(self, messages: Sequence[Message], wave: Tensor | None = None) -> Sample:
        """A conversation that ends with the assistant, whose answer and end of turn are learnt; `wave` [n] at 16 kHz
        is what stands in the place of audio, if there is any."""
        media = [] if wave is None else [Run(audio_tokens(len(wave), self.config))]
        asked = assemble(conversation(messages[:-1]), media, self.tokenizer, self.marks)
        whole = assemble(conversation(messages), media, self.tokenizer, self.marks)
        labels = whole.ids.clone()
        labels[: len(asked.ids)] = IGNORED
        axes = positions(whole.spans, self.config.vision.tokens_per_second, self.config.choices.after_visual).axes
        audio = () if wave is None else (windows(wave, self.config),)
        return Sample(Inputs(whole.ids, whole.kinds, axes, audio=audio), labels)


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
