"""Which network makes which token, by the specification's strings and by property."""

from __future__ import annotations

from itertools import chain, islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vita_audio.schedule import BOOST, LLM, MODES, VANILLA, Mode, calls, parse_mode, sources, turns

PAIRS = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 12)), min_size=1, max_size=4)
MODULES = st.integers(0, 10)


@pytest.mark.parametrize(
    ("name", "made_by"),
    [
        ("vanilla", "L" * 60),
        ("balance", "L0123LLL01234567LLLL0123456789LLLL0123456789LLLL0123456789LL"),
        ("boost", "L0123456789LLLL0123456789LLLL0123456789LLLL0123456789LLLL012"),
        ("turbo", "L0123456789L0123456789L0123456789L0123456789L0123456789L0123"),
    ],
)
def test_the_first_60_tokens_are_made_as_the_specification_says(name: str, made_by: str) -> None:
    found = islice(sources(MODES[name], 10), 60)
    assert "".join("L" if source == LLM else str(source) for source in found) == made_by


@given(PAIRS, MODULES)
def test_modules_follow_each_other_and_never_stand_first(pairs: list[tuple[int, int]], modules: int) -> None:
    found = list(islice(sources(Mode(tuple(pairs)), modules), 80))
    assert found[0] == LLM
    for before, source in pairwise(found):
        assert source in (LLM, before + 1)
        assert source < modules


@given(PAIRS, MODULES, st.integers(1, 30))
def test_every_network_takes_in_each_of_its_rows_once(pairs: list[tuple[int, int]], modules: int, prompt: int) -> None:
    read: dict[int, int] = {}
    for token, call in enumerate(islice(calls(Mode(tuple(pairs)), modules), 60)):
        assert call.first == (call.source not in read)
        read[call.source] = read.get(call.source, 0) + call.new + (prompt if call.first else 0)
        assert read[call.source] == prompt + token - (call.source + 1)


@given(PAIRS, MODULES, st.integers(1, 60))
def test_turns_hold_all_calls_and_each_starts_with_the_language_model(
    pairs: list[tuple[int, int]], modules: int, tokens: int
) -> None:
    mode = Mode(tuple(pairs))
    found = list(turns(mode, modules, tokens))
    assert list(chain.from_iterable(found)) == list(islice(calls(mode, modules), tokens))
    assert all([call.source == LLM for call in turn].index(True) == 0 for turn in found)
    assert all(call.source != LLM for turn in found for call in turn[1:])


@pytest.mark.parametrize("text", ["", "fast", "1,2,3", "0,10", "1,-1", "1;10", "True,1"])
def test_what_is_no_mode_is_refused_with_the_names(text: str) -> None:
    with pytest.raises(ValueError, match="vanilla, balance, boost, turbo"):
        parse_mode(text)


def test_a_mode_is_read_by_name_and_by_numbers() -> None:
    assert parse_mode("Boost") == parse_mode("1,10,4,10") == parse_mode("[1, 10, 4, 10]") == BOOST
    assert [str(mode) for mode in (VANILLA, Mode.of([2, 5]))] == ["vanilla", "2,5"]
    assert parse_mode(str(Mode.of([2, 5, 1, 3]))).numbers == [2, 5, 1, 3]


@pytest.mark.parametrize("text", ["1_0,4", "+1,4", "1,,4", "1,4.0", "\u0661,4"])
def test_numbers_of_a_mode_are_plain_digits(text: str) -> None:
    with pytest.raises(ValueError, match="no decoding mode"):
        parse_mode(text)
