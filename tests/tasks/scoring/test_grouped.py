"""Questions that are scored together: order and repeated rows change nothing, a missing rotation is told."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from harness.task import Member
from harness.types import Score
from tasks.scoring.grouped import circular, groups_right, once


def member(index: int, right: float) -> Member:
    return Member({"index": index}, Score("correct", right, {"right": right, "n": 1.0}))


ROTATIONS = st.lists(st.booleans(), min_size=2, max_size=4)


@given(ROTATIONS, st.randoms())
def test_a_question_is_right_if_all_its_rotations_are(rights: list[bool], dice: random.Random) -> None:
    members = [member(7 + k * 1_000_000, float(right)) for k, right in enumerate(rights)]
    again = [*members, dice.choice(members)]
    dice.shuffle(again)
    expected = {"right": float(all(rights)), "n": 1.0}
    for rows in (members, again):
        parts = circular(rows, len(rights))
        assert {name: parts[name] for name in expected} == expected


def test_a_question_that_lacks_a_rotation_is_in_no_score() -> None:
    parts = circular([member(7, 1.0), member(1_000_007, 1.0)], 3)
    assert parts["incomplete"] == 1 and "n" not in parts


def test_of_a_row_that_is_there_twice_the_worse_answer_counts() -> None:
    rows = [member(1, 1.0), member(1, 0.0)]
    assert [m.score.value for m in once(rows, lambda m: m.doc["index"])] == [0.0]
    assert once(rows[::-1], lambda m: m.doc["index"]) == once(rows, lambda m: m.doc["index"])


def test_groups_count_as_a_whole() -> None:
    rows = [member(1, 1.0), member(1, 0.0), member(2, 1.0)]
    assert groups_right(rows, lambda m: m.doc["index"]) == (1.0, 2.0)
