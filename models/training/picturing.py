"""Examples with pictures and clips: to be named, described and asked about."""

from __future__ import annotations

import random
from functools import cached_property

import torch
from PIL.Image import Image
from torch import Tensor

from harness.types import Message, Text
from models.training.collages import Collage, collage
from models.training.examples import CLIP, NOTHING, PICTURE, Example, assistant, user
from models.training.making import (
    BENCHMARKS,
    CLIP_BENCHMARKS,
    DESCRIBE,
    FRAMES,
    READ,
    Kind,
    Make,
    Maker,
    prompted,
    spoken_of,
)
from models.training.pages import page
from tasks.mini.clip_exercises import training_clip
from tasks.mini.exercises import training_exercise
from tasks.mini.noting import noted
from tasks.mini.scenes import CATEGORIES, SceneItem

OF_CLIPS = 0.15
"""Of the pictures of a gallery: the frames of clips."""
WRITTEN = ("OCR", "numerical_calculation", "text_translation", "code_reasoning")
TURNS = tuple(place for place, category in enumerate(CATEGORIES) for _ in range(2 if category in WRITTEN else 1))
"""The categories of pictures as they take turns; writing takes more pictures to learn."""


class Picturing(Maker):
    """What is seen, with names for what is where, as far as that is known."""

    @cached_property
    def kinds(self) -> dict[Kind, Make]:
        return {
            "collage": self.collage,
            "page": self.page,
            "gallery": self.gallery,
            "caption": self.caption,
            "question": self.question,
            "exercise": self.exercise,
            "clip": self.clip,
        }

    def collage(self, number: int, rng: random.Random) -> Example:
        """Things in a picture, to be named where they are; without a conversation."""
        return self._named(collage(random.Random(f"collage {self.seed} {self.apart(number)}")))

    def page(self, number: int, rng: random.Random) -> Example:
        """As `collage`, of writing alone."""
        return self._named(page(random.Random(f"page {self.seed} {self.apart(number)}")))

    def _named(self, made: Collage) -> Example:
        units, spots = self.sights.places(made.things)
        return Example(NOTHING, NOTHING, self.pixels(made.image), units=units, spots=spots)

    def gallery(self, number: int, rng: random.Random) -> Example:
        """As `collage`, of the pictures and clips of the benchmarks."""
        number = self.apart(number)
        if rng.random() < OF_CLIPS:
            benchmark = rng.choice(CLIP_BENCHMARKS)
            clip = training_clip(benchmark, self.seed, number)
            image, shown = rng.choice(clip.frames(rng.choice(FRAMES[benchmark]))), ""
        else:
            made = training_exercise(BENCHMARKS[number % len(BENCHMARKS)], self.seed, number)
            image, shown = made.images[0], made.shown if len(made.images) == 1 else ""
        units, spots = self._seen_there(image, shown)
        return Example(NOTHING, NOTHING, self.pixels(image), units=units, spots=spots)

    def _seen_there(self, image: Image, shown: str = "") -> tuple[Tensor, Tensor]:
        """Names of what a drawing shows, with their places, and of what else it is said to show, somewhere."""
        units, spots = self.sights.places(noted(image))
        missing = sorted(self.sights.said(shown) - set(units.tolist()))
        anywhere = torch.ones(len(missing), spots.shape[1], dtype=torch.bool)
        return torch.cat((units, torch.tensor(missing, dtype=torch.long))), torch.cat((spots, anywhere))

    def caption(self, number: int, rng: random.Random) -> Example:
        number = in_turn(number)
        scene = self.scene(number)
        return self.seen(scene, number, [user(PICTURE, DESCRIBE), assistant(READ + scene.caption)])

    def question(self, number: int, rng: random.Random) -> Example:
        number = in_turn(number)
        scene = self.scene(number)
        question = rng.choice(scene.questions)
        asks = user(PICTURE, prompted(question.text, rng))
        return self.seen(scene, number, [asks, assistant(READ + question.answer)])

    def exercise(self, number: int, rng: random.Random) -> Example:
        """Pictures with questions of a benchmark; the benchmarks take turns."""
        benchmark = BENCHMARKS[number % len(BENCHMARKS)]
        made = training_exercise(benchmark, self.seed, self.apart(number))
        shown = [user(*[PICTURE] * len(made.images), made.turns[0].asked), assistant(READ + made.turns[0].answer)]
        pixels = torch.cat([self.pixels(image) for image in made.images])
        example = self.example([*shown, *spoken_of(made.turns[1:])], pixels)
        if len(made.images) > 1:
            return example._replace(units=torch.tensor(sorted(self.sights.said(made.shown)), dtype=torch.long))
        units, spots = self._seen_there(made.images[0], made.shown)
        return example._replace(units=units, spots=spots)

    def clip(self, number: int, rng: random.Random) -> Example:
        """Frames with questions of a benchmark."""
        benchmark = CLIP_BENCHMARKS[number % len(CLIP_BENCHMARKS)]
        made = training_clip(benchmark, self.seed, self.apart(number))
        system = [Message("system", (Text(made.system),))] if made.system else []
        shown = [user(CLIP, made.turns[0].asked), assistant(READ + made.turns[0].answer)]
        pixels = torch.cat([self.pixels(frame) for frame in made.frames(rng.choice(FRAMES[benchmark]))])
        return self.example([*system, *shown, *spoken_of(made.turns[1:])], pixels)

    def seen(self, scene: SceneItem, number: int, messages: list[Message]) -> Example:
        """An example with a picture. Its units name the things in it and tell it from the next of its category."""
        like = self.scene(number + len(CATEGORIES))
        own, others = (set(self.tokenizer.encode(f" {of.caption}")) for of in (scene, like))
        units, spots = self.sights.places(scene.things)
        telling = torch.tensor(sorted(own - others - set(units.tolist())), dtype=torch.long)
        anywhere = torch.ones(len(telling), spots.shape[1], dtype=torch.bool)
        made = self.example(messages, self.pixels(scene.image))
        return made._replace(units=torch.cat((units, telling)), spots=torch.cat((spots, anywhere)))


def in_turn(number: int) -> int:
    """The number of a scene of the category whose turn it is at `number`."""
    return number * len(CATEGORIES) + TURNS[number % len(TURNS)]
