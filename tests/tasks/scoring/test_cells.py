"""Cells of tables: lists as text, options in columns and lists, absent values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scoring.cells import absent, listed, options_of

TEXTS = st.lists(
    st.text(min_size=1, max_size=12).filter(lambda text: not absent(text) and text[0] not in "[("), max_size=5
)


@given(TEXTS)
def test_a_list_is_the_same_in_every_spelling(texts: list[str]) -> None:
    for spelt in (texts, tuple(texts), repr(texts), json.dumps(texts), json.dumps(texts, ensure_ascii=False)):
        assert listed(spelt) == texts


@pytest.mark.parametrize("value", [None, float("nan"), "nan", "NaN", "", "  "])
def test_what_is_absent(value: object) -> None:
    assert absent(value) and listed(value) == []
    assert options_of({"A": "x", "B": "y", "C": value}) == {"A": "x", "B": "y"}


@pytest.mark.parametrize("value", ["[not a list", "[1, 2", "(", "[" * 3000, "__import__('os')"])
def test_a_text_that_is_no_list_is_one_item(value: str) -> None:
    assert listed(value) == [value]


@pytest.mark.parametrize(
    "row",
    [
        {"options": ["A. cat", "B. dog"]},
        {"options": "['A. cat', 'B. dog']"},
        {"candidates": ["cat", "dog"]},
        {"options": {"A": "cat", "B": "dog", "C": None}},
        {"choices": '["cat", "dog"]'},
        {"A": "cat", "B": "dog", "C": "nan", "D": ""},
        {"options": ["(A) cat", "(B) dog"]},
    ],
)
def test_options_in_every_form(row: dict[str, object]) -> None:
    assert options_of(row) == {"A": "cat", "B": "dog"}


@pytest.mark.parametrize(
    "row",
    [
        {"options": ["0", "None", "2"]},
        {"A": "0", "B": "None", "C": "2"},
        {"options": "['0' 'None'\n '2']"},
        {"options": "['0', 'None', '2', None]"},
    ],
)
def test_none_is_an_option_and_numpy_lists_are_lists(row: dict[str, object]) -> None:
    assert options_of(row) == {"A": "0", "B": "None", "C": "2"}


def test_an_option_keeps_its_letter_where_another_is_absent() -> None:
    assert options_of({"options": "['x', '', 'z']"}) == options_of({"options": ["A. x", None, "C. z"]})
    assert options_of({"options": ["x", float("nan"), "z"]}) == {"A": "x", "C": "z"}


def test_a_label_that_not_all_options_have_is_text() -> None:
    assert options_of({"options": ["A. Smith", "C. Jones"]}) == {"A": "A. Smith", "B": "C. Jones"}
