"""Spoken form and segmentation of text for the speech decoder."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vita15 import tts_text
from models.vita15.tts_text import (
    MAX_SEGMENT,
    MIN_SEGMENT,
    SEGMENT_ENDS,
    demo_sentences,
    is_speakable,
    segments,
    server_segments,
    server_text,
    speech_text,
)

TEXTS = st.text(st.sampled_from("ab 1 2.,，。!?！\n、世界-"), max_size=400)


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(tts_text).attempted == 2
    assert doctest.testmod(tts_text).failed == 0


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("using", "u sine g"),
        ("3^4>=81", "3的4大于等于81次方"),
        ("a!=b", "a!等于b"),
        ("well-known", "well减known"),
        ("☜**Yes** <|im_end|>", " yes  "),
        ("exp(x)", "e的x次方"),
        ("8-3", "8减3"),
        ("x-(-3)", "x减(负3)"),
    ],
)
def test_server_text_keeps_the_oddities_of_the_release(text: str, spoken: str) -> None:
    assert server_text(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Using the second tank, log in and/or press a-z", "using the second tank, log in and or press a减z"),
        ("sin(x) + cos 3 = log x", " sine (x) 加  cosine  3 等于  logarithm  x"),
        ("a - b", "a 减 b"),
    ],
)
def test_speech_text_leaves_plain_words_alone(text: str, spoken: str) -> None:
    assert speech_text(text) == spoken


def test_server_segments_wait_for_enough_characters() -> None:
    assert server_segments("Yes, I do. So") == ["Yes, I do.", " So"]
    assert server_segments("π is 3.14") == ["π is 3.", "14"]
    assert server_segments("") == []


def test_demo_sentences_drop_punctuation_and_keep_case() -> None:
    assert demo_sentences("☞Hello, World!?") == ["Hello", "World"]


def test_numbers_are_not_cut_at_their_point() -> None:
    assert segments("π is 3.14, yes it is.") == ["π is 3.14,", " yes it is."]


@given(TEXTS)
def test_segments_joined_are_the_text(text: str) -> None:
    assert "".join(server_segments(text)) == text
    assert "".join(segments(text)) == text


@given(TEXTS)
def test_segments_have_bounded_length(text: str) -> None:
    assert all(1 <= len(part) <= MAX_SEGMENT for part in segments(text))
    for part in server_segments(text)[:-1]:
        assert len(part) >= MIN_SEGMENT
        assert part[-1] in SEGMENT_ENDS


def test_long_stretches_are_cut_at_spaces() -> None:
    parts = segments("word " * 60)
    assert len(parts) > 1
    assert all(part.endswith(" ") for part in parts)
    assert [len(part) for part in segments("字" * 250)] == [100, 100, 50]


@pytest.mark.parametrize(
    ("text", "speakable"), [("🙂👍", False), ("?!", False), ("", False), ("好", True), ("7", True)]
)
def test_is_speakable(text: str, speakable: bool) -> None:
    assert is_speakable(text) is speakable
