"""What is to be seen where, as a training is told it: names for things, and embeddings in their places."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from models.text.tokenizer import QwenTokenizer
from models.training.examples import Imagined
from tasks.mini.drawing import SIZE
from tasks.mini.noting import Frame, Thing

MOST_NOISE = 1.2
"""Beside the words of an imagined picture, of their length."""
LONGEST_RUN = 4
"""Words that stand together where nothing is said of places."""
WORDS = 4
"""Of a token of an imagined picture, at most."""
RANKS = 4
"""Digits of a number that are told apart. Those behind the first have names of their own (`ranked`)."""
EVERYWHERE = 0.7
"""The share of a thing's tokens that show it."""


def ranked(words: Tensor, digits: Tensor) -> Tensor:
    """The names [V + 10 * (RANKS - 1), D] by which sights are called: embeddings of words [V, D], then of the digits
    (their rows [10]) behind the first, the first's turned by a part of the width for each that is before.

    Several digits share a token of a picture; the sum of their words would be that of another number's.
    """
    part = words.shape[1] // RANKS
    return torch.cat([words, *(words[digits].roll(part * rank, 1) for rank in range(1, RANKS))])


def digit_tokens(tokenizer: QwenTokenizer) -> list[int]:
    """Of 0 to 9."""
    return [tokenizer.encode(str(digit))[0] for digit in range(10)]


class Sights:
    """Names and places for the pictures of one model: `size` tokens each, in a square; `rows` embeddings of words, each
    `width` wide."""

    def __init__(self, tokenizer: QwenTokenizer, size: int, rows: int, width: int) -> None:
        self.tokenizer, self.size, self.rows, self.width = tokenizer, size, rows, width

    def named(self, thing: Thing) -> list[int]:
        """The rows of `ranked` for a thing."""
        if thing.rank:
            return [self.rows + 10 * (min(thing.rank, RANKS - 1) - 1) + int(thing.name)]
        return [token for token in self.tokenizer.encode(thing.name) if self.tokenizer.decode([token]).strip()]

    def said(self, text: str) -> set[int]:
        """The words of a text for what is seen somewhere, as they stand within a sentence."""
        tokens = self.tokenizer.encode(f" {text}") if text else []
        return {token for token in tokens if self.tokenizer.decode([token]).strip()}

    def places(self, things: Sequence[Thing]) -> tuple[Tensor, Tensor]:
        """The names of all things, int64 [m], and where each is to be seen, bool [m, tokens per tile]."""
        named = [(token, self.spot(thing.frame)) for thing in things for token in self.named(thing)]
        units = torch.tensor([token for token, _ in named], dtype=torch.long)
        none = torch.ones(0, self.size, dtype=torch.bool)
        return units, torch.cat([none, *(spot[None] for _, spot in named)])

    def spot(self, frame: Frame) -> Tensor:
        """bool [tokens per tile]: the tokens with their centres in a frame; in each direction at least the nearest."""
        side = round(self.size**0.5)
        centres = (torch.arange(side) + 0.5) * SIZE / side

        def within(first: int, last: int) -> Tensor:
            distance = (centres - (first + last) / 2).abs()
            return distance <= max((last - first) / 2, float(distance.min()))

        return (within(frame.top, frame.bottom)[:, None] & within(frame.left, frame.right)).flatten()

    def laid_out(self, things: Sequence[Thing], rng: random.Random) -> list[list[int]]:
        """Names for each token of a tile: of what is there, not all of it everywhere."""
        tile: list[list[int]] = [[] for _ in range(self.size)]
        for thing in things:
            places = self.spot(thing.frame).nonzero().flatten().tolist()
            named, kept = self.named(thing), [place for place in places if rng.random() < EVERYWHERE]
            for place in kept or [rng.choice(places)]:
                tile[place] += rng.sample(named, min(len(named), 2))
        return tile

    def strewn(self, text: str, rng: random.Random) -> list[list[int]]:
        """The words of a description that says nothing of places, in runs, more often than once."""
        things = [self.tokenizer.encode(f" {part}") for part in text.split(" and ")]
        words = list[int]()
        while len(words) < self.size:
            part = rng.choice(things)
            words += rng.sample(part, min(len(part), rng.randint(1, LONGEST_RUN)))
        return [[word] for word in words[: self.size]]

    def imagined(self, tiles: Sequence[Sequence[Sequence[int]]], rng: random.Random) -> Imagined:
        """Pictures [tiles][tokens per tile] of names, blurred by noise."""
        filled = [[_filled(names, rng) for names in tile] for tile in tiles]
        shown = torch.tensor([[bool(names) for names in tile] for tile in tiles])
        generator = torch.Generator().manual_seed(rng.getrandbits(60))
        noise = torch.randn(len(tiles), self.size, self.width, generator=generator)
        return Imagined(torch.tensor(filled), shown, rng.uniform(0, MOST_NOISE) / self.width**0.5 * noise)


def _filled(names: Sequence[int], rng: random.Random) -> list[int]:
    """WORDS of some names: too many are left out, too few are said again."""
    if not names:
        return [0] * WORDS
    if len(names) >= WORDS:
        return rng.sample(list(names), WORDS)
    return [*names, *rng.choices(names, k=WORDS - len(names))]
