"""What a judge's replies become under the public rules of MM-Vet and TempCompass."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import pytest

from harness.failures import JudgeError
from harness.types import Ask, Failure, Verdict
from tasks.scoring import grading


def graded(grade: Generator[Ask, Verdict, float], said: Sequence[str | Failure]) -> float:
    """The score when a judge says these in turn; after the last one it has no more."""
    replies = iter(said)
    try:
        next(grade)
        while True:
            reply = next(replies, None)
            if reply is None:
                grade.throw(JudgeError(Failure("judge", "permanent", "no more"), unusable=True))
            elif isinstance(reply, Failure):
                grade.throw(JudgeError(reply, unusable=False))
            else:
                grade.send(Verdict(reply))
    except StopIteration as end:
        return float(end.value)


@pytest.mark.parametrize(
    ("replies", "vlmevalkit", "lmms_eval"),
    [
        (["0.5"], 0.5, 0.5),
        (["1.0 | because"], 0.0, 1.0),
        (["so 0.4", "0.6"], 0.6, 0.6),
        (["so 0.4", "0.6", "0.7"], 0.6, 0.7),
        (["7", "0.5"], 0.5, 0.5),
        (["7"], 0.0, 0.0),
        (["", "0.4"], 0.4, 0.0),
        (["?", "!", "-", ".", ","], 0.0, 0.0),
    ],
)
def test_numbers(replies: list[str], vlmevalkit: float, lmms_eval: float) -> None:
    assert graded(grading.vlmevalkit_number("p"), replies) == vlmevalkit
    assert graded(grading.lmms_eval_number("p"), replies) == lmms_eval


@pytest.mark.parametrize(
    ("reply", "right"),
    [("Correct", 1.0), ("Incorrect", 0.0), ("I think Correct", 1.0), ("correct", 0.0), ("Correct or Incorrect?", 1.0)],
)
def test_correctness(reply: str, right: float) -> None:
    assert graded(grading.vlmevalkit_correct("p"), [reply]) == right
    assert graded(grading.lmms_eval_correct("p"), [reply]) == right


@pytest.mark.parametrize("grade", [grading.vlmevalkit_number, grading.lmms_eval_number, grading.lmms_eval_correct])
def test_a_judge_that_cannot_be_reached_is_no_zero(grade) -> None:
    gone = Failure("judge", "transient", "401")
    with pytest.raises(JudgeError):
        graded(grade("p"), ["cannot say", gone])
    with pytest.raises(JudgeError):
        graded(grade("p"), [gone])


def test_an_option_is_read_from_the_judge_of_a_caption() -> None:
    assert grading.chosen_from_caption("Reasoning: x\nAnswer: B. left", "B. left") == ("B. left", 1.0)
    assert grading.chosen_from_caption("Answer: B", "B. left") == ("B", 0.0)
    assert grading.chosen_from_caption("", "B. left") == (None, -1.0)
