"""An answer's tokens told apart: however they come, text, codes and counts are the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import SampleError
from models.vita_audio.replies import SEGMENT_END, Reply
from models.vita_audio.tokens import SpecialTokens, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
TOKENS = SpecialTokens.of(TOKENIZER)
STOPS = [(), ("b",), ("ab", "bcd"), ("é",), ("abcd", "bc")]
CODES = [TOKENS.token_of(code) for code in (0, 1, 63)]
ids = st.lists(
    st.sampled_from([*TOKENIZER.encode("abcdé"), *CODES, TOKENS.begin_of_audio, TOKENS.end_of_audio]), max_size=30
)


def begun(stop: tuple[str, ...] = (), spoken: bool = True) -> Reply:
    return Reply.begin(TOKENIZER, TOKENS, stop, spoken)


@given(ids, st.lists(st.integers(0, 30), max_size=8), st.sampled_from(STOPS))
def test_any_split_of_the_tokens_gives_the_same_reply(ids: list[int], cuts: list[int], stop: tuple[str, ...]) -> None:
    def reply_of(bounds: list[int]) -> tuple[str, str, list[int | None], list[int], int, bool]:
        reply, text, speech = begun(stop), "", list[int | None]()
        for start, end in pairwise(bounds):
            more = reply.add(ids[start:end], end == len(ids) and start == bounds[-2])
            text, speech = text + more[0], speech + more[1]
        return text, reply.feed.text, speech, reply.codes, reply.n_tokens, reply.feed.stopped

    at_once = reply_of([0, len(ids)])
    assert reply_of([0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)]) == at_once
    assert reply_of([*range(len(ids)), len(ids), len(ids)]) == at_once
    assert at_once[0] == at_once[1]


def test_what_comes_behind_a_stop_string_is_neither_counted_nor_spoken() -> None:
    a, b = TOKENIZER.encode("ab")
    reply = begun(("b",))
    text, speech = reply.add([a, CODES[0], TOKENS.end_of_audio, b, CODES[1], TOKENS.end_of_audio], final=False)
    assert (text, speech, reply.codes, reply.n_tokens) == ("a", [0, SEGMENT_END], [0], 4)
    assert reply.add([CODES[1], 10**6], final=True) == ("", []) and reply.n_tokens == 4


def test_a_token_that_is_neither_text_nor_a_code_is_told() -> None:
    with pytest.raises(SampleError, match="token 100000, which is no text and no code of speech"):
        begun().add([100_000], final=False)


def test_an_answer_in_text_alone_leaves_out_what_is_no_text() -> None:
    reply = begun(spoken=False)
    assert reply.add([*TOKENIZER.encode("a"), 100_000, CODES[1], *TOKENIZER.encode("b")], final=True) == ("ab", [1])
    assert (reply.codes, reply.n_tokens) == ([1], 4)
