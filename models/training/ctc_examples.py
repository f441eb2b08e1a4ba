"""Batches of clips of like length, masked and made noisy as SpecAugment does (arXiv:1904.08779)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.ctc_corpus import Clip
from tasks.judges.mini_ctc.alphabet import Alphabet
from tasks.judges.mini_ctc.features import BANDS

HELD_OUT_SHARE = 40
"""One clip in so many is kept from training, and the final weights are chosen by these."""
BATCH = 24
STRETCH = (0.88, 1.12)
LEVEL = (-5.0, -1.0)
"""Of further noise, beside the clip's mean, in nepers."""


class Masks(NamedTuple):
    """What is spoilt in a clip: how many masks of bands and of moments, their largest sizes, the share with noise."""

    bands: int
    widest: int
    moments: int
    longest: int  # frames
    noisy: float
    warp: float = 0.0
    """By how much frequencies are shifted at most, as by another speaker's vocal tract."""


STRONG, MILD, WARPED = Masks(2, 10, 2, 8, 0.4), Masks(1, 6, 1, 4, 0.2), Masks(1, 6, 1, 4, 0.2, 0.12)


class Batch(NamedTuple):
    features: Tensor  # [B, T, BANDS]
    lengths: Tensor
    units: Tensor  # all targets in one row
    counts: Tensor


def split(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Those to train on, and those held out; both languages in both. Clips come in pairs of languages."""
    held = [number // 2 % HELD_OUT_SHARE == 0 for number in range(len(clips))]
    kept = [clip for clip, out in zip(clips, held, strict=True) if not out]
    return kept, [clip for clip, out in zip(clips, held, strict=True) if out]


class Batches:
    """The batch of a step, which depends on the seed and the step alone."""

    def __init__(self, clips: Sequence[Clip], alphabet: Alphabet, seed: int) -> None:
        self._clips, self._alphabet, self._seed = clips, alphabet, seed
        ordered = sorted(range(len(clips)), key=lambda number: len(clips[number].features))
        self._ordered = ordered
        self._per_epoch = -(-len(clips) // BATCH)

    def __call__(self, step: int, masks: Masks) -> Batch:
        epoch, place = divmod(step, self._per_epoch)
        rng = random.Random(f"order {self._seed} {epoch}")
        turns = list(range(self._per_epoch))
        rng.shuffle(turns)
        first = min(turns[place] * BATCH, max(0, len(self._clips) - BATCH))
        rng = random.Random(f"masks {self._seed} {step}")
        chosen = [self._clips[number] for number in self._ordered[first : first + BATCH]]
        return collate(
            [augmented(clip.features, rng, masks) for clip in chosen], [clip.text for clip in chosen], self._alphabet
        )


def collate(features: Sequence[NDArray[np.floating]], texts: Sequence[str], alphabet: Alphabet) -> Batch:
    lengths = [len(piece) for piece in features]
    padded = torch.zeros(len(features), max(lengths), BANDS)
    for row, piece in enumerate(features):
        padded[row, : len(piece)] = torch.from_numpy(np.asarray(piece, np.float32))
    units = [alphabet.encode(text) for text in texts]
    flat = torch.tensor([unit for row in units for unit in row])
    return Batch(padded, torch.tensor(lengths), flat, torch.tensor([len(row) for row in units]))


def augmented(features: NDArray[np.float16], rng: random.Random, masks: Masks) -> NDArray[np.float32]:
    """A clip a little slower or faster, brighter or darker, in noise, with bands and moments left out."""
    x = np.asarray(features, np.float32)
    frames = max(2, round(len(x) * rng.uniform(*STRETCH)))
    at = np.linspace(0, len(x) - 1, frames)
    before = np.floor(at).astype(int)
    share = (at - before)[:, None].astype(np.float32)
    x = x[before] * (1 - share) + x[np.minimum(before + 1, len(x) - 1)] * share
    if masks.warp:
        band = np.clip(np.arange(BANDS) * rng.uniform(1 - masks.warp, 1 + masks.warp), 0, BANDS - 1)
        lower = np.floor(band).astype(int)
        share = (band - lower).astype(np.float32)
        x = x[:, lower] * (1 - share) + x[:, np.minimum(lower + 1, BANDS - 1)] * share
    if rng.random() < masks.noisy:
        dice = np.random.default_rng(rng.getrandbits(60))
        slope = np.linspace(rng.uniform(-1, 1), rng.uniform(-1, 1), BANDS, dtype=np.float32)
        hiss = rng.uniform(*LEVEL) + slope + 0.7 * dice.standard_normal(x.shape, dtype=np.float32)
        x = np.logaddexp(x, hiss + float(x.max(axis=0).mean()) - 3.0)
        x = x - x.mean(axis=0)
    for _ in range(masks.bands):
        width = rng.randint(0, masks.widest)
        first = rng.randint(0, BANDS - width)
        x[:, first : first + width] = 0
    for _ in range(masks.moments):
        width = rng.randint(0, min(masks.longest, frames // 10))
        first = rng.randint(0, frames - width)
        x[first : first + width] = 0
    return x
