"""Learning a codebook: k-means to start from, and losses that keep features and entries together."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

ROUNDS = 12


class Quantised(NamedTuple):
    """`vectors` [n, width] with the features' gradient, `ids` [n], and the loss that moves entries and features."""

    vectors: Tensor
    ids: Tensor
    loss: Tensor


def k_means(features: Tensor, entries: int, seed: int, rounds: int = ROUNDS) -> Tensor:
    """Centres [entries, width] of features [n, width]. A centre that holds nothing moves to a feature far from all.

    Raises ValueError where there are fewer features than entries.
    """
    if len(features) < entries:
        raise ValueError(f"k-means: {len(features)} features are too few for {entries} codes; take more readings")
    generator = torch.Generator().manual_seed(seed)
    centres = features[torch.randperm(len(features), generator=generator)[:entries]].clone()
    for _ in range(rounds):
        nearest, distance = _nearest(features, centres)
        counts = torch.bincount(nearest, minlength=entries)
        sums = torch.zeros_like(centres).index_add_(0, nearest, features)
        centres = torch.where((counts > 0)[:, None], sums / counts.clamp_min(1)[:, None], centres)
        if len(empty := (counts == 0).nonzero()[:, 0]):
            centres[empty] = features[distance.topk(len(empty)).indices]
    return centres


def quantise(features: Tensor, table: Tensor, commitment: float, revival: float) -> Quantised:
    """Features [n, width] -> the nearest entries of the table [entries, width], straight through.

    The loss is the squared distance of a feature to its entry, which moves the entry by 1 and the feature by
    `commitment`, and that of each entry to the feature nearest to it, by `revival`: an entry that holds nothing comes
    back to where features are.
    """
    with torch.no_grad():
        ids, _ = _nearest(features, table)
    chosen = table[ids]
    loss = F.mse_loss(chosen, features.detach()) + commitment * F.mse_loss(features, chosen.detach())
    if revival:
        with torch.no_grad():
            closest, _ = _nearest(table, features)
        loss = loss + revival * F.mse_loss(table, features[closest].detach())
    return Quantised(features + (chosen - features).detach(), ids, loss)


def _nearest(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """For each point [n, width] the index of the closest centre and the squared distance to it."""
    distances = centres.square().sum(1) - 2 * points @ centres.T
    best = distances.min(1)
    return best.indices, best.values + points.square().sum(1)
