"""What tells made speech from recorded speech: small discriminators by period and by scale (HiFi-GAN), not shipped.

Losses are those of least squares GANs, with HiFi-GAN's matching of the discriminators' features.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

SLOPE = 0.1
PERIODS, POOLINGS = (2, 3, 5, 7), (1, 2)
WIDTHS = (8, 16, 32)


class Opinion(NamedTuple):
    """Scores of any shape, near 1 for what seems recorded and near 0 for what seems made; features of each layer."""

    scores: Tensor
    features: list[Tensor]


class PeriodDiscriminator(nn.Module):
    """Looks at every `period`-th sample: the wave is laid out in rows of that length."""

    def __init__(self, period: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.period = period
        sizes = (1, *widths)
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, (5, 1), (3, 1), (2, 0)) for before, after in pairwise(sizes)
        )
        self.last = nn.Conv2d(sizes[-1], 1, (3, 1), padding=(1, 0))

    def forward(self, waves: Tensor) -> Opinion:
        """[B, n]"""
        rows = F.pad(waves, (0, -waves.shape[1] % self.period)).unflatten(1, (-1, self.period))
        return _opinion(self.convs, self.last, rows[:, None])


class ScaleDiscriminator(nn.Module):
    """Looks at the wave itself, averaged over `pooling` samples."""

    def __init__(self, pooling: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.pooling = pooling
        sizes = (1, *widths)
        self.convs = nn.ModuleList(nn.Conv1d(before, after, 15, 4, 7) for before, after in pairwise(sizes))
        self.last = nn.Conv1d(sizes[-1], 1, 3, padding=1)

    def forward(self, waves: Tensor) -> Opinion:
        """[B, n]"""
        return _opinion(self.convs, self.last, F.avg_pool1d(waves[:, None], self.pooling))


class Discriminators(nn.Module):
    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            [PeriodDiscriminator(period, widths) for period in PERIODS]
            + [ScaleDiscriminator(pooling, widths) for pooling in POOLINGS]
        )

    def forward(self, waves: Tensor) -> list[Opinion]:
        """Waves [B, n] -> one opinion of each part."""
        return [part(waves) for part in self.parts]

    def held(self, waves: Tensor) -> list[Opinion]:
        """As `forward`, with gradients for the waves and none for the discriminators."""
        fixed = {name: parameter.detach() for name, parameter in self.named_parameters()}
        found: list[Opinion] = functional_call(self, fixed, (waves,))
        return found


def telling_loss(true: Sequence[Opinion], made: Sequence[Opinion]) -> Tensor:
    """What the discriminators are to lower: recorded speech scores 1, made speech 0. A scalar."""
    return _mean([(t.scores - 1).square().mean() + m.scores.square().mean() for t, m in zip(true, made, strict=True)])


def fooling_loss(made: Sequence[Opinion]) -> Tensor:
    """What the generator is to lower: made speech scores 1. A scalar."""
    return _mean([(opinion.scores - 1).square().mean() for opinion in made])


def matching_loss(true: Sequence[Opinion], made: Sequence[Opinion]) -> Tensor:
    """Mean absolute difference of the discriminators' features on recorded and made speech. A scalar."""
    pairs = [pair for t, m in zip(true, made, strict=True) for pair in zip(t.features, m.features, strict=True)]
    return _mean([(t.detach() - m).abs().mean() for t, m in pairs])


def _opinion(convs: nn.ModuleList, last: nn.Module, x: Tensor) -> Opinion:
    features = []
    for conv in convs:
        x = F.leaky_relu(conv(x), SLOPE)
        features.append(x)
    return Opinion(last(x), features)


def _mean(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()
