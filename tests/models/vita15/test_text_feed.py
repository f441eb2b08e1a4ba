"""Tokens to text as they come: the same text as decoding all at once, each token looked at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vita15.adapter import MINI
from models.vita15.generation import TextFeed
from models.vita15.tokenizer import VitaTokenizer, byte_tokenizer, load_tokenizer

BYTES, WORDS = byte_tokenizer(), load_tokenizer(MINI)
tokens = st.lists(st.integers(0, 1300), max_size=40)


@pytest.mark.parametrize("tokenizer", [BYTES, WORDS], ids=["bytes", "words"])
@given(ids=tokens, size=st.integers(1, 5))
def test_the_pieces_join_to_what_the_tokenizer_says(tokenizer: VitaTokenizer, ids: list[int], size: int) -> None:
    """Halves of characters, control tokens and ids past the vocabulary too."""
    feed = TextFeed(tokenizer)
    parts = [feed.add(ids[start : start + size]) for start in range(0, len(ids), size)] + [feed.add([], final=True)]
    assert feed.raw == tokenizer.decode(ids)
    assert "".join(parts) == feed.text
    assert feed.n_tokens == len(ids)


@given(st.lists(st.sampled_from(["a", "b", "☞", "é", "ab", "🙂"]), max_size=20).map("".join))
def test_nothing_is_given_out_that_a_stop_string_takes_back(text: str) -> None:
    stop = ("ba", "abb", "é🙂")
    feed, given_out = TextFeed(BYTES, stop), ""
    for token in BYTES.encode(text):
        given_out += feed.add([token])
    given_out += feed.add([], final=True)
    places = [text.find(mark) for mark in stop if mark in text]
    want = text[: min(places)] if places else text
    assert feed.raw == want and feed.stopped == bool(places)
    assert given_out == feed.text == (want[1:] if want[:1] == "☞" else want)


def test_a_state_mark_that_comes_in_three_tokens_is_left_out() -> None:
    feed = TextFeed(BYTES)
    assert [feed.add([token]) for token in BYTES.encode("☞ok")] == ["", "", "", "o", "k"]
    assert (feed.raw, feed.text) == ("☞ok", "ok")


@pytest.mark.parametrize("stop", [(), ("never said", "nor this")])
def test_a_long_answer_costs_a_token_no_more_than_a_short_one(stop: tuple[str, ...]) -> None:
    ids = BYTES.encode("a long answer, " * 4000)

    def seconds(count: int) -> float:
        feed, began = TextFeed(BYTES, stop), time.perf_counter()
        for token in ids[:count]:
            feed.add([token])
        return (time.perf_counter() - began) / count

    short = min(seconds(2000) for _ in range(3))
    assert seconds(len(ids)) < 5 * short  # thirty times as long
