"""A codebook found by k-means, and what makes features fall to the entries that they should."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDS = 12


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


def scores(features: Tensor, table: Tensor) -> Tensor:
    """Of each entry of the table [entries, width] for features [n, width], the highest for the nearest one:
    [n, entries], minus the squared distance but for what is the same for all entries."""
    return 2 * features @ table.T - table.square().sum(1)


def _nearest(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """For each point [n, width] the index of the closest centre and the squared distance to it."""
    best = scores(points, centres).max(1)
    return best.indices, points.square().sum(1) - best.values
