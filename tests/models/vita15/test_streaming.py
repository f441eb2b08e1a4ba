"""Streamed answers: text and speech in pieces that join to what one call gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.contracts import ModelOptions
from harness.engines.local import prepared
from harness.failures import SampleError
from harness.types import Chunk, Generation, LoadedRequest, Message, Output, Request, Response, Text
from models.text.feed import TextFeed
from models.vita15.adapter import vita15_tiny
from models.vita15.model import Vita15Model
from models.vita15.tts_text import SegmentBuffer, segments
from tests.models.asking import outcomes, responses

HOP = 600


@pytest.fixture(scope="module")
def model() -> Vita15Model:
    opened = vita15_tiny(ModelOptions())
    opened.open()
    return opened


def request(text: str, speak: bool = True, **settings: int) -> LoadedRequest:
    outputs: tuple[Output, ...] = ("text", "speech") if speak else ("text",)
    generation = Generation(**{"max_new_tokens": 24} | settings)  # type: ignore[arg-type]
    return LoadedRequest(Request("1", (Message("user", (Text(text),)),), generation, outputs), ())


def whole(model: Vita15Model, asked: LoadedRequest) -> Response:
    (answer,) = responses(model, [asked])
    return answer


def streamed(model: Vita15Model, asked: LoadedRequest) -> list[Chunk]:
    return list(model.stream(prepared(model, asked)))


def test_the_stream_joins_to_the_answer_of_one_call(model: Vita15Model) -> None:
    asked = request("hello")
    answer, chunks = whole(model, asked), streamed(model, asked)
    assert "".join(chunk.text for chunk in chunks) == answer.text
    joined = np.concatenate([chunk.speech.samples for chunk in chunks if chunk.speech])
    assert answer.speech is not None and answer.speech.rate == 24_000
    assert np.abs(joined - answer.speech.samples).max() <= 1e-5
    assert len(joined) == HOP * answer.usage.speech_tokens > 0
    assert [c.at for c in chunks] == sorted(c.at for c in chunks)


def test_moments_come_in_order(model: Vita15Model) -> None:
    timings = whole(model, request("hello")).timings
    assert timings is not None and timings.audio_s
    moments = [timings.encoded, timings.first_token, timings.first_audio_token, timings.first_audio, timings.end]
    assert None not in moments and moments == sorted(moments)  # type: ignore[type-var]
    assert timings.rtf == timings.end / timings.audio_s


def test_speaking_changes_no_text_and_text_alone_streams_too(model: Vita15Model) -> None:
    asked = request("hello", speak=False)
    chunks = streamed(model, asked)
    assert all(chunk.speech is None for chunk in chunks)
    assert "".join(chunk.text for chunk in chunks) == whole(model, asked).text == whole(model, request("hello")).text


def test_a_minimum_of_new_tokens_is_kept(model: Vita15Model) -> None:
    answer = whole(model, request("hello", speak=False, max_new_tokens=70, min_new_tokens=70))
    assert answer.usage.new_tokens == 70
    assert answer.truncated


def test_a_long_question_is_spoken_to(model: Vita15Model) -> None:
    assert whole(model, request("word, " * 333)).speech is not None


@pytest.mark.parametrize("answer", ["", "🙂🙂 🎉!", "…"])
def test_nothing_to_say_is_an_answer_without_speech_and_never_silence(
    model: Vita15Model, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(TextFeed, "add", lambda self, ids, final: answer if final else "")
    (found,) = outcomes(model, [request("hello")])
    assert isinstance(found, Response) and found.speech is None
    with pytest.raises(SampleError, match="nothing to speak"):
        streamed(model, request("hello"))


WORDS = "the cat and a dog walk along the river while it rains and no one else is there to see them at all"


@given(
    pieces=st.lists(
        st.one_of(st.text(alphabet="abc 12.,。，?\n", max_size=40), st.sampled_from([WORDS, "x" * 99, " no", ", a"])),
        max_size=12,
    )
)
@example(pieces=[*f"{WORDS} of dogs and no, a"])
def test_segments_of_text_in_pieces_are_those_of_the_text(pieces: list[str]) -> None:
    buffer = SegmentBuffer()
    found = [segment for piece in pieces for segment in buffer.add(piece)] + buffer.finish()
    assert [segment for segment in found if segment] == segments("".join(pieces))
