"""Bootstrap intervals against scipy's and against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from harness import stats


def test_the_interval_of_a_ratio_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    words = rng.integers(5, 30, size=400).astype(float)
    errors = rng.binomial(words.astype(int), 0.1).astype(float)
    sums = stats.bootstrap_sums(np.column_stack([errors, words]), resamples=4000)
    ours = stats.metric_interval(["errors", "words"], sums, lambda s: s["errors"] / s["words"])
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
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


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


def test_an_undefined_metric_has_no_interval() -> None:
    assert stats.percentile_interval(np.full(10, np.nan)) is None


def test_absent_parts_are_zero() -> None:
    names, array = stats.table([{"a": 1.0}, {"b": 2.0}])
    assert names == ["a", "b"]
    assert array.tolist() == [[1, 0], [0, 2]]
