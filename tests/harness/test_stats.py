"""Intervals: against exact ones, by simulation, at the edge, and resampling against scipy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta as beta_distribution
from scipy.stats import binomtest, bootstrap

from benchmarks.coverage import DESIGNS, RATES, simulate
from benchmarks.nulls import DESIGNS as NULLS
from benchmarks.nulls import simulate as simulate_nulls
from harness import stats
from harness.stats import Interval, Stratum, ratio_interval


def right_and_wrong(n: int, wrong: int) -> Stratum:
    return Stratum(np.arange(n) < wrong, np.ones(n))


def test_a_rate_of_independent_answers_has_nearly_the_exact_interval() -> None:
    interval = ratio_interval([right_and_wrong(1000, 20)], upper=1.0)
    assert interval is not None
    assert interval.low == pytest.approx(beta_distribution.ppf(0.025, 20, 981), rel=0.02)
    assert interval.high == pytest.approx(beta_distribution.ppf(0.975, 21, 980), rel=0.02)


@pytest.mark.parametrize("wrong", [0, 20])
@pytest.mark.parametrize("upper", [1.0, None])
def test_no_error_in_twenty_answers_is_no_certainty(wrong: int, upper: float | None) -> None:
    interval = ratio_interval([right_and_wrong(20, wrong)], upper)
    assert interval is not None
    assert interval.high - interval.low > 0.15
    assert interval.low <= wrong / 20 <= interval.high


def test_full_points_on_ten_pictures_may_be_less_in_truth() -> None:
    interval = ratio_interval([Stratum(np.full(10, 200.0), np.ones(10))], upper=200.0)
    assert interval is not None
    assert interval.high == 200
    assert 120 < interval.low < 150


def test_one_unit_has_no_interval_and_neither_has_a_sum_with_such_a_stratum() -> None:
    assert ratio_interval([right_and_wrong(1, 0)], upper=1.0) is None
    assert ratio_interval([right_and_wrong(20, 3), right_and_wrong(1, 0)], upper=1.0) is None


def test_a_sum_of_equal_strata_is_as_certain_as_the_whole() -> None:
    one = ratio_interval([right_and_wrong(1000, 100)], upper=1.0)
    ten = ratio_interval([right_and_wrong(100, 10)] * 10, upper=1.0)
    assert one is not None and ten is not None
    assert ten.low == pytest.approx(10 * one.low, rel=0.02)
    assert ten.high == pytest.approx(10 * one.high, rel=0.02)


def test_answers_that_fall_together_count_as_fewer() -> None:
    apart = ratio_interval([Stratum(np.ones(50) * 2.0, np.full(50, 4.0))], upper=1.0)
    together = ratio_interval([Stratum(np.repeat([0.0, 4.0], 25), np.full(50, 4.0))], upper=1.0)
    assert apart is not None and together is not None
    assert together.high - together.low > 1.8 * (apart.high - apart.low)


counts = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), min_size=2, max_size=30)


@given(units=counts, limited=st.booleans())
def test_every_interval_holds_its_value_and_has_a_width(units: list[tuple[int, int]], limited: bool) -> None:
    whole = np.array([w for _, w in units], dtype=float)
    part = np.array([min(p, w) if limited else p for p, w in units], dtype=float)
    interval = ratio_interval([Stratum(part, whole)], 1.0 if limited else None)
    assert interval is not None
    assert interval.low <= part.sum() / whole.sum() + 1e-9
    assert interval.high >= part.sum() / whole.sum() - 1e-9
    assert interval.high - interval.low > 0.001
    assert interval.low >= 0 and (not limited or interval.high <= 1)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("rate", RATES)
def test_intervals_hold_the_truth_often_enough(design: str, rate: float) -> None:
    found = simulate(design, 100, rate, studies=300)
    assert found.covered >= 0.93 - 0.02  # of 300 studies; `benchmarks/coverage.py` makes thousands
    assert found.width_ratio is None or found.width_ratio <= 1.5


def test_a_quantile_has_the_interval_of_order_statistics() -> None:
    interval = stats.quantile_interval(np.arange(1.0, 101.0), 0.5)
    assert interval == Interval(40.0, 61.0, "order statistics")


def test_a_maximum_or_a_few_values_bound_no_quantile() -> None:
    assert stats.quantile_interval(np.arange(100.0), 1.0) is None
    assert stats.quantile_interval(np.arange(4.0), 0.5) is None


def test_quantile_intervals_hold_the_truth_often_enough() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(600):
        interval = stats.quantile_interval(np.sort(rng.exponential(size=60)), 0.9)
        assert interval is not None
        held += interval.low <= -np.log(0.1) <= interval.high
    assert held / 600 > 0.94


def test_a_resampled_interval_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    words = rng.integers(5, 30, size=400).astype(float)
    errors = rng.binomial(words.astype(int), 0.1).astype(float)
    ours = stats.bootstrap_interval(
        np.column_stack([errors, words]), ["errors", "words"], lambda s: s["errors"] / s["words"]
    )
    theirs = bootstrap(
        (errors, words),
        lambda e, w, axis: e.sum(axis=axis) / w.sum(axis=axis),
        paired=True,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert ours is not None
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.07 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.07 * width)


def test_resamples_that_never_differ_claim_nothing() -> None:
    assert stats.bootstrap_interval(np.ones((50, 1)), ["a"], lambda s: s["a"] / 50) is None


def test_an_undefined_statistic_has_no_interval() -> None:
    assert stats.bootstrap_interval(np.zeros((50, 1)), ["a"], lambda s: s["a"] / s["a"]) is None


def test_draws_are_of_n_units_and_seeded() -> None:
    parts = np.ones((50, 1))
    assert (stats.bootstrap_sums(parts, resamples=100) == 50).all()
    values = np.arange(50.0)[:, None]
    assert (stats.bootstrap_sums(values, 20, seed=3) == stats.bootstrap_sums(values, 20, seed=3)).all()
    assert (stats.bootstrap_sums(values, 20, seed=3) != stats.bootstrap_sums(values, 20, seed=4)).any()


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(10.0)[:, None]
    whole = stats.bootstrap_sums(values, 37, seed=5)
    monkeypatch.setattr(stats, "_CHUNK", 40)
    assert (stats.bootstrap_sums(values, 37, seed=5) == whole).all()


def test_corrected_p_values_follow_holm() -> None:
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([]) == []


def ratio(sums: stats.Floats) -> stats.Floats:
    return np.asarray(sums[..., 0] / sums[..., 1])


def test_paired_differences_are_scipys_on_the_same_draws() -> None:
    rng = np.random.default_rng(3)
    words = rng.integers(5, 30, 200).astype(float)
    one, other = (np.stack([rng.binomial(words.astype(int), p).astype(float), words], axis=1) for p in (0.1, 0.12))

    def difference(e1: Any, w1: Any, e2: Any, w2: Any, axis: int) -> Any:
        return e1.sum(axis=axis) / w1.sum(axis=axis) - e2.sum(axis=axis) / w2.sum(axis=axis)

    samples = (one[:, 0], one[:, 1], other[:, 0], other[:, 1])
    theirs = bootstrap(
        samples,
        difference,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=1000,
        batch=1000,
        rng=np.random.default_rng(5),
    )
    ours = stats.paired_differences(one, other, ratio, resamples=1000, seed=5)
    assert np.quantile(ours, [0.025, 0.975]) == pytest.approx(theirs.confidence_interval, abs=1e-5)
    found = stats.paired_bootstrap(one, other, ratio, resamples=1000, seed=5)
    assert found is not None
    low, high = theirs.confidence_interval
    assert (high - low) < (found.high - found.low) < 1.02 * (high - low), "widened as 200 units need it"


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_test(fixed: int, broken: int) -> None:
    expected = binomtest(fixed, fixed + broken).pvalue if fixed + broken else 1.0
    assert stats.mcnemar(fixed, broken) == pytest.approx(expected)


def test_a_difference_is_not_told_from_one_unit_or_from_nothing() -> None:
    one = np.array([[1.0, 2.0]])
    assert stats.paired_bootstrap(one, one, ratio) is None
    nothing = np.zeros((5, 2))
    assert stats.paired_bootstrap(nothing, nothing, ratio) is None
    equal = stats.paired_bootstrap(np.ones((5, 2)), np.ones((5, 2)), ratio)
    assert equal is not None and (equal.value, equal.low, equal.high, equal.p, equal.significant) == (0, 0, 0, 1, False)


def test_as_many_units_as_are_needed_show_just_the_difference_asked_for() -> None:
    error, units = 2.0, 100
    assert stats.units_needed(error, units, stats.detectable(error)) == units
    assert stats.units_needed(error, units, stats.detectable(error) / 2) == 4 * units


@pytest.mark.parametrize("design", NULLS)
def test_equal_runs_are_told_apart_about_as_often_as_alpha_says(design: str) -> None:
    found = simulate_nulls(design, 400, 400, resamples=500)
    assert 0.02 <= found.rejected <= 0.085, "5 %, give or take three standard errors of 400 comparisons"
