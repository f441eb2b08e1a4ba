"""Text and speech in turns: nothing is lost or moved within a modality, chunks are as long as the ratio says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vita_audio.interleave import BALANCE_RATIO, BOOST_RATIO, IGNORED, example, interleave

B, E = 900, 901
words = st.lists(st.integers(0, 99), min_size=1, max_size=60)
codes = st.lists(st.integers(1000, 1999), min_size=1, max_size=90)
ratios = st.lists(st.tuples(st.integers(1, 6), st.integers(3, 12)), min_size=1, max_size=3).map(
    lambda pairs: [number for pair in pairs for number in pair]
)


def turns(content: list[int]) -> list[tuple[list[int], list[int]]]:
    """(text, codes) of each turn."""
    found, text = [], []
    at = iter(content)
    for token in at:
        if token == B:
            found.append((text, list(iter(lambda: next(at), E))))
            text = []
        else:
            text.append(token)
    assert not text
    return found


@given(before=words, after=st.lists(st.integers(0, 99), max_size=9), speech=codes, ratio=ratios)
def test_both_modalities_keep_their_order_and_all_their_tokens(
    before: list[int], after: list[int], speech: list[int], ratio: list[int]
) -> None:
    found = turns(interleave([*before, B, *speech, E, *after], B, E, ratio))
    assert [token for text, _ in found for token in text] == before + after
    assert [code for _, sound in found for code in sound] == speech


@given(text=words, speech=codes, ratio=ratios)
def test_all_turns_but_the_last_are_as_long_as_the_ratio_says(
    text: list[int], speech: list[int], ratio: list[int]
) -> None:
    pairs = list(zip(ratio[::2], ratio[1::2], strict=True))
    for place, (said, sound) in enumerate(turns(interleave([*text, B, *speech, E], B, E, ratio))[:-1]):
        assert (len(said), len(sound) + 2) == pairs[min(place, len(pairs) - 1)]


@given(st.lists(st.integers(0, 99), max_size=9), codes)
def test_text_alone_and_speech_alone_stay_as_they_are(text: list[int], speech: list[int]) -> None:
    assert interleave(text, B, E) == text
    assert interleave([B, *speech, E], B, E) == [B, *speech, E]


def test_the_patterns_of_the_specification() -> None:
    """Section 3: T text, B and E the marks, A speech."""

    def pattern(ratio: tuple[int, ...]) -> str:
        made = interleave([*[0] * 60, B, *[1000] * 120, E], B, E, ratio)[:60]
        return "".join({0: "T", B: "B", E: "E", 1000: "A"}[token] for token in made)

    assert pattern(BALANCE_RATIO) == "TBAAETTTBAAAAAAETTTTBAAAAAAAAETTTTBAAAAAAAAETTTTBAAAAAAAAETT"
    assert pattern(BOOST_RATIO) == "TBAAAAAAAAETTTTBAAAAAAAAETTTTBAAAAAAAAETTTTBAAAAAAAAETTTTBAA"


@pytest.mark.parametrize("content", [[1, B, 1000], [1, 1000, E], [E, 1, B], [1, B, 1000, E, 2, B, 1001, E]])
def test_anything_but_one_piece_of_speech_is_refused(content: list[int]) -> None:
    with pytest.raises(ValueError, match="expected one piece of speech"):
        interleave(content, B, E)


@pytest.mark.parametrize("ratio", [[], [1], [1, 2], [0, 10], [1, 10, 4]])
def test_a_ratio_without_pairs_is_refused(ratio: list[int]) -> None:
    with pytest.raises(ValueError, match="such as 1 10 4 10"):
        interleave([1, B, 1000, E], B, E, ratio)


@given(prompt=words, answer=words)
def test_the_answer_alone_is_learnt_and_its_end_too(prompt: list[int], answer: list[int]) -> None:
    ids, labels = example(prompt, answer, [7, 8])
    assert ids == [*prompt, *answer, 7, 8]
    assert labels == [IGNORED] * len(prompt) + [*answer, 7, 8]
