"""The data of each plot are those of results.json and of the log."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.types import Timings
from reports.plots import scale
from reports.plots.baselines import baselines
from reports.plots.ecdf import ecdf, quantile
from reports.plots.errors import MOST_BINS, TOP, bins, error_rates, spread
from reports.plots.every import gathered, plots_of, plots_of_task
from reports.plots.plot import LeftOut, Plot, distinct, named
from reports.plots.radar import axes_of, radar
from reports.plots.retention import retention
from reports.plots.subtasks import subtasks
from reports.plots.timed import Answered
from reports.plots.waterfall import falls, waterfall
from reports.runs import Run
from tests.reports.fake_run import metric
from tests.reports.plots.some_runs import (
    CATEGORIES,
    PICTURES,
    SPEECH,
    make,
    moments,
    percent,
    points,
    speech,
    utterance,
    whole,
)

RATES = st.lists(st.floats(0, 2000), min_size=1, max_size=60)


def only(found: object) -> Plot:
    (plot,) = found  # type: ignore[misc]
    assert isinstance(plot, Plot)
    return plot


def why(found: object) -> str:
    (left,) = found  # type: ignore[misc]
    assert isinstance(left, LeftOut)
    return left.why


@given(st.floats(-10, 1e4), st.sampled_from([1.0, 100.0, 2800.0]), st.booleans())
def test_a_share_is_within_0_and_1_and_better_is_more(value: float, limit: float, higher: bool) -> None:
    one = metric(value, higher=higher)
    share = scale.share(value, one, limit)
    better = scale.share(value + limit / 50 if higher else value - limit / 50, one, limit)
    assert share is not None and better is not None and 0 <= share <= better <= 1


def test_the_scale_is_in_native_limits() -> None:
    assert scale.share(1400.0, metric(1400.0, unit="points", higher=True), 2800.0) == 0.5
    assert scale.share(30.0, metric(30.0), 100.0) == 0.7, "a WER of 30 %"
    assert scale.share(333.0, metric(333.0), 100.0) == 0.0, "a WER over 100 %"
    assert scale.share(None, metric(None), 100.0) is None
    assert scale.limit("latency_fixed", "ttft_p50_ms", metric(3.0, unit="ms")) is None


def test_a_radar_has_the_metric_that_stands_for_a_task_as_in_the_results(tmp_path: Path) -> None:
    run = whole(tmp_path)
    plot = only(radar([run]))
    assert [(row["task"], row["metric"], row["value"], row["share"]) for row in plot.rows] == [
        (SPEECH, "wer", 25.0, 0.75),
        (PICTURES, "total", 1900.0, 1900 / 2800),
        ("mmstar", "accuracy", 40.0, 0.4),
    ], "no axis where no run has a value"
    assert plot.words.subtitle == "random weights; mini world, not a benchmark number"
    assert "wer 25.00 %" in plot.alt and "total 1900.0 points" in plot.alt


def test_runs_share_a_radar_and_what_one_lacks_is_a_gap(tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"mmstar": percent(60.0), "ai2d": percent(70.0)})
    plot = only(radar([whole(tmp_path), other]))
    cells = {axis.task: [cell.share for cell in axis.cells] for axis in axes_of([whole(tmp_path, "again"), other])}
    assert cells == {SPEECH: [0.75, None], PICTURES: [1900 / 2800, None], "mmstar": [0.4, 0.6], "ai2d": [None, 0.7]}
    assert any(note.startswith("–, a gap") and "ai2d of vita15 run" in note for note in plot.words.notes)
    assert "vita15 run: random weights" in plot.words.subtitle


def test_a_run_without_a_value_has_no_radar(tmp_path: Path) -> None:
    assert why(radar([make(tmp_path / "run", {"ai2d": percent(None)})])) == "no task has a value with a limit"


def test_sub_scores_are_those_of_the_results_with_interval_and_n(tmp_path: Path) -> None:
    run = whole(tmp_path)
    plot = only(subtasks(run, PICTURES))
    groups = run.results.tasks[PICTURES].headline.groups["category"]
    assert [row["value_of_tag"] for row in plot.rows] == list(CATEGORIES)
    for row, group in zip(plot.rows, groups.values(), strict=True):
        own = group.metrics["score"]
        assert (row["value"], row["low"], row["high"]) == (own.value, *(own.ci or (None, None)))
        assert (row["n"], row["samples"], row["n_unit"]) == (3, 6, "image")
    assert "–: no value (1 of 3)" in plot.words.notes
    assert "from 55.0 points (数字) to 185.0 points (OCR)" in plot.alt


def test_a_task_without_sub_scores_or_values_of_them_has_no_bars(tmp_path: Path) -> None:
    run = make(tmp_path / "run", {"mmstar": percent(4.0), PICTURES: points(None, {"a": None, "b": None})})
    assert why(subtasks(run, "mmstar")) == "the task has no sub-scores"
    assert why(subtasks(run, PICTURES)) == "no sub-score has a value"


def test_both_means_of_an_error_rate_are_marked_and_named(tmp_path: Path) -> None:
    run = whole(tmp_path)
    found = spread(run, SPEECH)
    assert found is not None
    assert found.rates == [0.0, 50.0, 0.0, 25.0, 300.0, 0.0] and found.wordless == 1
    assert found.corpus == 100 * 6 / 20, "the errors of an utterance without words count in the corpus"
    assert found.mean == 375 / 6
    plot = only(error_rates(run, SPEECH))
    marks = {row["what"]: row["low"] for row in plot.rows if row["what"] != "bin"}
    assert marks == {"corpus WER": 30.0, "mean of utterances": 62.5}
    assert sum(row["utterances"] for row in plot.rows if row["what"] == "bin") == 6
    assert "3 without an error, corpus WER 30.00 %, mean of utterances 62.50 %, highest 300.00 %" in plot.alt
    assert "1 failed" not in plot.words.subtitle and "random weights" in plot.words.subtitle


@given(RATES)
def test_every_utterance_is_in_the_one_bin_that_its_rate_is_in(rates: list[float]) -> None:
    found = bins(rates)
    assert sum(one.n for one in found) == len(rates) and len(found) <= MOST_BINS + 2
    assert found[0].n == sum(rate == 0 for rate in rates)
    for one in found[1:]:
        high = math.inf if one.high is None else one.high
        assert one.n == sum(one.low + 1e-9 * (one.low > 0) < rate <= high + 1e-9 for rate in rates)
    assert (found[-1].high is None) == (max(rates) > TOP + 1e-9)


def test_an_answer_that_is_no_transcript_has_no_error_rate(tmp_path: Path) -> None:
    run = make(tmp_path / "run", {"mmstar": percent(4.0)})
    assert why(error_rates(run, "mmstar")) == "no sample is scored by a word or character error rate"


def test_the_quantiles_of_a_waterfall_are_answers_of_the_log(tmp_path: Path) -> None:
    plot = only(waterfall(whole(tmp_path), SPEECH))
    first: dict[str, tuple[str, float]] = {}
    for row in plot.rows:
        first[row["answer"]] = (row["sample"], row["to_s"])
    assert first["p50"] == ("u-2", 3.0) and first["p95"] == first["max"] == ("u-5", 6.0)
    stages = [row for row in plot.rows if row["answer"] == "p50"]
    assert [row["from_s"] for row in stages] == [0.0, *(row["to_s"] for row in stages[:-1])]
    assert [row["to_s"] for row in stages] == pytest.approx([0.15, 0.3, 0.6, 3.0])
    assert "2 without timings" in plot.words.subtitle
    assert "the mean is over the 5 with the same stages" in plot.words.notes[1]


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=20))
def test_the_stages_of_the_mean_add_up_to_the_mean(times: list[tuple[float, float, float]]) -> None:
    answers = [
        Answered(str(n), 0, Timings(end=a + b + c, encoded=a, first_token=a + b)) for n, (a, b, c) in enumerate(times)
    ]
    *cascades, mean = falls(answers)
    assert mean.whole == pytest.approx(sum(one.whole for one in answers) / len(answers), abs=1e-9)
    assert [fall.whole for fall in cascades] == sorted(fall.whole for fall in cascades)
    assert cascades[-1].whole == max(one.whole for one in answers)


def test_an_ecdf_has_each_known_time_of_each_run(tmp_path: Path) -> None:
    runs = [whole(tmp_path), whole(tmp_path, "again")]
    plot = only(ecdf(runs, SPEECH))
    mine = [row for row in plot.rows if row["run"] == "again"]
    ttft = [(row["seconds"], row["share"]) for row in mine if row["what"] == "TTFT"]
    assert [at for at, _ in ttft] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert [share for _, share in ttft] == [n / 6 for n in range(1, 7)]
    assert len([row for row in mine if row["what"] == "TTFA"]) == 5
    assert "TTFT of vita15 run p50 0.3 s, p95 0.6 s (n = 6)" in plot.alt


@given(st.lists(st.floats(0, 9), min_size=1, max_size=30), st.floats(0.01, 1))
def test_a_quantile_is_the_least_value_that_enough_do_not_exceed(values: list[float], q: float) -> None:
    found = quantile(sorted(values), q)
    assert found in values and sum(value <= found for value in values) >= q * len(values) - 1e-9
    assert sum(value < found for value in values) < q * len(values) + 1e-9


def stages(folder: Path) -> list[Run]:
    values = [(50.0, 2.0, 40.0), (60.0, 4.0, None), (25.0, 1.0, 44.0)]
    return [
        make(
            folder / f"stage{n}",
            {"mmstar": percent(accuracy), SPEECH: speech(wer, 3), "ai2d": percent(last)},
            digest=str(n),
        )
        for n, (accuracy, wer, last) in enumerate(values)
    ]


def test_retention_is_each_value_over_the_first(tmp_path: Path) -> None:
    runs = stages(tmp_path)
    plot = only(retention(runs))
    relative = {
        task: [row["relative"] for row in plot.rows if row["task"] == task] for task in ("mmstar", SPEECH, "ai2d")
    }
    assert relative == {"mmstar": [1.0, 1.2, 0.5], SPEECH: [1.0, 2.0, 0.5], "ai2d": [1.0, None, 1.1]}
    assert [row["run"] for row in plot.rows[:3]] == ["stage0", "stage1", "stage2"]
    assert "–, a gap: no value" in plot.words.notes


def test_retention_needs_runs_of_one_model_that_may_be_compared(tmp_path: Path) -> None:
    first, *_ = stages(tmp_path)
    assert list(retention([first])) == []
    assert why(retention([first, first])) == "the runs are of the same weights"
    assert why(retention([first, make(tmp_path / "e", {"ai2d": percent(3.0)}, model="echo")])) == (
        "the runs are of different models"
    )
    other = make(tmp_path / "f", {"ai2d": percent(3.0, n_expected=2, n_scored=2)}, digest="other")
    assert "share no task" in why(retention([first, other]))


def test_a_blind_baseline_stands_beside_its_score(tmp_path: Path) -> None:
    run = make(tmp_path / "run", {"mmstar": percent(60.0), "ai2d": percent(70.0)})
    blind = make(tmp_path / "blind", {"mmstar": percent(25.0)}, ablate="image")
    plot = only(baselines(run, [run, blind]))
    assert [(row["inputs"], row["value"], row["low"], row["high"]) for row in plot.rows] == [
        ("all inputs", 60.0, 56.0, 64.0),
        ("image blanked", 25.0, 21.0, 29.0),
    ]
    assert plot.words.subtitle == ""
    assert "mmstar accuracy 60.00 % [56.00, 64.00], image blanked 25.00 % [21.00, 29.00]" in plot.alt
    strange = make(tmp_path / "strange", {"mmstar": percent(25.0)}, ablate="image", digest="other weights")
    assert "differs from it in the blanked input alone" in why(baselines(run, [run, strange]))
    assert list(baselines(run, [run])) == [] == list(baselines(blind, [run, blind]))
    kinds = [plot.kind for plot in plots_of([run, blind])]
    assert kinds.count("blind") == kinds.count("radar") == 1
    (shared,) = (plot for plot in plots_of([run, blind]) if plot.kind == "radar")
    assert {row["run"] for row in shared.rows} == {"run"}, "a blind run is no polygon"


def test_names_are_unique_safe_and_the_same_again(tmp_path: Path) -> None:
    runs = [whole(tmp_path), whole(tmp_path, "RUN"), whole(tmp_path, "第一 阶段")]
    names = [plot.name for plot in plots_of(runs)]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(name.isascii() and "/" not in name and " " not in name and len(name) < 120 for name in names)
    assert names == [plot.name for plot in plots_of(runs)]
    assert {plot.kind for plot in plots_of_task(runs[0], SPEECH)} == {"errors", "waterfall", "ecdf"}


@given(st.lists(st.text(max_size=150), min_size=1, max_size=4))
def test_a_name_is_a_file_name_on_any_system(parts: list[str]) -> None:
    name = named("radar", *parts)
    assert 0 < len(name) <= 100 and all(c.isascii() and (c.isalnum() or c in "._-") for c in name)


def test_equal_names_are_counted() -> None:
    one = Plot("radar", "a", None, "", (), lambda: None)  # type: ignore[arg-type, return-value]
    found = distinct([one, Plot("radar", "A", None, "", (), lambda: None), one])  # type: ignore[arg-type, return-value]
    assert [plot.name for plot in found if isinstance(plot, Plot)] == ["a", "A-2", "a-3"]


def test_a_run_in_which_all_failed_says_so_and_draws_nothing(tmp_path: Path) -> None:
    from tests.reports.fake_run import failed

    gone = speech(None, 2, valid=False)
    run = make(tmp_path / "run", {SPEECH: gone}, {SPEECH: [failed("a"), failed("b")]})
    left = list(gathered([run]))
    assert all(isinstance(one, LeftOut) for one in left)
    assert {one.kind for one in left} == {"radar", "subtasks", "errors", "waterfall", "ecdf"}


def test_ten_thousand_utterances_are_all_counted(tmp_path: Path) -> None:
    many = [utterance(n, float(n % 3), 10.0, moments(0.001 * n + 0.01)) for n in range(10_000)]
    run = make(tmp_path / "run", {SPEECH: speech(9.999, len(many))}, {SPEECH: many})
    histogram, _, times = plots_of_task(run, SPEECH)
    assert sum(row["utterances"] for row in histogram.rows if row["what"] == "bin") == 10_000
    assert len(times.rows) == 10_000
