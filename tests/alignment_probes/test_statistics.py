import pytest
import torch

from alignment_probes.metrics import prepare, score_all
from alignment_probes.names import METRICS
from alignment_probes.neighbours import l2_normalize
from alignment_probes.statistics import Pair, analytic_chance, confidence_intervals, paired_tests, shuffled_chance


def study(generator, n=90, noises=(1.0, 1.0, 1.0)):
    """Sides made from one latent through random isometries, so that equal noise means equal alignment."""
    latent = torch.randn(n, 8, generator=generator, dtype=torch.float64)
    sides = []
    for noise in noises:
        isometry = torch.linalg.qr(torch.randn(20, 8, generator=generator, dtype=torch.float64))[0].T
        error = torch.randn(n, 20, generator=generator, dtype=torch.float64)
        sides.append(l2_normalize(1.5 * latent @ isometry + noise * error))
    return sides


def test_shuffled_pairs_score_at_the_analytic_chance():
    n, k = 400, 20
    a, b, _ = study(torch.Generator().manual_seed(0), n)
    sides = [prepare(x, k) for x in (a, b)]
    shuffled, analytic = shuffled_chance(*sides, permutations=30), analytic_chance(n, k)
    assert shuffled["mutual_knn"].mean == pytest.approx(analytic["mutual_knn"], abs=0.002)
    assert shuffled["edit_distance_knn"].mean == pytest.approx(analytic["edit_distance_knn"], abs=0.001)
    assert shuffled["cycle_knn"].mean == pytest.approx(analytic["cycle_knn"], abs=0.1)
    observed = score_all(a, b, k)
    for metric in METRICS:
        assert observed[metric] > shuffled[metric].mean + 3 * shuffled[metric].sd, metric
    assert shuffled == shuffled_chance(*sides, permutations=30)


def test_intervals_hold_the_expected_score():
    metrics = ["mutual_knn", "lcs_knn", "cknna", "cka", "unbiased_cka", "svcca"]
    generator = torch.Generator().manual_seed(1)
    studies = 50
    found = []
    for seed in range(studies):
        a, b, _ = study(generator)
        found.append(confidence_intervals(a, b, 8, metrics, subsets=20, seed=seed))
    for metric in metrics:
        expected = sum(interval[metric].value for interval in found) / studies
        held = sum(interval[metric].low <= expected <= interval[metric].high for interval in found)
        assert held >= 0.86 * studies, metric  # 95 % less three binomial standard deviations
        spread = torch.tensor([interval[metric].value for interval in found]).std()
        error = sum(interval[metric].standard_error for interval in found) / studies
        assert 0.7 < error / spread < 2.5, metric


def test_equal_models_are_seldom_told_apart():
    metrics = ["mutual_knn", "lcs_knn", "cka", "cknna"]
    generator = torch.Generator().manual_seed(2)
    rejected = dict.fromkeys(metrics, 0)
    for seed in range(40):
        one, two, target = study(generator)
        tests = paired_tests(Pair(one, target), Pair(two, target), 8, metrics, subsets=15, seed=seed)
        for metric in metrics:
            rejected[metric] += tests[metric].p_value < 0.05
    assert max(rejected.values()) <= 6, rejected  # 5 % of 40, plus three standard deviations


def test_a_better_model_is_found():
    good, poor, target = study(torch.Generator().manual_seed(3), 200, (0.5, 1.5, 0.5))
    tests = paired_tests(Pair(good, target), Pair(poor, target), 10)
    for metric in ("mutual_knn", "lcs_knn", "cka", "cknna", "svcca"):
        assert tests[metric].difference > 0 and tests[metric].p_value < 0.01, metric
    same = paired_tests(Pair(good, target), Pair(good, target), 10)
    assert all(test == (0.0, 0.0, 1.0) for test in same.values())


def test_bad_arguments_are_named():
    a, b, _ = study(torch.Generator().manual_seed(4), 30)
    with pytest.raises(ValueError, match="level=95"):
        confidence_intervals(a, b, 5, level=95)
    with pytest.raises(ValueError, match="subsets=1"):
        confidence_intervals(a, b, 5, subsets=1)
    with pytest.raises(ValueError, match="same samples"):
        paired_tests(Pair(a, b), Pair(a[1:], b[1:]), 5)
    with pytest.raises(ValueError, match="permutations=1"):
        shuffled_chance(prepare(a, 5), prepare(b, 5), permutations=1)
