"""Answers become scores under every profile, whatever a scorer does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import scoring
from harness.run import score_again, start
from harness.schema import Record, Scored, StoredResponse
from harness.scoring import score_records
from harness.task import Combined, Member, Task
from harness.types import Answer, Doc, Failure, Response, Score
from tests.harness.toy import TASK, ToyModel, config, numbered, objects, toy_task


def record(i: int, text: str | None, **doc: Any) -> Record:
    failure = Failure("generate", "permanent", "no") if text is None else None
    response = None if text is None else StoredResponse(text)
    return Record(str(i), "", 0, [], {"i": i, "answer": str(i), **doc}, response=response, failure=failure)


def scored(records: list[Record], task: Task = TASK) -> list[Scored]:
    return list(score_records(task, task.presets["plain"], records, Path(), None))


def test_every_profile_scores_each_answer() -> None:
    (one,) = scored([record(1, "it is 1")])
    assert {profile: channels[""].value for profile, channels in one.scores.items()} == {"exact": 0.0, "loose": 1.0}
    assert (one.answer, one.steps, one.failure) == (None, [], None)


def test_the_scores_of_one_run_equal_those_of_a_run_for_each_profile(tmp_path: Path) -> None:
    class Wordy(ToyModel):
        def answer(self, request: Any) -> Any:
            said = super().answer(request)
            return Response(f"it is {said.text}") if int(request.sample_id) % 3 else said

    both = start(config(), tmp_path / "both", objects(TASK, model=Wordy())).results().tasks["toy"]
    for profile in TASK.profiles:
        only = replace(TASK, profiles=(profile,), default_profile=profile)
        own = start(config(), tmp_path / profile, objects(only, model=Wordy())).results().tasks["toy"]
        assert own.headline == both.scores[profile][""]
        again = score_again(tmp_path / "both", {"toy": profile}, objects=objects(TASK))
        assert again.results().tasks["toy"].headline == own.headline


def test_what_was_not_answered_counts_as_wrong_and_has_failed() -> None:
    (one,) = scored([record(1, None)])
    score = one.scores["exact"][""]
    assert (score.status, score.parts) == ("failed", {"right": 0.0, "n": 1.0})


def test_thinking_is_cut_before_scoring_and_told() -> None:
    cut, endless = scored([record(1, "<think>0, or 1?</think>1"), record(2, "<think>2")])
    assert cut.scores["exact"][""].value == 1 and (cut.answer, cut.steps) == ("1", ["reasoning"])
    assert endless.scores["exact"][""].status == "failed"
    assert endless.failure is not None and endless.failure.stage == "parse"


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "1", True, 10**400])
def test_a_part_that_is_no_finite_number_fails_its_sample(value: Any) -> None:
    def broken(doc: Doc, answer: Answer, profile: str) -> Score:
        return Score("right", 1.0, {"right": value if answer.text else 0.0, "n": 1.0})

    (one,) = scored([record(1, "1")], replace(TASK, scorer=broken))
    assert one.failure is not None and (one.failure.stage, one.failure.kind) == ("score", "permanent")
    assert dict(one.scores["exact"][""].parts) == {"right": 0.0, "n": 1.0}


GIVEN = Score("right", 1.0, {"right": 1.0, "n": 1.0})


@pytest.mark.parametrize(
    "changes, named",
    [
        ({"extracted": 5}, "$.extracted"),
        ({"tags": {"parity": "even"}}, "$.tags"),
        ({"parts": None}, "$.parts"),
        ({"wrong": 1}, "$.wrong"),
        ({"status": "fine"}, "$.status"),
        ({"shown": ("one",)}, "$.shown"),
        ({"payload": {"curve": object()}}, "object"),
        ({"parts": {"right": True, "n": 1.0}}, "'right'"),
        ({"parts": {"right": -1.0, "n": 1.0}}, "the part 'right' is -1"),
        ({"parts": {"right": 1.0, "n": -1.0}}, "the part 'n' is -1"),
        ({"parts": {"right": 3.0, "n": 1.0}}, "more than its upper limit 100"),
        ({"parts": {"right": 1.0}}, "'right'"),
        ({"parts": {}}, "its parts are none"),
        ({"parts": {"rihgt": 1.0}}, "its parts are 'rihgt'"),
    ],
)
def test_a_score_that_does_not_fit_fails_its_sample_and_no_other(
    changes: dict[str, Any], named: str, tmp_path: Path
) -> None:
    def broken(doc: Doc, answer: Answer, profile: str) -> Score:
        return replace(GIVEN, **changes) if answer.text == "1" else GIVEN

    task = replace(toy_task(numbered(3)), scorer=broken)
    run = start(config(), tmp_path / "run", objects(task))
    entry = run.results().tasks["toy"]
    assert (entry.n_scored, entry.n_failed, entry.valid) == (2, 1, False)
    told = {one.id: one.failure for one in run.scored("toy") if one.failure}
    assert list(told) == ["1"] and told["1"].stage == "score" and named in told["1"].message


@pytest.mark.parametrize("given", [None, 5, {}, {"": None}, {"": 1.0}, {"speech": GIVEN}])
def test_what_is_no_score_fails_its_sample(given: Any) -> None:
    def broken(doc: Doc, answer: Answer, profile: str) -> Any:
        return given if answer.text else GIVEN

    (one,) = scored([record(1, "1")], replace(TASK, scorer=broken))
    assert one.failure is not None and one.failure.stage == "score"
    assert (one.scores["exact"][""].status, dict(one.scores["exact"][""].parts)) == ("failed", GIVEN.parts)


def _no_json(text: str) -> Any:
    if text == "1":
        raise ValueError("the answer is no JSON")
    return None if text == "2" else text


def test_an_answer_whose_form_cannot_be_read_fails_its_sample(tmp_path: Path) -> None:
    presets = {"plain": replace(TASK.presets["plain"], read=_no_json)}
    run = start(config(), tmp_path / "run", objects(replace(toy_task(numbered(4)), presets=presets)))
    entry = run.results().tasks["toy"]
    assert (entry.n_scored, entry.n_failed, entry.headline.metrics["accuracy"].value) == (2, 2, 50)
    told = {one.id: one.failure for one in run.scored("toy") if one.failure}
    assert told["1"] == Failure("parse", "permanent", "the answer is no JSON")
    assert told["2"].message == "the preset's read gave None, which is no text"


def test_a_cluster_that_is_no_text_fails_its_row(tmp_path: Path) -> None:
    task = replace(toy_task(numbered(2)), cluster=lambda doc: doc["i"] or None)
    run = start(config(), tmp_path / "run", objects(task))
    told = {record.id: record.failure for record in run.records("toy") if record.failure}
    assert list(told) == ["1"] and "the task gave 1 as the row's cluster" in told["1"].message


def test_a_group_that_does_not_fit_counts_nowhere_and_is_told(tmp_path: Path) -> None:
    def group(members: Sequence[Member], profile: str) -> dict[str, float]:
        if len(members) == 4 and members[0].doc["i"] // 4 == 1:
            raise ValueError("four are too many")
        n = 1.0 if members[0].doc["i"] // 4 == 2 and len(members) == 4 else float(len(members))
        return {"right": sum(member.score.parts["right"] for member in members), "n": n}

    task = replace(toy_task(numbered(12)), group=group, cluster=lambda doc: f"c{doc['i'] // 4}")
    entry = start(config(), tmp_path / "run", objects(task)).results().tasks["toy"]
    assert not entry.valid and entry.headline.metrics["accuracy"].value == 100
    assert entry.problems[0] == "invalid: 4 samples in no group that counts: four are too many"
    assert entry.problems[1].startswith("invalid: 4 samples in no group that counts: the parts 'right' and 'n' are 4")


def test_a_scorer_that_breaks_on_everything_leaves_a_score_without_parts() -> None:
    def broken(doc: Doc, answer: Answer, profile: str) -> Score:
        raise IndexError("list index out of range")

    (one,) = scored([record(1, "1")], replace(TASK, scorer=broken))
    assert (one.scores["exact"][""].status, dict(one.scores["exact"][""].parts)) == ("failed", {})
    assert one.failure is not None and "IndexError" in one.failure.message


def test_a_field_that_a_scorer_lacks_is_named_with_those_that_are_there() -> None:
    lacking = Record("1", "", 0, [], {"i": 1, "extra": 2}, response=StoredResponse("1"))
    (one,) = scored([lacking])
    assert one.failure is not None and one.failure.message == "the row has no answer; its fields are i, extra"


def test_a_row_that_its_group_cannot_take_fails_alone(tmp_path: Path) -> None:
    def group(members: Sequence[Member], profile: str) -> dict[str, float]:
        pairs = {member.doc["pair"]: member.score.parts["right"] for member in members}
        return {"right": sum(pairs.values()), "n": float(len(pairs))}

    task = replace(TASK, group=group, cluster=lambda doc: "all")
    records = [record(1, "1", pair=1), record(2, "2"), record(3, "3", pair=3)]
    one, other, third = scored(records, task)
    assert (one.failure, third.failure) == (None, None)
    assert other.failure is not None and "pair" in other.failure.message
    assert (other.scores["exact"][""].status, dict(other.scores["exact"][""].parts)) == ("failed", {})


@pytest.mark.parametrize("kind", [None, "c"])
def test_a_row_in_none_of_the_kinds_that_a_mean_is_over_fails_alone(kind: str | None) -> None:
    def tagged(doc: Doc, answer: Answer, profile: str) -> Score:
        tags = {"kind": (doc["kind"],)} if doc["kind"] else {}
        return Score("right", 1.0, {"right": 1.0, "n": 1.0}, tags=tags)

    over = Combined("mean", "%", True, "accuracy", "kind", {"a": 0.5, "b": 0.5})
    good, bad = scored(
        [record(1, "1", kind="a"), record(2, "2", kind=kind)],
        replace(TASK, scorer=tagged, metrics=(*TASK.metrics, over)),
    )
    assert good.failure is None
    assert bad.failure is not None and bad.failure.message.endswith("it must be one of a, b")


def test_two_channels_stand_side_by_side_with_their_gap(tmp_path: Path) -> None:
    def both(doc: Doc, answer: Answer, profile: str) -> Any:
        right = float(answer.text == doc["answer"])
        said = Score("right", right * (doc["i"] % 2), {"right": right * (doc["i"] % 2), "n": 1.0})
        return {"text": Score("right", right, {"right": right, "n": 1.0}), "speech": said}

    task = replace(toy_task(numbered(10)), scorer=both, default_channel="text")
    entry = start(config(), tmp_path / "run", objects(task, model=ToyModel())).results().tasks["toy"]
    assert entry.channel == "text" and entry.valid
    assert entry.scores["exact"]["speech"].metrics["accuracy"].value == 50
    assert entry.gap == {"accuracy": 50}


@given(st.permutations(range(40)), st.integers(1, 7))
def test_the_order_and_size_of_windows_do_not_matter(order: list[int], window: int) -> None:
    records = [record(i, str(i) if i % 5 else None) for i in order]
    kept, scoring.WINDOW = scoring.WINDOW, window
    try:
        found = scored(records)
    finally:
        scoring.WINDOW = kept
    assert [one.id for one in found] == [str(i) for i in order]
    assert {one.id: one.scores["exact"][""].value for one in found} == {str(i): float(i % 5 > 0) for i in range(40)}
