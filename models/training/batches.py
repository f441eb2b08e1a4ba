"""What a stage sees at each step: a function of seed and step, so that a stopped training goes on as if it had not."""

from __future__ import annotations

import random
from collections.abc import Mapping

import torch
from torch import Tensor

from models.training.examples import Example
from models.training.making import Kind
from models.training.recipes import STAGES, Stage
from models.training.team import ALONE, Team
from models.training.world import World

FREQUENCY_BANDS, WIDEST_BAND = 2, 12  # mel bins
TIME_BANDS, LONGEST_BAND = 2, 10  # frames of 10 ms
WIDEST_WARP = 0.06
"""Of the mel axis: about a tenth of a formant's frequency, the range of grown-up voices."""
OF_SENTENCES = ("transcript", "spoken translation")
"""Kinds of examples on the utterances of the world's `speech`."""
FIRST = 10_000_000
"""Stages see different pictures: each numbers its own from a multiple of this."""


class Batches:
    """Batches of `size` examples, of each kind its share; speech in a batch is of nearly one length.

    A member of a team makes every so many of a batch's examples.
    """

    def __init__(self, world: World, stage: Stage, size: int, seed: int, team: Team = ALONE) -> None:
        self.world, self.stage, self.seed, self.team = world, stage, seed, team
        self.counts = counts(stage.shares, size)
        self._first = FIRST * list(STAGES).index(stage.name)

    @property
    def recipe(self) -> str:
        """What its batches follow, beside the stage."""
        return f"{self.counts} {self.seed}"

    def __call__(self, step: int) -> list[Example]:
        numbered: list[tuple[Kind, int]] = []
        for kind, count in self.counts.items():
            first = self._block(step, count) if kind in OF_SENTENCES else self._first + step * count
            numbered += [(kind, number) for number in range(first, first + count)]
        return [self._made(step, *numbered[place], place) for place in range(*self._part(len(numbered)))]

    def _part(self, size: int) -> tuple[int, int, int]:
        return self.team.rank, size, self.team.size

    def _made(self, step: int, kind: Kind, number: int, place: int) -> Example:
        rng = random.Random(f"batch {self.stage.name} {self.seed} {step} {place}")
        return disguised(self.world.kinds[kind](number, rng), rng)

    def _block(self, step: int, count: int) -> int:
        """The first of `count` neighbours in the order of length; every epoch takes all blocks in a new order."""
        n = len(self.world.speech)
        blocks = max(1, n // count)
        epoch, place = divmod(step, blocks)
        rng = random.Random(f"epoch {self.stage.name} {self.seed} {epoch}")
        order = rng.sample(range(blocks), blocks)
        return order[place] * count + rng.randrange(max(0, n - blocks * count) + 1)


def counts(shares: Mapping[Kind, float], size: int) -> dict[Kind, int]:
    """How many examples of each kind make a batch of `size`: the shares, rounded to add up, at least one each.

    Raises ValueError when `size` is smaller than the number of kinds.
    """
    if size < len(shares):
        raise ValueError(f"a batch of {size} cannot hold {len(shares)} kinds of examples")
    total = sum(shares.values())
    exact = {kind: max(1.0, size * share / total) for kind, share in shares.items()}
    rounded = {kind: int(count) for kind, count in exact.items()}
    while (missing := size - sum(rounded.values())) != 0:
        change = 1 if missing > 0 else -1
        able = [kind for kind in rounded if rounded[kind] + change >= 1]
        kind = max(able, key=lambda kind: change * (exact[kind] - rounded[kind]))
        rounded[kind] += change
    return rounded


def disguised(example: Example, rng: random.Random) -> Example:
    """Speech as another voice might say it, with some of it blotted out; other examples as they are."""
    if example.audio is None:
        return example
    return example._replace(audio=masked(warped(example.audio, rng.uniform(1 - WIDEST_WARP, 1 + WIDEST_WARP)), rng))


def warped(features: Tensor, factor: float) -> Tensor:
    """Filter banks [T, mel] with their mel axis stretched by `factor`, as by a longer or shorter vocal tract (VTLP)."""
    bins = features.shape[1]
    places = (torch.arange(bins) / factor).clamp(max=bins - 1)
    below = places.long().clamp(max=bins - 2)
    return torch.lerp(features[:, below], features[:, below + 1], (places - below).to(features.dtype))


def masked(features: Tensor, rng: random.Random) -> Tensor:
    """Filter banks [T, mel] with some bands of frequency and time blotted out by the mean (SpecAugment, no warping)."""
    features = features.clone()
    mean, (frames, bins) = float(features.mean()), features.shape
    for _ in range(FREQUENCY_BANDS):
        width = rng.randint(0, min(WIDEST_BAND, bins))
        first = rng.randint(0, bins - width)
        features[:, first : first + width] = mean
    for _ in range(TIME_BANDS):
        width = rng.randint(0, min(LONGEST_BAND, frames // 10))
        first = rng.randint(0, frames - width)
        features[first : first + width] = mean
    return features
