import math

import pytest
import torch

from alignment_probes.layers import best_pair, clamp_outliers, score_grid, truncate
from alignment_probes.metrics import KNOWN_METRICS, score_all


def layers(seed, n=40, count=3, d=12):
    return torch.randn(n, count, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_each_cell_is_the_score_of_its_layers():
    x, y = layers(0), layers(1, count=2)
    grid = score_grid(x, y, 6, KNOWN_METRICS)
    for i in range(3):
        for j in range(2):
            for metric, value in score_all(x[:, i], y[:, j], 6, KNOWN_METRICS).items():
                assert float(grid[metric][i, j]) == value


def test_best_pair_is_the_first_maximum_above_zero():
    assert best_pair(torch.tensor([[0.1, 0.5], [0.5, math.nan]])) == (0.5, 0, 1)
    assert best_pair(torch.tensor([[-0.1, 0.0]])) is None


def test_clamping_bounds_both_signs():
    x = torch.arange(-10.0, 10.0).reshape(2, 2, 5)  # absolute values 0, 1, 1, ..., 9, 9, 10
    assert clamp_outliers(x, 0.5).abs().max() == 5
    assert torch.equal(clamp_outliers(x, 1.0), x)
    approx = clamp_outliers(x, 0.5, "approx")  # medians 5.5 and 4.5
    assert approx.max() == 5 and approx.min() == -5


@pytest.mark.parametrize(("value", "cut"), [(0.123459, 0.12345), (0.1, 0.1), (-0.000001, -0.00001), (3.0, 3.0)])
def test_truncation(value, cut):
    assert truncate(value) == cut


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="pass \\(samples, layers, features\\)"):
        score_grid(layers(0)[0], layers(1), 5)
    with pytest.raises(ValueError, match="y: 39 rows"):
        score_grid(layers(0), layers(1)[1:], 5)
    with pytest.raises(ValueError, match="q=0"):
        clamp_outliers(layers(0), 0)
    with pytest.raises(ValueError, match="mode='near'"):
        clamp_outliers(layers(0), 0.9, "near")
    with pytest.raises(ValueError, match="NaN"):
        clamp_outliers(layers(0) * math.nan)
