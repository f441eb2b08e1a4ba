"""Examples with speech: to be written down, translated, answered, or met with silence."""

from __future__ import annotations

import random
from functools import cached_property
from pathlib import Path

import torch

from models.nn.kaldi import SAMPLE_RATE, fbank
from models.training.corpus import LANGUAGES, Clip, asked, corpus
from models.training.examples import PICTURE, SPEECH, Example, assistant, user
from models.training.making import HEARD, NOISE, Kind, Make, Maker
from models.training.picturing import Picturing
from tasks.mini.training import TRANSLATE, training_scene

HELD_OUT_SHARE = 40
"""One utterance in so many is held out."""


class Talking(Maker):
    """`utterances` in each language and a quarter as many questions on pictures are made, once, below `cache`."""

    def __init__(self, pictures: Picturing, utterances: int, cache: Path) -> None:
        super().__init__(pictures.reader, pictures.seed, pictures.held_out)
        self._pictures, self._utterances, self._cache = pictures, utterances, cache

    @cached_property
    def kinds(self) -> dict[Kind, Make]:
        return {
            "spoken question": self.spoken_question,
            "spoken fact": self.spoken_fact,
            "spoken translation": self.spoken_translation,
            "transcript": self.transcript,
            "noise": self.noise,
        }

    @cached_property
    def speech(self) -> list[Clip]:
        """English and Mandarin utterances, from the shortest to the longest."""
        clips: list[Clip] = []
        for language in LANGUAGES:
            made = corpus(language, self.seed, self._utterances, self._cache)
            held = [place % HELD_OUT_SHARE == 0 for place in range(len(made))]
            clips += [clip for clip, out in zip(made, held, strict=True) if out == self.held_out]
        return sorted(clips, key=lambda clip: len(clip.features))

    @cached_property
    def questions(self) -> list[Clip]:
        """Spoken questions; the i-th is on scene i."""
        return corpus("question", self.seed, self._utterances // 4, self._cache)

    @cached_property
    def facts(self) -> list[Clip]:
        """Spoken questions about general facts."""
        made = corpus("fact", self.seed, self._utterances // 3, self._cache)
        return [clip for place, clip in enumerate(made) if (place % HELD_OUT_SHARE == 0) == self.held_out]

    def spoken_question(self, number: int, rng: random.Random) -> Example:
        number = number % (len(self.questions) // 2) * 2 + self.held_out
        scene = training_scene(self.seed, number)
        answer = scene.questions[asked(self.seed, number)].answer
        made = self._pictures.seen(scene, number, [user(PICTURE, SPEECH), assistant(HEARD + answer)])
        return made._replace(audio=self.questions[number].features.float())

    def transcript(self, number: int, rng: random.Random) -> Example:
        clip = self.speech[number % len(self.speech)]
        text = spelt(clip.text)
        made = self.example([user(SPEECH), assistant(HEARD + text)], audio=clip.features.float())
        return made._replace(units=torch.tensor(self.tokenizer.encode(text)))

    def spoken_fact(self, number: int, rng: random.Random) -> Example:
        """A spoken question without any word beside it, to be answered."""
        clip = self.facts[number % len(self.facts)]
        made = self.example([user(SPEECH), assistant(HEARD + clip.meaning)], audio=clip.features.float())
        return made._replace(units=torch.tensor(self.tokenizer.encode(clip.text)))

    def spoken_translation(self, number: int, rng: random.Random) -> Example:
        clip = self.speech[number % len(self.speech)]
        asks = user(SPEECH, TRANSLATE["en" if clip.text.isascii() else "zh"])
        made = self.example([asks, assistant(HEARD + clip.meaning)], audio=clip.features.float())
        return made._replace(units=torch.tensor(self.tokenizer.encode(spelt(clip.text))))

    def noise(self, number: int, rng: random.Random) -> Example:
        """Hum, hiss or silence, which is to be met with silence."""
        length = rng.randrange(SAMPLE_RATE // 2, 2 * SAMPLE_RATE)
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        loudness = rng.choice((0.0, 10 ** rng.uniform(-4, -1)))
        wave = loudness * torch.randn(length + 8, generator=generator).unfold(0, rng.choice((1, 2, 4, 8)), 1).mean(1)
        return self.example([user(SPEECH), assistant(NOISE)], audio=fbank(wave[:length]))


def spelt(text: str) -> str:
    """A transcript as the model writes it: English in lower case."""
    return text.lower()
