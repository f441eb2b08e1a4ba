"""The rules of spoken questions, on what each lets through and on properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scoring.containment import Golds, as_numbers, clean_gold, flattened, token_sequence, vita_contain

WORDS = st.lists(st.sampled_from(["paris", "new", "york", "seven", "Malmö", "o'reilly", "7"]), min_size=1, max_size=4)
PHRASES = WORDS.map(" ".join)


@pytest.mark.parametrize(
    ("prediction", "golds", "contained", "in_sequence"),
    [
        ("The capital of France is Paris.", "Paris", True, True),
        ("washington was not the first george", ["George Washington"], True, False),
        ("because of the weather", ["Au"], True, False),
        ("There are 7 continents", ["seven"], True, False),
        ("There are seven continents", ["7"], False, False),
        ("It was 12", ["twelve", "a dozen"], False, False),
        ("it has 21 letters", ["twenty-one"], True, False),
        ("new york", ["new  york"], True, True),
        ("the usa", ["U.S.A."], True, False),
        ("ac dc rocks", ["AC\\DC"], False, False),
        ("Malm\u00f6 is in Sweden", ["Malmo\u0308"], False, True),
        ("答案是北京", ["北京"], True, False),
        ("it is rome", [["rome", "roma"]], True, True),
        ("anything", [""], True, True),
        ("anything", ["?!"], True, False),
        ("anything", [], False, False),
        ("", ["yes"], False, False),
    ],
)
def test_what_each_rule_lets_through(prediction: str, golds: Golds, contained: bool, in_sequence: bool) -> None:
    assert (vita_contain(prediction, golds), token_sequence(prediction, golds)) == (contained, in_sequence)


@given(PHRASES, PHRASES, PHRASES)
def test_a_gold_answer_within_a_sentence_is_found_by_both(before: str, gold: str, after: str) -> None:
    said = f"{before}, {gold.upper()} {after}"
    assert vita_contain(said, gold) and token_sequence(said, gold)


@given(PHRASES, st.lists(PHRASES, max_size=3), st.lists(PHRASES, max_size=3))
def test_lists_within_lists_are_one_list(said: str, first: list[str], second: list[str]) -> None:
    nested, flat = [first, [second]], [*first, *second]
    assert list(flattened(nested)) == flat
    assert vita_contain(said, nested) == vita_contain(said, flat)
    assert token_sequence(said, nested) == token_sequence(said, flat) == any(token_sequence(said, g) for g in flat)


@given(PHRASES, st.lists(PHRASES, max_size=3), PHRASES)
def test_one_more_alias_never_loses_a_match_by_sequence(said: str, golds: list[str], more: str) -> None:
    assert token_sequence(said, [*golds, more]) >= token_sequence(said, golds)


def test_one_alias_that_is_no_number_keeps_all_from_being_read() -> None:
    assert as_numbers(["twelve"]) == ["12"] and vita_contain("12", ["twelve"])
    assert as_numbers(["twelve", "a dozen"]) == ["twelve", "a dozen"] and not vita_contain("12", ["twelve", "a dozen"])


def test_marks_of_a_gold_answer_become_blanks_but_for_the_apostrophe_and_the_backslash() -> None:
    assert clean_gold(" Rock 'n' Roll, AC\\DC! ") == "rock 'n' roll  ac\\dc"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not int"):
        vita_contain("7", [7])  # type: ignore[list-item]
