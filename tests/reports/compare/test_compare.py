"""Two runs joined by sample: what was fixed and broken, what is refused, and the numbers against those by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness import stats
from reports.compare.compared import compare
from reports.compare.joined import Verdict, changed
from reports.leaderboard import rows
from reports.runs import load
from tests.harness.conftest import call, install, toys
from tests.reports.toy_runs import Call, made, worsened
from tests.reports.two_runs import PICTURES, SPEECH, one_run

__all__ = ["call", "install", "toys"]


@pytest.fixture
def run(toys: None, call: Call, tmp_path: Path) -> Path:
    return made(call, tmp_path / "before")


def test_samples_are_joined_by_id_and_counted(call: Call, run: Path, tmp_path: Path) -> None:
    one = worsened(call, run, tmp_path / "one", [1, 2, 3])
    other = worsened(call, run, tmp_path / "other", [3, 4])
    (entry,) = compare(load(one), load(other)).tasks
    assert entry.joined.counts == {"fixed": 2, "broken": 1, "better": 0, "worse": 0, "same": 37}
    assert [change.id for change in entry.joined.changes] == ["1", "2", "4"] and entry.joined.alone == 0
    assert entry.mcnemar == pytest.approx(binomtest(1, 3).pvalue)


def test_the_difference_is_resampled_over_clusters_that_both_share(call: Call, run: Path, tmp_path: Path) -> None:
    other = worsened(call, run, tmp_path / "other", range(8))
    (entry,) = compare(load(run), load(other)).tasks
    (metric,) = entry.metrics
    assert (metric.one, metric.other, metric.units, metric.kind, metric.better) == (100, 80, 10, "group", False)
    assert metric.difference is not None and metric.difference.value == pytest.approx(-20)
    right, whole = np.array([0.0, 0, 4, 4, 4, 4, 4, 4, 4, 4]), np.full(10, 4.0)
    draws = np.random.default_rng(1).integers(0, 10, (20_000, 10))
    spread = (100 * right[draws].sum(axis=1) / whole[draws].sum(axis=1)).std()
    assert metric.difference.error == pytest.approx(spread, rel=0.25), "widened as few units need it"
    assert metric.p_holm == metric.difference.p
    assert metric.needed(1.0) == stats.units_needed(metric.difference.error, 10, 1.0) > 10


def test_samples_that_one_run_lacks_are_told_and_not_compared(call: Call, run: Path, tmp_path: Path) -> None:
    part = made(call, tmp_path / "part", "--limit", 12)
    (entry,) = compare(load(run), load(part)).tasks
    assert (entry.joined.shared, entry.joined.alone) == (12, 28)
    assert "28 samples are in one of the runs only" in call("compare", run, part).out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--prompt", "toy=short"), "40 of 40 samples were asked in other words"),
        (("--profile", "toy=loose"), "--profile exact or loose"),
    ],
)
def test_what_may_not_be_compared_is_refused_with_the_difference(
    call: Call, run: Path, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    other = made(call, tmp_path / "other", *more)
    told = call("compare", run, other)
    assert told.code == 2 and said in told.err


def test_another_profile_that_both_were_scored_by_can_be_chosen(call: Call, run: Path, tmp_path: Path) -> None:
    other = made(call, tmp_path / "other", "--profile", "toy=loose")
    told = json.loads(call("compare", run, other, "--profile", "loose", "--json").out)
    assert told["tasks"][0]["profile"] == "loose" and told["refused"] == {}
    assert "no task in common that was scored by it" in call("compare", run, other, "--profile", "strict").err
    assert "has no task mme" in call("compare", run, other, "--task", "mme").err


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex", "csv"])
def test_a_comparison_is_written_for_where_it_goes(call: Call, run: Path, tmp_path: Path, form: str) -> None:
    other = worsened(call, run, tmp_path / "other", range(8))
    told = call("compare", run, other, "--format", form, "--effect", 5)
    assert told.code == 0 and "80" in told.out and "toy" in told.out


@given(st.booleans() | st.none(), st.booleans() | st.none(), st.floats(0, 2), st.floats(0, 2), st.booleans())
def test_a_change_seen_from_the_other_side_is_its_opposite(
    one: bool | None, other: bool | None, first: float, second: float, higher: bool
) -> None:
    here = changed("x", 0, Verdict(first, one), Verdict(second, other), higher)
    there = changed("x", 0, Verdict(second, other), Verdict(first, one), higher)
    opposite = {"fixed": "broken", "broken": "fixed", "better": "worse", "worse": "better", "same": "same"}
    assert there.kind == opposite[here.kind] and there.gain == -here.gain


def test_runs_of_other_decoding_settings_are_compared_and_it_is_said(tmp_path: Path, call: Call) -> None:
    for place, mode in enumerate(("turbo", "boost")):
        used = {"max_new_tokens": 256, "effective": {"max_new_tokens": 256, "mode": mode, "stop_ids": [place]}}
        one_run(tmp_path, place, described={SPEECH: {"generation": used}}, option={"mode": mode} if place else {})
    one, other = (load(tmp_path / f"run-{place}") for place in range(2))
    found = compare(one, other)
    assert found.decoded == {
        SPEECH: ["mode: 'turbo' -> 'boost'", "option mode: None -> 'boost'"],
        PICTURES: ["option mode: None -> 'boost'"],
    }
    assert not found.refused and compare(one, one).decoded == {}
    told = call("compare", one.path, other.path)
    assert f"decoded otherwise in {SPEECH}: mode: 'turbo' -> 'boost'" in told.err
    assert json.loads(call("compare", one.path, other.path, "--json").out)["decoded"] == found.decoded
    (row,) = (row for row in rows(one) if row.task == SPEECH)
    assert row.decoding == {"mode": "turbo", "stop_ids": [0]}
