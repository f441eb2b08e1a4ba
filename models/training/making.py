"""What all that makes training examples has in common: who it makes them for, and which scenes are held out."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from PIL.Image import Image
from torch import Tensor

from harness.types import Message
from models.training.examples import Example, assistant, user
from models.training.readers import Reader
from models.vita15.prompts import STATE_MARKS
from tasks.mini.exercises import Turn
from tasks.mini.scenes import CATEGORIES, SceneItem
from tasks.mini.training import WORDINGS, training_scene

Kind = Literal[
    "sentence", "fact", "translation", "reading", "text", "drill", "quiz", "imagined", "sketch", "storyboard",
    "collage", "page", "gallery", "caption", "question", "exercise", "clip",
    "spoken question", "spoken fact", "spoken translation", "transcript", "noise",
]  # fmt: skip
Make = Callable[[int, random.Random], Example]
"""An example from its number and a generator of its own."""
HEARD, NOISE, READ = STATE_MARKS
"""First token of an answer to speech, to what is no speech for the model, and to text."""
DESCRIBE = "Describe this image."
PROMPTS = ("vita", "vita", "vita", "lmms_eval", "vlmevalkit")
"""Each wording that a benchmark may put around a question, the model's own most often."""
FIRST_HELD_OUT = 100_000_000 * len(CATEGORIES)
"""Pictures from this number on are never trained on."""
BENCHMARKS = (
    "mmbench_en", "mmbench_en", "mmbench_cn", "mmstar", "mmstar", "mmmu", "mmmu", "ai2d", "ai2d", "mathvista",
    "ocrbench", "hallusionbench",
)  # fmt: skip
"""Whose questions on pictures take turns."""
CLIP_BENCHMARKS = ("mvbench", "tempcompass", "videomme")
FRAMES: Mapping[str, tuple[int, ...]] = {"mvbench": (4, 5, 6, 8), "tempcompass": (4, 5, 6), "videomme": (8, 16, 16)}
"""Of a clip of each benchmark, as many as the model is shown of such a one."""


class Maker:
    """Makes examples as a model reads them; with `held_out`, of pictures that are never trained on."""

    def __init__(self, reader: Reader, seed: int, held_out: bool = False) -> None:
        self.reader, self.seed, self.held_out = reader, seed, held_out
        self.sights, self.tokenizer = reader.sights, reader.tokenizer

    def scene(self, number: int) -> SceneItem:
        return training_scene(self.seed, self.apart(number))

    def apart(self, number: int) -> int:
        """A number of a picture: those of held-out ones are beyond all others."""
        return number + FIRST_HELD_OUT * self.held_out

    def example(self, messages: list[Message], pixels: Tensor | None = None, audio: Tensor | None = None) -> Example:
        return self.reader.example(messages, pixels, audio)

    def pixels(self, image: Image) -> Tensor:
        return self.reader.pixels(image)


def prompted(question: str, rng: random.Random) -> str:
    """A question of MME's in one of its wordings."""
    return WORDINGS[rng.choice(PROMPTS)](question)


def spoken_of(turns: Sequence[Turn]) -> list[Message]:
    """A conversation in writing."""
    return [message for turn in turns for message in (user(turn.asked), assistant(READ + turn.answer))]
