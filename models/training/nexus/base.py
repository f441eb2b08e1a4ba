"""The small models that NEXUS-O's mini size starts from, where the release starts from Qwen2.5-VL and Whisper.

There is none of either at this size, so that they are trained first: a vision tower that names what is where by the
words of a language model that is there, a speech encoder that spells what is said, and a vision-language model of the
two of them. The language model is the one of `vita15-mini`, which knows the mini world's words.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from models.checkpoint_error import CheckpointError
from models.nexus_o.omni import Nexus, Seen
from models.training.batches import counts
from models.training.examples import Example
from models.training.learner import LENGTH_WEIGHT, by_extent, length_loss, naming_loss
from models.training.making import Kind
from models.training.nexus.reader import NexusReader
from models.training.nexus.samples import Batch
from models.training.nexus.stages import POSITIONS
from models.training.picturing import Picturing
from models.training.sights import digit_tokens, ranked
from models.training.writing import Writing
from models.vita15 import checkpoint as vita15

VISION, HEARING = "model.visual.", "model.audio_tower."
LANGUAGE = ("model.language_model.layers.", "model.language_model.norm.", "lm_head.")
"""All but the words' embeddings, by which pictures and speech are named."""
TAKEN = (VISION, HEARING, "model.language_model.", "lm_head.")
"""What base models have: all but the audio adapter, which the published stages start at random."""
FIRST = 10_000_000
"""Stages see different pictures: each numbers its own from a multiple of this."""


@dataclass(frozen=True)
class BaseStage:
    name: str
    title: str
    after: tuple[str, ...]
    """The stages of which it takes what they have trained."""
    trainable: tuple[str, ...]
    """Prefixes of parameter names; all else is frozen."""
    learning_rate: float
    loss: Literal["naming", "spelling", "answers"]
    shares: Mapping[Kind, float]
    language_rate: float = 1.0
    """Of the learning rate, for the language model."""

    def trains(self, name: str) -> bool:
        """Whether a parameter moves; the sinusoids of the speech encoder never do."""
        return name.startswith(self.trainable) and not name.startswith(POSITIONS)

    def rate_of(self, name: str) -> float:
        return self.language_rate if name.startswith(LANGUAGE) else 1.0


BASE: Mapping[str, BaseStage] = {
    stage.name: stage
    for stage in (
        BaseStage(
            "seeing",
            "vision tower",
            (),
            (VISION,),
            1.5e-3,
            "naming",
            {"page": 0.2, "collage": 0.3, "gallery": 0.5},
        ),
        BaseStage("hearing", "speech encoder", (), (HEARING, "phoneme_head.", "ctc_head."), 2e-3, "spelling", {}),
        BaseStage(
            "looking",
            "vision and language",
            ("seeing",),
            (VISION, *LANGUAGE),
            7e-4,
            "answers",
            {
                "exercise": 0.5,
                "question": 0.16,
                "caption": 0.03,
                "quiz": 0.1,
                "fact": 0.07,
                "translation": 0.09,
                "reading": 0.05,
            },
        ),
    )
}  # fmt: skip
"""The published stages start from what all of them have trained."""


def take_language(model: Nexus, folder: Path) -> None:
    """Give a model the language model of a folder of VITA-1.5, in place.

    On text both compute the same: of a token of text all three axes of a position are its number.
    Raises CheckpointError, on another size too.
    """
    source = vita15.load(folder).model
    kept = ("embed_tokens.", "layers.", "norm.")
    state = {name: value for name, value in source.model.state_dict().items() if name.startswith(kept)}
    try:
        model.model.language_model.load_state_dict(state)
        model.lm_head.load_state_dict(source.lm_head.state_dict())
    except RuntimeError as error:
        raise CheckpointError(f"{folder}: its language model is of another size; take that of vita15-mini") from error


def take_base(model: Nexus, given: Nexus) -> None:
    """Give a model the vision tower, speech encoder and language model of another of its size, in place."""
    state = {name: value for name, value in given.state_dict().items() if name.startswith(TAKEN)}
    model.load_state_dict(state, strict=False)


class BaseBatches:
    """Batches of a stage, each a function of stage, seed and number."""

    def __init__(self, reader: NexusReader, stage: BaseStage, size: int, seed: int, held_out: bool = False) -> None:
        self.reader, self.stage, self.size, self.seed, self.held_out = reader, stage, size, seed, held_out
        writing, picturing = Writing(reader, seed, held_out), Picturing(reader, seed, held_out)
        self.kinds = {**writing.kinds, **picturing.kinds}
        self._first = FIRST * list(BASE).index(stage.name)

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the stage."""
        return f"{self.size} {self.seed} {self.reader.script.config}"

    def __call__(self, step: int) -> Sequence[Example] | Batch:
        drawn = [
            (kind, self._first + step * count + place)
            for kind, count in counts(self.stage.shares, self.size).items()
            for place in range(count)
        ]
        made = [self.kinds[kind](number, self._rng(f"{kind} {number}")) for kind, number in drawn]
        if self.stage.loss == "naming":
            return made
        return Batch([self.reader.sample(example) for example in made], [kind for kind, _ in drawn])

    def _rng(self, about: str) -> random.Random:
        return random.Random(f"base {self.stage.name} {self.seed} {self.held_out} {about}")


class SeeingLearner(nn.Module):
    """The vision tower alone: what is in a place is to be like the words for it."""

    def __init__(self, reader: NexusReader, model: Nexus, stage: BaseStage) -> None:
        super().__init__()
        self.reader, self.model, self.stage = reader, model, stage

    @property
    def device(self) -> torch.device:
        return self.model.device

    def trained(self) -> dict[str, nn.Parameter]:
        return {name: parameter for name, parameter in self.model.named_parameters() if self.stage.trains(name)}

    def rate_of(self, name: str) -> float:
        return 1.0

    def forward(self, examples: Sequence[Example]) -> Tensor:
        """A scalar."""
        patches = torch.cat([example.pixels for example in examples if example.pixels is not None])
        grid = self.reader.grid._replace(layers=len(patches))  # side by side: the tower sees layers apart
        seen = self.model.encode_picture(Seen(patches.flatten(0, 1), grid)).float().unflatten(0, (len(patches), -1))
        words = self.model.model.language_model.embed_tokens.weight.detach().float()
        names = ranked(words, torch.tensor(digit_tokens(self.reader.tokenizer)))
        named = [
            naming_loss(view, names, *those)
            for view, example in zip(seen, examples, strict=True)
            for those in by_extent(example.units, example.spots)
        ]
        return torch.stack(named).mean() + LENGTH_WEIGHT * length_loss(seen.flatten(0, 1), words)
