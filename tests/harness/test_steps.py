"""What is taken out of a response before it is scored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.steps import take_answer, without_reasoning
from harness.task import Preset

UPPER = Preset(lambda row: (), read=str.upper)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>two and two</think>Four", "Four"),
        ("<THINK>\nlong\n</THINK>\n\nFour\n", "Four"),
        ("before <think>a</think> between <think>b</think> after", "before  between  after"),
        ("the prompt had opened it</think>Four", "Four"),
        ("[THINK]a[/THINK]Four", "Four"),
        ("◁think▷a◁/think▷Four", "Four"),
        ("<think>never ends", None),
        ("Four <think>never ends", None),
        ("<think>a</think>Four<thinking>b", None),
        ("Four", "Four"),
        ("a < b and b > c, I think", "a < b and b > c, I think"),
        ("  kept as it is ", "  kept as it is "),
        ("", ""),
    ],
)
def test_reasoning_is_cut_and_an_unclosed_block_is_no_answer(text: str, answer: str | None) -> None:
    assert without_reasoning(text) == answer


@given(st.text(alphabet="ab <>", max_size=20), st.text(alphabet="cd \n", max_size=20))
def test_a_closed_block_leaves_just_what_follows(thought: str, answer: str) -> None:
    assert without_reasoning(f"<think>{thought}</think>{answer}") == answer.strip()


def test_steps_that_change_something_are_named_in_their_order() -> None:
    assert take_answer("plain") == ("plain", ())
    assert take_answer("<think>x</think>yes", UPPER) == ("YES", ("reasoning", "form"))
    assert take_answer("YES", UPPER) == ("YES", ())
    assert take_answer("<think>x", UPPER) == (None, ("reasoning",))
