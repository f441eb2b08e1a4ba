"""Tokens to text as they come: the same text as decoding all at once, each token looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.feed import TextFeed, before_stop
from models.text.tokenizer import QwenTokenizer, byte_tokenizer, load_tokenizer
from models.vita15.adapter import MINI
from models.vita15.prompts import strip_state

BYTES, WORDS = byte_tokenizer(), load_tokenizer(MINI)
tokens = st.lists(st.integers(0, 1300), max_size=40)


@pytest.mark.parametrize("tokenizer", [BYTES, WORDS], ids=["bytes", "words"])
@given(ids=tokens, size=st.integers(1, 5))
def test_the_pieces_join_to_what_the_tokenizer_says(tokenizer: QwenTokenizer, ids: list[int], size: int) -> None:
    """Halves of characters, control tokens and ids past the vocabulary too."""
    feed = TextFeed(tokenizer)
    parts = [feed.add(ids[start : start + size]) for start in range(0, len(ids), size)] + [feed.add([], final=True)]
    assert feed.raw == tokenizer.decode(ids)
    assert "".join(parts) == feed.text
    assert feed.n_tokens == len(ids)


@given(st.lists(st.sampled_from(["a", "b", "☞", "é", "ab", "🙂"]), max_size=20).map("".join))
def test_nothing_is_given_out_that_a_stop_string_takes_back(text: str) -> None:
    stop = ("ba", "abb", "é🙂")
    feed, given_out = TextFeed(BYTES, stop, strip_state), ""
    for token in BYTES.encode(text):
        given_out += feed.add([token])
    given_out += feed.add([], final=True)
    places = [text.find(mark) for mark in stop if mark in text]
    want = text[: min(places)] if places else text
    assert feed.raw == want and feed.stopped == bool(places)
    assert given_out == feed.text == (want[1:] if want[:1] == "☞" else want)


def test_a_state_mark_that_comes_in_three_tokens_is_left_out() -> None:
    feed = TextFeed(BYTES, strip=strip_state)
    assert [feed.add([token]) for token in BYTES.encode("☞ok")] == ["", "", "", "o", "k"]
    assert (feed.raw, feed.text) == ("☞ok", "ok")


def test_without_a_mark_to_strip_the_answer_is_all_that_was_said() -> None:
    feed = TextFeed(BYTES)
    assert feed.add(BYTES.encode("☞ok"), final=True) == feed.raw == feed.text == "☞ok"


@pytest.mark.parametrize("stop", [(), ("never said", "nor this")])
def test_each_token_of_a_long_answer_is_looked_at_once(stop: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the answer again at each token would look at 30,000 characters as often."""
    ids = BYTES.encode("a long answer, " * 4000)
    read: list[int] = []
    searched: list[int] = []

    class Counting:
        def bytes_of(self, token: int) -> bytes:
            read.append(token)
            return BYTES.bytes_of(token)

    def counting(text: str, marks: Sequence[str]) -> tuple[str, bool]:
        searched.append(len(text))
        return before_stop(text, marks)

    monkeypatch.setattr("models.text.feed.before_stop", counting)
    feed = TextFeed(cast(QwenTokenizer, Counting()), stop)
    for token in ids:
        feed.add([token])
    assert read == ids
    assert sum(searched) <= len(ids) * max(map(len, ("x", *stop)))


@given(
    text=st.text(max_size=120), cuts=st.lists(st.integers(0, 400), max_size=8), stop=st.sampled_from([(), ("ab", "c")])
)
def test_text_fed_in_pieces_is_the_text(text: str, cuts: list[int], stop: tuple[str, ...]) -> None:
    ids = BYTES.encode(text)
    bounds = [0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)]
    pieces, whole_text = TextFeed(BYTES, stop), TextFeed(BYTES, stop)
    spans = list(pairwise(bounds))
    given_out = [pieces.add(ids[start:end], final=i == len(spans) - 1) for i, (start, end) in enumerate(spans)]
    assert "".join(given_out) == whole_text.add(ids, final=True)
    assert (pieces.n_tokens, pieces.stopped) == (whole_text.n_tokens, whole_text.stopped)


def test_tokens_behind_a_stop_string_are_not_counted() -> None:
    feed = TextFeed(BYTES, ("b",))
    assert (feed.add(BYTES.encode("abcd")), feed.n_tokens) == ("a", 2)
    assert (feed.add(BYTES.encode("e"), final=True), feed.n_tokens, feed.ids) == ("", 2, BYTES.encode("ab"))
