"""Did a stage learn from its input? The loss on held-out examples, beside those with the input blanked and swapped.

A model that only learnt to guess from questions and frequent words has the same loss all three times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from models.nn.kaldi import MEL_FLOOR
from models.training.examples import Example
from models.training.learner import Learner

Batch = Sequence[Example]


class Controls(NamedTuple):
    """Mean losses with the true input, with grey pictures and silence, and with each other's input."""

    true: float
    blank: float
    shuffled: float


@torch.no_grad()
def controls(learner: Learner, batches: Sequence[Batch]) -> Controls:
    """The stage's loss on batches three times; without pictures and speech in them it is the same each time."""
    learner.eval()

    def mean(change: Callable[[Batch], Batch]) -> float:
        return math.fsum(float(learner(change(batch))) for batch in batches) / len(batches)

    return Controls(mean(lambda batch: batch), mean(blanked), mean(shuffled))


def blanked(batch: Batch) -> Batch:
    """Pictures become grey, which the normalisation of pixels puts near zero, and speech becomes silence."""
    return [
        example._replace(
            pixels=None if example.pixels is None else torch.zeros_like(example.pixels),
            audio=None if example.audio is None else torch.full_like(example.audio, math.log(MEL_FLOOR)),
        )
        for example in batch
    ]


def shuffled(batch: Batch) -> Batch:
    """Each example gets the pictures, as many as it had, and the speech of the one before it that has such."""
    pictures = _turned([example.pixels for example in batch])
    clips = _turned([example.audio for example in batch], alike=lambda _: 0)
    return [
        example._replace(pixels=pixels, audio=audio)
        for example, pixels, audio in zip(batch, pictures, clips, strict=True)
    ]


def _turned(media: Sequence[Tensor | None], alike: Callable[[Tensor], int] = len) -> list[Tensor | None]:
    groups: dict[int, list[int]] = {}
    for place, medium in enumerate(media):
        if medium is not None:
            groups.setdefault(alike(medium), []).append(place)
    turned = list(media)
    for places in groups.values():
        for place, source in zip(places, [*places[-1:], *places[:-1]], strict=True):
            turned[place] = media[source]
    return turned
