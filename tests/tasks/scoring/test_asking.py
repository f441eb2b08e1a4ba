"""Asking a judge until a reply can be used."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import JudgeError
from harness.types import Ask, Failure, Verdict
from tasks.scoring.asking import QUOTED, TEMPERATURES, ask, asked, correctness_of, letter_of, score_of

T = TypeVar("T")


def play(asking: Generator[Ask, Verdict, T], *replies: str | JudgeError) -> tuple[T, list[Ask]]:
    """What an asking ends with when these are said, and what it asked."""
    asks = [next(asking)]
    try:
        for reply in replies:
            asks.append(asking.send(Verdict(reply)) if isinstance(reply, str) else asking.throw(reply))
    except StopIteration as end:
        return end.value, asks
    raise AssertionError(f"asks once more: {asks[-1]}")


def test_each_asking_is_hotter_and_none_hotter_than_endpoints_take() -> None:
    assert ask("how good?") == Ask("llm", "how good?", (("temperature", "0"),))
    assert ask("how good?", 3) == Ask("llm", "how good?", (("temperature", "1.5"), ("try", "3")))
    assert [dict(ask("?", number).settings)["temperature"] for number in (4, 5, 20)] == ["2", "2", "2"]
    assert ask("?", 5) != ask("?", 6), "equal asks would be answered once"


def test_the_first_reply_that_can_be_used_ends_the_asking() -> None:
    assert play(asked("p", score_of), "0.5") == (0.5, [ask("p")])
    assert play(asked("p", score_of), "7", "0.8 because", "0") == (0.0, [ask("p"), ask("p", 1), ask("p", 2)])


def test_all_tries_ask_the_same_as_a_public_scorer_does() -> None:
    _, asks = play(asked("p", score_of, TEMPERATURES), "", "", "", "", "1")
    assert asks == [ask("p", number) for number in range(5)], "so that their replies are shared"


def test_a_judge_that_says_nothing_usable_has_failed_and_is_quoted() -> None:
    with pytest.raises(JudgeError) as caught:
        play(asked("p", score_of), "seven", "x" * 500, "NaN")
    failure = caught.value.failure
    assert (failure.stage, failure.kind) == ("judge", "permanent")
    assert "'seven'" in failure.message and "'NaN'" in failure.message
    assert "x" * QUOTED + "…" in failure.message and "x" * (QUOTED + 1) not in failure.message


@pytest.mark.parametrize("before", [(), ("seven",)])
def test_a_failure_of_the_judge_ends_the_asking(before: tuple[str, ...]) -> None:
    down = JudgeError(Failure("judge", "transient", "no route"))
    with pytest.raises(JudgeError) as caught:
        play(asked("p", score_of), *before, down)
    assert caught.value is down, "a later pass may get a reply"


def test_a_reply_that_holds_nothing_is_one_that_cannot_be_used() -> None:
    empty = JudgeError(Failure("judge", "permanent", "the reply is empty"), unusable=True)
    assert play(asked("p", score_of), empty, "0.5") == (0.5, [ask("p"), ask("p", 1)])
    with pytest.raises(JudgeError, match="'seven', the reply is empty, the reply is empty") as caught:
        play(asked("p", score_of), "seven", empty, empty)
    assert caught.value.unusable


@pytest.mark.parametrize("reply", ["0", "1", " 0.8\n", "0.80", "1.0", "5e-1", ".5"])
def test_a_number_from_0_to_1_is_a_score(reply: str) -> None:
    assert score_of(reply) == float(reply)


@pytest.mark.parametrize(
    "reply", ["7", "NaN", "inf", "-0.1", "1.01", "0.8 because", "Score: 0.8", "0,8", "80%", "", "."]
)
def test_any_other_reply_is_no_score(reply: str) -> None:
    assert score_of(reply) is None


@given(st.text() | st.floats().map(str))
def test_a_score_is_always_in_its_range(reply: str) -> None:
    score = score_of(reply)
    assert score is None or 0 <= score <= 1


@pytest.mark.parametrize(("reply", "letter"), [("A", "A"), (" B.\n", "B"), ("(C)", "C"), ("Z", "Z")])
def test_a_letter_alone_is_a_letter(reply: str, letter: str) -> None:
    assert letter_of(reply, "ABCZ") == letter


@pytest.mark.parametrize("reply", ["", "()", "a", "D", "AB", "A or B", "The answer is A", "A. a cat"])
def test_any_other_reply_is_no_letter(reply: str) -> None:
    assert letter_of(reply, "ABCZ") is None


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("Correct", True),
        ("Correct.", True),
        ("Incorrect", False),
        ('The prediction is "Incorrect".', False),
        ("Correct, not Incorrect", None),
        ("correct", None),
        ("Correctness is hard to say", None),
        ("", None),
    ],
)
def test_correctness_is_said_in_one_of_two_words(reply: str, right: bool | None) -> None:
    assert correctness_of(reply) is right
