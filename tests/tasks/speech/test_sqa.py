"""Spoken questions: text and speech of one answer, their gap, and answers that were not heard."""

from __future__ import annotations

import pytest

from harness.aggregate import Planned, task_result
from harness.registry import get_task
from harness.schema import TaskResult
from harness.types import Failure
from tests.tasks.speech.spoken import DEAF, Hearers, heard, said

NAME = "llama_questions"
DOC = {"answers": ["Paris"]}


def entry(*answers: tuple[str | None, str | None], hearers: Hearers | None = None, spoken: bool = True) -> TaskResult:
    records = [said(NAME, DOC, text, speech) for text, speech in answers]
    for number, record in enumerate(records):
        record.id = str(number)
    scored = heard(NAME, records, hearers, spoken)
    planned = Planned("vita", "vita_contain")
    return task_result(get_task(NAME), planned, zip(records, scored, strict=True), None)


def value(found: TaskResult, channel: str, metric: str = "accuracy") -> float | None:
    return found.scores["vita_contain"][channel].metrics[metric].value  # type: ignore[index]


def test_one_generation_gives_both_numbers_their_gap_and_the_share_without_speech() -> None:
    found = entry(("It is Paris", "it is paris"), ("Paris", "parish"), ("Paris.", None), ("London", "paris"))
    assert (value(found, "text"), value(found, "speech")) == (75, 75)
    assert value(found, "speech", "no_speech") == 25
    strict = found.scores["token_sequence"]
    assert strict["speech"].metrics["accuracy"].value == 50, "a parish is no Paris"
    assert found.gap["accuracy"] == 0


def test_where_no_speech_was_asked_for_there_is_no_channel_of_it() -> None:
    found = entry(("Paris", None), spoken=False)
    assert set(found.scores["vita_contain"]) == {"text"} and found.valid


def test_a_recording_that_is_not_heard_fails_as_speech_alone() -> None:
    found = entry(("Paris", "broken"), ("Paris", "paris"), hearers=Hearers({"broken": DEAF}))
    assert value(found, "text") == 100 and found.valid
    speech = found.scores["vita_contain"]["speech"]
    assert (speech.n_failed, speech.valid, value(found, "speech")) == (1, False, 50)
    assert found.failures == {"judge/permanent": 1}
    assert any(problem.startswith("speech channel: 1 of 2 scored") for problem in found.problems)
    both = entry((None, None), ("Paris", "broken"), hearers=Hearers({"broken": DEAF}))
    assert any("(1 of 2 samples scored; 1 x generate/permanent)" in problem for problem in both.problems)


def test_without_a_recogniser_speech_is_unscored_and_text_is_scored() -> None:
    found = entry(("Paris", "paris"), ("Paris", None), hearers=Hearers(roles=[]))
    assert value(found, "text") == 100 and found.valid
    assert found.scores["vita_contain"]["speech"].n_unscored == 2
    assert value(found, "speech") is None and value(found, "speech", "no_speech") is None


def test_no_answer_is_wrong_in_both_channels() -> None:
    found = entry((None, None), ("Paris", "paris"))
    assert (value(found, "text"), value(found, "speech")) == (50, 50)


@pytest.mark.parametrize(
    "gold", [["Paris", "paname"], "Paris", [["Paris"], ["Lutetia"]], '["Paris"]', {"value": "Paris", "aliases": []}]
)
@pytest.mark.parametrize("column", ["answers", "answer", "Answer"])
def test_gold_answers_are_read_from_what_data_sets_hold(gold: object, column: str) -> None:
    (one,) = heard(NAME, [said(NAME, {column: gold}, "In Paris", None)], spoken=False)
    assert one.scores["vita_contain"]["text"].value == 1


def test_a_gold_answer_of_marks_alone_is_in_no_answer() -> None:
    (one, other) = (
        heard(NAME, [said(NAME, {"answers": ["?", "Madrid"]}, text, None)], spoken=False)[0] for text in ("", "Madrid")
    )
    assert [found.scores["vita_contain"]["text"].value for found in (one, other)] == [0, 1]


@pytest.mark.parametrize("gold", [[], "", None, [[]], ["!!!"]])
def test_a_question_without_an_answer_is_unscored(gold: object) -> None:
    (one,) = heard(NAME, [said(NAME, {"answers": gold}, "Paris", "paris")])
    assert {score.status for score in one.scores["vita_contain"].values()} == {"unscored"}


def test_breaks_in_an_answer_are_no_new_answers() -> None:
    (one,) = heard(NAME, [said(NAME, {"answers": ["new york"]}, "new\u2028york\n", "new\nyork")])
    assert [score.value for score in one.scores["token_sequence"].values()] == [1, 1]


def test_failures_name_their_stage() -> None:
    (one,) = heard(NAME, [said(NAME, DOC, "Paris", "broken")], Hearers({"broken": DEAF}))
    assert one.failure == Failure("judge", "permanent", DEAF.message)


def test_answers_without_speech_are_wrong_unless_the_profile_leaves_them_out() -> None:
    found = entry(("Paris", "paris"), ("Paris", None), ("London", None), (None, None))
    assert (value(found, "text"), value(found, "speech")) == (50, 25)
    dropped = found.scores["vita_contain_dropped"]
    for channel in dropped.values():
        assert (channel.n_scored, channel.n_unscored, channel.n_failed) == (1, 2, 1), "a failure is no silence"
        assert channel.metrics["accuracy"].value == 50
    assert dropped["speech"].metrics["no_speech"].value == 50, "of the failed answer, which has none"


def test_the_headline_says_why_samples_are_left_out() -> None:
    records = [said(NAME, DOC, "Paris", "paris"), said(NAME, DOC, "Paris", None)]
    for number, record in enumerate(records):
        record.id = str(number)
    planned = Planned("vita_audio", "vita_contain_dropped")
    made = task_result(get_task(NAME), planned, zip(records, heard(NAME, records), strict=True), None)
    why = "the answer has no speech, and the profile leaves such samples out"
    assert f"1 sample is unscored and in no number ({why})" in made.problems
    assert made.valid and made.n_unscored == 1


def test_an_answer_of_which_no_speech_was_asked_is_not_left_out() -> None:
    found = entry(("Paris", None), spoken=False)
    assert found.scores["vita_contain_dropped"]["text"].n_scored == 1
