"""Each rule of a gate: what passes, what warns, what fails, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import UsageError
from harness.units import PartTable
from reports.gate.config import Gate, Gates
from reports.gate.rules import Outcome, decide, decide_all
from reports.gate.side import Side
from tests.reports.gate.sides import (
    ASR,
    CHOICE,
    CONDITIONS,
    LATENCY,
    MME,
    answers,
    asr,
    gate,
    metric,
    numbers,
    task_side,
)

GOOD = [1.0] * 40
SPOKEN = "llama_questions"
PAIRED = {"test": "paired_bootstrap"}


def told(rule: Gate, run: Side, baseline: Side | None = None) -> tuple[str, str]:
    outcome = decide(rule, run, baseline)
    return outcome.status, outcome.reason


@pytest.mark.parametrize(
    ("value", "fields", "status"),
    [
        (5.0, {}, "pass"),
        (5.1, {}, "fail"),
        (4.9, {}, "improved"),
        (5.2, {"abs_tol": 0.2}, "pass"),
        (5.3, {"abs_tol": 0.2}, "fail"),
        (4.9, {"abs_tol": 0.2}, "pass"),
        (4.7, {"abs_tol": 0.2}, "improved"),
        (5.5, {"rel_tol": 0.1}, "pass"),
        (5.6, {"rel_tol": 0.1}, "fail"),
        (5.7, {"rel_tol": 0.1, "abs_tol": 0.2}, "pass"),
        (5.6, {"rel_tol": 0.1, "level": "warn"}, "warn"),
    ],
)
def test_the_tolerance_is_the_absolute_and_the_relative_one_together(
    value: float, fields: dict[str, Any], status: str
) -> None:
    run, baseline = numbers(ASR, wer=metric(value)), numbers(ASR, wer=metric(5.0))
    assert decide(gate(**fields), run, baseline).status == status


def test_higher_is_better_where_the_metric_says_so() -> None:
    before = numbers(MME, total=metric(2000.0, "points", higher=True))
    for value, status in ((1979.0, "fail"), (1981.0, "pass"), (2021.0, "improved")):
        run = numbers(MME, total=metric(value, "points", higher=True))
        assert decide(gate(MME, "total", rel_tol=0.01), run, before).status == status


def test_a_change_that_chance_explains_warns_and_one_that_it_does_not_fails() -> None:
    noisy = [1.0] * 39 + [9.0]
    worse = [2.0] * 30 + [1.0] * 10
    assert told(gate(**PAIRED), asr(noisy), asr(GOOD)) == ("warn", "worse than the tolerance, but it may be chance")
    failed = decide(gate(**PAIRED), asr(worse), asr(GOOD))
    assert (failed.status, failed.reason) == ("fail", "worse than the tolerance, and significant")
    assert failed.interval is not None and 0 < failed.interval[0] < failed.worse < failed.interval[1]
    assert failed.p is not None and failed.p < 0.01


def test_a_disaster_in_few_samples_fails_by_its_size() -> None:
    noisy = [1.0] * 39 + [9.0]
    assert told(gate(hard_tol=0.5, **PAIRED), asr(noisy), asr(GOOD)) == ("fail", "worse by more than hard_tol 0.5")


def test_what_is_within_the_tolerance_passes_however_significant() -> None:
    outcome = decide(gate(abs_tol=10, **PAIRED), asr([2.0] * 40), asr(GOOD))
    assert outcome.status == "pass" and outcome.p is not None and outcome.p < 0.01


def test_mcnemar_counts_answers_turned_right_and_wrong() -> None:
    before = answers([True] * 20 + [False] * 20)
    rule = gate(CHOICE, "accuracy", test="mcnemar")
    outcome = decide(rule, answers([True] * 12 + [False] * 28), before)
    assert (outcome.fixed, outcome.broken, outcome.status) == (0, 8, "fail")
    assert outcome.p == pytest.approx(2 * 0.5**8)
    few = decide(rule, answers([True] * 19 + [False] * 21), before)
    assert (few.status, few.broken) == ("warn", 1)
    assert told(rule, answers([True] * 39), before)[0] == "fail"


@pytest.mark.parametrize(
    ("rule", "run", "reason"),
    [
        (gate("aishell1", "cer"), asr(GOOD), "no task aishell1"),
        (gate(ASR, "cer"), asr(GOOD), "no metric"),
        (gate(), numbers(ASR, wer=metric(None)), "no value"),
        (gate(), numbers(ASR, wer=metric(float("nan"))), "no value"),
        (gate(min_samples=41), asr(GOOD), "min_samples is 41"),
        (gate(max_error_rate=0.02), asr(GOOD, n_failed=1), "2.5 % of the samples failed"),
        (gate(), asr(GOOD, valid=False), "invalid"),
        (gate(max_error_rate=0.5), asr(GOOD, valid=False), "invalid"),
        (gate(), asr(GOOD, conditions={"prompt": "other"}), "not made as the baseline was: prompt: 'vita' -> 'other'"),
        (
            gate(),
            asr(GOOD, conditions=CONDITIONS | {"decoding": {"mode": "boost"}}),
            "decoding.mode: 'turbo' -> 'boost'",
        ),
        (gate(), asr(GOOD, samples="others"), "other samples (40 -> 40)"),
        (gate(), asr(GOOD, questions="others"), "in other words"),
        (gate(ceiling=4.0), asr(GOOD), "above the ceiling of 4"),
        (gate(floor=6.0), asr(GOOD), "below the floor of 6"),
        (gate(**PAIRED), asr(GOOD[:-1]), "1 units have no partner"),
        (gate(**PAIRED), numbers(ASR, wer=metric(5.0)), "parts of samples are missing"),
    ],
)
def test_what_cannot_be_held_against_anything_fails(rule: Gate, run: Side, reason: str) -> None:
    status, said = told(rule, run, asr(GOOD))
    assert status == "fail" and reason in said


def test_a_baseline_that_keeps_no_decoding_settings_says_nothing_of_them() -> None:
    before = {name: value for name, value in CONDITIONS.items() if name != "decoding"}
    assert told(gate(), asr(GOOD), asr(GOOD, conditions=before))[0] == "pass"
    assert told(gate(), asr(GOOD, conditions=before), asr(GOOD))[0] == "fail"


def test_absolute_limits_need_no_baseline() -> None:
    assert told(gate(ceiling=6.0), asr(GOOD)) == ("pass", "within its limits")
    for absolute in (0.1, 0.0):
        assert told(gate(ceiling=6.0, abs_tol=absolute), asr(GOOD))[0] == "fail", "the tolerance needs one"


@pytest.mark.parametrize("missing", ["fail", "warn"])
def test_a_missing_baseline_is_what_the_file_says(missing: Any) -> None:
    for baseline in (None, numbers(MME, total=metric(1.0))):
        assert decide(gate(), asr(GOOD), baseline, missing).status == missing


def test_latency_is_held_against_the_same_device_only() -> None:
    rule = gate(LATENCY, "ttft_p95_ms", rel_tol=0.1, same_device=True, level="warn")
    before = numbers(LATENCY, "float32 on cpu", ttft_p95_ms=metric(100.0, "ms"))
    assert told(rule, numbers(LATENCY, "bfloat16 on cuda", ttft_p95_ms=metric(900.0, "ms")), before)[0] == "skipped"
    assert told(rule, numbers(LATENCY, "float32 on cpu", ttft_p95_ms=metric(120.0, "ms")), before)[0] == "warn"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (gate(direction="higher"), "lower is better"),
        (gate(cluster="speaker"), "units are samples"),
        (gate(LATENCY, "ttft_p95_ms", test="paired_bootstrap"), "no paired test"),
        (gate(test="mcnemar"), "answers that are right or wrong"),
    ],
)
def test_a_gate_that_does_not_fit_its_metric_is_an_error(rule: Gate, said: str) -> None:
    run = asr(GOOD) if rule.task == ASR else numbers(LATENCY, ttft_p95_ms=metric(1.0, "ms"))
    with pytest.raises(UsageError, match=said):
        decide(rule, run, run)


def test_p_values_are_corrected_for_all_gates_together() -> None:
    rules = Gates(version=1, gates=[gate(**PAIRED), gate(channel="", alpha=0.01, **PAIRED)])
    one, other = decide_all(rules, asr([2.0] * 30 + [1.0] * 10), asr(GOOD))
    assert one.p_holm == pytest.approx(2 * (one.p or 0)) == other.p_holm


@given(st.lists(st.integers(0, 9), min_size=2, max_size=30))
def test_a_run_passes_against_itself_whatever_its_errors(errors: list[int]) -> None:
    run = asr([float(n) for n in errors])
    for rule in (gate(), gate(**PAIRED)):
        outcome: Outcome = decide(rule, run, run)
        assert outcome.status == "pass" and outcome.worse == 0


@given(st.floats(0, 50), st.floats(0, 50), st.floats(0, 10), st.floats(0, 1))
def test_a_better_number_never_fails(before: float, gain: float, absolute: float, relative: float) -> None:
    run, baseline = numbers(ASR, wer=metric(max(0.0, before - gain))), numbers(ASR, wer=metric(before))
    rule = gate(abs_tol=absolute, rel_tol=relative)
    assert decide(rule, run, baseline).status in ("pass", "improved")


def test_mcnemar_knows_a_share_of_which_less_is_better() -> None:
    def spoken(silent: int) -> Side:
        table = PartTable()
        for number in range(40):
            table.add(str(number), {"silent": float(number < silent), "spoken": 1.0}, None, {})
        side = task_side({"no_speech": metric(100 * silent / 40)})
        return Side("run", "float32 on cpu", {SPOKEN: side}, lambda task, channel: [table])

    outcome = decide(gate(SPOKEN, "no_speech", test="mcnemar"), spoken(10), spoken(0))
    assert (outcome.fixed, outcome.broken, outcome.status) == (0, 10, "fail")


def test_an_edited_quantile_and_an_edited_baseline_are_seen() -> None:
    def timed(told: float) -> Side:
        table = PartTable()
        for number in range(21):
            table.add(str(number), {"ttft_ms": 900.0 + number}, None, {})
        side = task_side({"ttft_p50_ms": metric(told, "ms")})
        return Side("run", "float32 on cpu", {LATENCY: side}, lambda task, channel: [table])

    rule = gate(LATENCY, "ttft_p50_ms", rel_tol=0.1)
    assert told(rule, timed(910.0), timed(910.0))[0] == "pass"
    assert told(rule, timed(1.0), timed(910.0)) == (
        "fail",
        "its samples give 910 and not 1: `harness verify RUN` tells what was changed",
    )
    assert told(rule, timed(910.0), timed(2000.0)) == ("fail", "the baseline's samples give 910: was it edited?")


def test_a_limit_that_is_broken_by_a_run_unlike_the_baseline_is_no_regression_to_accept() -> None:
    rule = gate(ceiling=1.0, abs_tol=0.1)
    assert decide(rule, asr(GOOD), asr([0.0] * 40)).regression
    other = decide(rule, asr(GOOD, conditions=CONDITIONS | {"prompt": "other"}), asr([0.0] * 40))
    assert (other.status, other.regression) == ("fail", False)
    assert other.reason == "above the ceiling of 1; not made as the baseline was: prompt: 'vita' -> 'other'"
