"""k-means and nearness."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.speech_out.codebooks import k_means, scores


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_each_round_brings_the_centres_nearer(seed: int):
    features = torch.randn(300, 3, generator=torch.Generator().manual_seed(seed))
    centres = (k_means(features, 10, seed, rounds) for rounds in (0, 1, 2, 12))
    spread = [float(torch.cdist(features, some).amin(1).square().mean()) for some in centres]
    assert spread == sorted(spread, reverse=True) and spread[-1] < 0.8 * spread[0]


def test_a_centre_for_each_cluster_is_its_mean():
    generator = torch.Generator().manual_seed(0)
    homes = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    clusters = [home + 0.1 * torch.randn(50, 2, generator=generator) for home in homes]
    centres = k_means(torch.cat(clusters), 2, 0)
    for cluster in clusters:
        assert torch.cdist(cluster.mean(0)[None], centres).min() < 1e-3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_every_centre_holds_some_feature(seed: int):
    features = torch.randn(200, 3, generator=torch.Generator().manual_seed(seed))
    features = torch.cat([features, features[:1].expand(300, -1)])  # many alike, of which k-means draws several
    centres = k_means(features, 8, seed)
    assert len(torch.cdist(features, centres).argmin(1).unique()) == 8


def test_the_same_seed_gives_the_same_centres():
    features = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(k_means(features, 7, 3), k_means(features, 7, 3))


def test_too_few_features_are_refused():
    with pytest.raises(ValueError, match="3 features are too few for 4 codes; take more readings"):
        k_means(torch.zeros(3, 2), 4, 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_scores_are_squared_distances_but_for_the_features_own(seed: int):
    generator = torch.Generator().manual_seed(seed)
    features, table = torch.randn(6, 5, generator=generator), torch.randn(9, 5, generator=generator)
    found = features.square().sum(1, keepdim=True) - scores(features, table)
    assert found.allclose((features[:, None] - table).square().sum(-1), atol=1e-4)
