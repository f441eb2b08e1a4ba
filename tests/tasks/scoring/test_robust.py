"""The profile `robust`: the tables of docs/robust.md, and that an answer's meaning does not change with its dress."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scoring import yes_no
from tasks.scoring.choice.robust import stated
from tasks.scoring.free_text import equals, mentions, numbers

OPTIONS = {"A": "cat", "B": "dog", "C": "red bird", "D": "bird"}
PAGE = (Path(__file__).parents[3] / "docs" / "robust.md").read_text("utf-8")


def table(heading: str) -> list[tuple[str, ...]]:
    """The rows of the table under a heading, cells without their code marks."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip("`").replace("\\n", "\n") for cell in row) for row in rows]


YES_NO, CHOICES, FREE = table("Yes or no"), table("Options"), table("Free answers")
WORDS = st.sampled_from([(answer, said) for answer, said in YES_NO if said != "none" and "\n" not in answer])
LETTERS = st.sampled_from([(answer, said) for answer, said in CHOICES if said != "none" and "\n" not in answer])
DRESS = st.sampled_from(
    [
        lambda text: f"**{text}**",
        lambda text: f"*{text}*",
        lambda text: f"`{text}`",
        lambda text: f"> {text}",
        lambda text: f"- {text}",
        lambda text: f"# {text}",
        lambda text: f"“{text}”",
        lambda text: f"{text}.",
        lambda text: f"{text}。",
        lambda text: f"  {text}\n",
        lambda text: f"<think>both A and B, yes or no</think>{text}",
        lambda text: text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    ]
)


def test_the_tables_are_there() -> None:
    assert len(YES_NO) > 15 and len(CHOICES) > 25 and len(FREE) > 8


@pytest.mark.parametrize(("answer", "said"), YES_NO)
def test_yes_or_no(answer: str, said: str) -> None:
    assert (yes_no.stated(answer) or "none") == said


@pytest.mark.parametrize(("answer", "said"), CHOICES)
def test_options(answer: str, said: str) -> None:
    assert (stated(answer, OPTIONS) or "none") == said


@pytest.mark.parametrize(("gold", "answer", "right"), FREE)
def test_free_answers(gold: str, answer: str, right: str) -> None:
    rule = mentions if re.search(r"OPEN|nan", gold) else equals
    assert rule(answer, [gold]) == (right == "yes")


@pytest.mark.parametrize(
    ("gold", "answer", "there"),
    [
        ("50", "It costs $12.50", False),
        ("250", "The bill is 1,250 dollars", False),
        ("1", "The bill is 1,250 dollars", False),
        ("5", "It is 5.5 and a cat", False),
        ("5", "x is -5", False),
        ("5", "0.5", False),
        ("5", "It is 5.", True),
        ("5", "4, 5, 6", True),
        ("5", "4,5,6", True),
        ("5", "No.5", True),
        ("1,250", "The bill is 1,250 dollars", True),
        ("12.50", "It costs $12.50", True),
        ("2019-05", "On 2019-05-01", True),
    ],
)
def test_digits_are_a_whole_number(gold: str, answer: str, there: bool) -> None:
    assert mentions(answer, [gold]) == there


@given(WORDS, DRESS)
def test_dress_does_not_change_a_yes_or_no(case: tuple[str, str], dress) -> None:
    answer, said = case
    if "\\" not in answer and "<" not in answer:  # commands and tags are no text to be dressed
        assert yes_no.stated(dress(answer)) == said


@given(LETTERS, DRESS)
def test_dress_does_not_change_an_option(case: tuple[str, str], dress) -> None:
    answer, said = case
    if "\\" not in answer and "<" not in answer:
        assert stated(dress(answer), OPTIONS) == said


@given(
    st.sampled_from("ABCD"), st.sampled_from(["{}", "({})", "{}.", "{})", "The answer is {}.", "Answer: {}", "选{}"])
)
def test_a_letter_is_read_in_either_case(letter: str, form: str) -> None:
    assert stated(form.format(letter), OPTIONS) == stated(form.format(letter.lower()), OPTIONS) == letter


@given(
    st.lists(st.sampled_from("ABCD"), min_size=2, max_size=3, unique=True),
    st.sampled_from([" or ", " and ", ", ", "/"]),
)
def test_several_letters_are_none(letters: list[str], between: str) -> None:
    for form in ("{}", "The answer is {}.", r"\boxed{{{}}}"):
        assert stated(form.format(between.join(letters)), OPTIONS) is None


@pytest.mark.parametrize(
    "text", ["E0", "1e999999999", "9" * 6000, "1/0", "5/" + "9" * 5000, r"\frac{1}{0}", "-", "." * 99]
)
def test_odd_numbers_are_read_at_once(text: str) -> None:
    assert all(math.isfinite(value) for value in numbers(text))
    equals(text, ["1"])


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert stated(text, OPTIONS) in (*OPTIONS, None)
    assert yes_no.stated(text) in ("yes", "no", None)
    equals(text, ["1", "cat"])
    assert all(math.isfinite(value) for value in numbers(text))
    mentions(text, ["cat"])
