"""Option letters as the public scorers read them: the points on which they differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scoring.choice import NO_OPTION, lmms_eval, vlmevalkit
from tasks.scoring.choice.vita import parsed

OPTIONS = {"A": "cat", "B": "dog", "C": "bird"}
LONG = "The picture shows many things, yet B is what I would say after some thought about it"


@pytest.mark.parametrize(
    ("answer", "current", "earlier"),
    [
        ("B", "B", "B"),
        ("b", None, None),
        ("[B]", "B", "B"),
        ("A B", None, None),
        ("Z", NO_OPTION, NO_OPTION),
        ("Cannot determine the answer", NO_OPTION, NO_OPTION),
        ("Failed to obtain answer via API.", None, None),
        ("It is a dog", "B", "B"),
        (LONG, None, "B"),
        ("The correct answer is **C**, as the shape and colour of what is shown make clear", "C", "C"),
        ("It is a dog, as far as anybody can tell", None, "B"),
        ("", None, None),
    ],
)
def test_vlmevalkit(answer: str, current: str | None, earlier: str | None) -> None:
    assert vlmevalkit.matched(answer, OPTIONS, current=True) == current
    assert vlmevalkit.matched(answer, OPTIONS, current=False) == earlier


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("B", "B"),
        ("(C) then A.", "A"),
        ("Either C or D, but more likely D.", "D"),
        ("Definitely", "D"),
        ("b", None),
        ("  ", None),
        ("The answer is C because A is not", "A"),
    ],
)
def test_lmms_eval_ranks_places(answer: str, letter: str | None) -> None:
    assert lmms_eval.best_placed(answer) == letter


def test_rules_that_one_benchmark_has() -> None:
    assert lmms_eval.prefetched("(B).", OPTIONS) == "B"
    assert lmms_eval.prefetched("[B]", OPTIONS) is None
    assert lmms_eval.bracketed("DNA is it", {"A": "x", "B": "y"}) == "A", "a word that ends in a capital"
    assert lmms_eval.comparable("(d)") == lmms_eval.comparable('"D"') == "d"
    assert lmms_eval.comparable(" D ") == " d "
    assert lmms_eval.lone_letter("a cat") == "A"
    assert lmms_eval.lone_letter("C. a bird") == "C"
    assert vlmevalkit.first_capital("Best answer: B") == "B"
    assert parsed("ANSWER=B") == "A"
    assert vlmevalkit.first_word_fits("", "C") and vlmevalkit.first_word_fits(")", "C"), "gifts of MVBench's rule"


@given(st.text(max_size=40))
def test_every_rule_reads_any_text(answer: str) -> None:
    letters = {*OPTIONS, "D", "E", NO_OPTION, None}
    for rule in vlmevalkit.RULES.values():
        assert rule(answer, OPTIONS) in letters
    assert lmms_eval.best_placed(answer) in letters
    assert lmms_eval.prefetched(answer, OPTIONS) in letters
    assert lmms_eval.bracketed(answer, OPTIONS) in letters
    assert parsed(answer) in letters
