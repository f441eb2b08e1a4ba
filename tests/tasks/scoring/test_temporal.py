"""TempCompass under our own profiles: the option that an answer or a judge states, by its label in the question."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from harness.failures import JudgeError
from harness.types import Answer, Verdict
from tasks.scoring.asking import TEMPERATURES
from tasks.scoring.temporal import chosen, label_of, listed
from tasks.video.tempcompass import TEMPCOMPASS

TURNS = "Which way?\nA. clockwise\nB. counter-clockwise\nC. upward"
SENTENCES = "Which fits?\nSentence A: fast\nSentence B: It is moving fast\nSentence C: It is slow."
NUMBERED = "Which fits?\nOption 1: It falls.\nOption 2: It rises.\nOption 3: 2 balls rise."
BACKWARDS = "Which fits?\nCaption B: It falls.\nCaption A: It rises."


@pytest.mark.parametrize(
    ("question", "gold", "label"),
    [
        (TURNS, "B. counter-clockwise", "B"),
        (TURNS, "A. clockwise", "A"),
        (TURNS, "counter-clockwise", "B"),
        (TURNS, "C", "C"),
        (SENTENCES, "Sentence B: It is moving fast", "B"),
        (NUMBERED, "Option 2: It rises.", "2"),
        (BACKWARDS, "Caption A: It rises.", "A"),
        (TURNS, "D. elsewhere", None),
    ],
)
def test_the_gold_option_is_the_one_with_its_label(question: str, gold: str, label: str | None) -> None:
    assert label_of(gold, listed(question)) == label


@pytest.mark.parametrize(
    ("question", "answer", "label"),
    [
        (TURNS, "B", "B"),
        (TURNS, "B. counter-clockwise", "B"),
        (TURNS, "counter-clockwise", "B"),
        (SENTENCES, "Sentence B", "B"),
        (SENTENCES, "sentence b", "B"),
        (SENTENCES, "**Sentence B**", "B"),
        (SENTENCES, "Sentence B: It is moving fast", "B"),
        (SENTENCES, "I choose Sentence A", "A"),
        (SENTENCES, "The correct sentence is C.", "C"),
        (SENTENCES, "The best sentence: B", "B"),
        (SENTENCES, "Sentence B is correct.", "B"),
        (SENTENCES, "Sentence A or Sentence B", None),
        (SENTENCES, "Sentence B is wrong.", None),
        (SENTENCES, "B:", "B"),
        (NUMBERED, "Option 2", "2"),
        (NUMBERED, "option (2).", "2"),
        (NUMBERED, "2", "2"),
        (NUMBERED, "**2.**", "2"),
        (NUMBERED, "(2)", "2"),
        (NUMBERED, "The answer is 2.", "2"),
        (NUMBERED, "Answer: Option 2", "2"),
        (NUMBERED, r"\boxed{2}", "2"),
        (NUMBERED, "2: It rises.", "2"),
        (NUMBERED, "Option 2: It rises.", "2"),
        (NUMBERED, "2 balls rise", "3"),
        (NUMBERED, "1 or 2", None),
        (NUMBERED, "Option 4", None),
        (BACKWARDS, "A", "A"),
        (BACKWARDS, "It falls", "B"),
        (BACKWARDS, "", None),
    ],
)
def test_an_option_is_read_by_its_label(question: str, answer: str, label: str | None) -> None:
    assert chosen(answer, listed(question)) == label


@pytest.mark.parametrize(
    ("kind", "question", "gold", "answer", "right"),
    [
        ("multi-choice", TURNS, "B. counter-clockwise", "B. counter-clockwise", 1.0),
        ("multi-choice", TURNS, "B. counter-clockwise", "A. clockwise", 0.0),
        ("caption_matching", SENTENCES, "Sentence B: It is moving fast", "Sentence B", 1.0),
        ("caption_matching", SENTENCES, "Sentence B: It is moving fast", "Sentence A", 0.0),
        ("caption_matching", NUMBERED, "Option 2: It rises.", "2", 1.0),
    ],
)
def test_robust_scores_the_option_that_is_stated(
    kind: str, question: str, gold: str, answer: str, right: float
) -> None:
    doc = {"question": question, "answer": gold, "task_type": kind, "dim": "speed"}
    score = TEMPCOMPASS.scorer(doc, Answer(answer), "robust")
    assert not isinstance(score, dict) and score.value == right


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("Reasoning: it says so.\nAnswer: B. counter-clockwise", 1.0),
        ("Answer: B", 1.0),
        ("B", 1.0),
        ("Answer: (B) counter-clockwise", 1.0),
        ("**Answer:** B. counter-clockwise", 1.0),
        ("Reasoning: not A. clockwise\nAnswer:\n[B. counter-clockwise]", 1.0),
        ("The caption supports B. counter-clockwise", 1.0),
        ("Answer: A. clockwise", 0.0),
        ("Answer: None of the choices are correct", 0.0),
        ("I cannot tell from this caption.", None),
        ("invalid_request_error", None),
        ("Answer: A. clockwise or B. counter-clockwise", None),
    ],
)
def test_a_caption_is_right_where_the_judge_says_so_and_failed_where_it_says_nothing(
    reply: str, right: float | None
) -> None:
    doc = {"mc_question": TURNS, "mc_answer": "B. counter-clockwise", "task_type": "captioning", "dim": "direction"}
    scored = TEMPCOMPASS.scorer(doc, Answer("It turns."), "judged")
    assert isinstance(scored, Generator)
    next(scored)
    if right is None:
        with pytest.raises(JudgeError, match="no reply that can be used") as told:
            for _ in TEMPERATURES:
                scored.send(Verdict(reply))
        assert told.value.unusable
        return
    with pytest.raises(StopIteration) as end:
        scored.send(Verdict(reply))
    assert end.value.value.value == right
