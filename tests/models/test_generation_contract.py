"""Clock and decoding settings: one zero of the clock and every field of Generation, on every path of every model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.contracts import Model, StreamingModel
from harness.engines.local import prepared
from harness.failures import SampleError
from harness.types import Generation, LoadedRequest, Output, Ready, Response
from tests.models.asking import responses, streamed
from tests.models.contract import FREE, LENGTH, SPEAKING, SPOKEN, asked, model_of

DELAY = 0.15

# One zero of the clock, whatever the path.


def slow(model: Model, loaded: LoadedRequest) -> Ready:
    """A request whose preparing takes DELAY more."""

    def prepare(loaded: LoadedRequest) -> Any:
        time.sleep(DELAY)
        return model.prepare(loaded)

    return prepared(cast(Model, SimpleNamespace(prepare=prepare)), loaded)


def test_preparing_is_part_of_a_text_answers_times(model: Model) -> None:
    item = slow(model, asked("say hello"))
    began = time.monotonic()
    ((_, answer),) = model.generate([item], 1)
    whole = item.prepare_s + time.monotonic() - began
    assert isinstance(answer, Response) and answer.timings is not None
    timings = answer.timings
    assert timings.ttft is not None and DELAY <= timings.ttft <= timings.end <= whole
    assert timings.encoded is None or DELAY <= timings.encoded <= timings.ttft


def test_preparing_is_part_of_a_spoken_answers_times(speaking: Model) -> None:
    item = slow(speaking, asked("say hello", outputs=SPOKEN))
    began = time.monotonic()
    ((_, answer),) = speaking.generate([item], 1)
    whole = item.prepare_s + time.monotonic() - began
    assert isinstance(answer, Response) and answer.timings is not None
    timings = answer.timings
    moments = [timings.encoded, timings.first_token, timings.first_audio_token, timings.first_audio, timings.end]
    assert None not in moments
    assert [DELAY, *moments, whole] == sorted([DELAY, *moments, whole])  # type: ignore[type-var]
    assert timings.rtf is not None and timings.audio_s is not None
    assert timings.rtf * timings.audio_s >= DELAY


@pytest.mark.parametrize("outputs", [("text",), SPOKEN])
def test_preparing_is_part_of_a_streams_times(decoding: Model, outputs: tuple[Output, ...]) -> None:
    if "speech" in outputs and decoding.name not in SPEAKING:
        outputs = ("text",)
    item = slow(decoding, asked("say hello", outputs=outputs))
    began = time.monotonic()
    moments = [chunk.at for chunk in cast(StreamingModel, decoding).stream(item)]
    assert moments and [DELAY, *moments] == sorted([DELAY, *moments])
    assert moments[-1] <= item.prepare_s + time.monotonic() - began


def test_waiting_for_a_free_row_is_part_of_no_answers_times(decoding: Model) -> None:
    began = time.monotonic()
    found = responses(decoding, [asked(f"question {i}") for i in range(6)], rows=1)
    whole = time.monotonic() - began
    assert sum(answer.timings.end for answer in found if answer.timings) <= whole


def test_a_streams_value_is_what_its_chunks_make_up(decoding: Model) -> None:
    outputs: tuple[Output, ...] = SPOKEN if decoding.name in SPEAKING else ("text",)
    question = asked("say hello", outputs=outputs, generation=Generation(max_new_tokens=64))
    chunks, answer = streamed(decoding, prepared(decoding, question))
    whole = responses(decoding, [question])[0]
    assert "".join(chunk.text for chunk in chunks) == answer.text == whole.text
    assert answer.usage == whole.usage and answer.usage.new_tokens > 0
    assert answer.timings is not None and answer.timings.end >= chunks[-1].at
    if "speech" in outputs:
        assert answer.speech is not None
        spoken = [chunk.speech.seconds for chunk in chunks if chunk.speech is not None]
        assert answer.speech.seconds == pytest.approx(sum(spoken))


# Every field of Generation, on every path.


def texts_on_every_path(model: Model, generation: Generation, *parts: str) -> set[str]:
    """The answer in a batch, streamed and, where the model speaks, spoken."""
    parts = parts or ("say hello",)
    plain = asked(*parts, generation=generation)
    beside = asked("something else, longer than it", generation=generation)
    found = {responses(model, [beside, plain], 2)[1].text}
    found.add(streamed_text(model, plain))
    if "speech" in model.capabilities.outputs:
        spoken = asked(*parts, generation=generation, outputs=SPOKEN)
        found.add(responses(model, [spoken])[0].text)
        found.add(streamed_text(model, spoken))
    return found


def streamed_text(model: Model, loaded: LoadedRequest) -> str:
    """The text of a stream; one whose answer holds nothing to speak ends in an error that says so."""
    texts: list[str] = []
    with suppress(SampleError):
        for chunk in cast(StreamingModel, model).stream(prepared(model, loaded)):
            texts.append(chunk.text)
    return "".join(texts)


def text(model: Model, generation: Generation, *parts: str) -> str:
    """The answer, which is the same on every path."""
    (found,) = texts_on_every_path(model, generation, *parts)
    return found


def tokens(model: Model, generation: Generation) -> set[tuple[int, bool]]:
    """New tokens and whether the answer was cut, on the paths that tell."""
    found = responses(model, [asked("say hello", generation=generation)])
    if "speech" in model.capabilities.outputs:
        found += responses(model, [asked("say hello", generation=generation, outputs=SPOKEN)])
    # The speech of random weights never ends by itself, so that the tiny NEXUS-O's is always cut.
    cut = [found[0].truncated if model.name == "nexus-o-tiny" else answer.truncated for answer in found]
    return {(answer.usage.new_tokens, was_cut) for answer, was_cut in zip(found, cut, strict=True)}


def most_tokens(model: Model) -> None:
    assert tokens(model, Generation(max_new_tokens=3)) == {(3, True)}
    short = text(model, Generation(max_new_tokens=5))
    assert text(model, replace(FREE, max_new_tokens=40)).startswith(short.rstrip("\ufffd"))


def fewest_tokens(model: Model) -> None:
    ((n, cut),) = tokens(model, Generation(max_new_tokens=63, min_new_tokens=60))
    assert n >= 60 and cut == (n == 63)
    assert tokens(model, Generation(max_new_tokens=60, min_new_tokens=60)) == {(60, True)}


def temperature(model: Model) -> None:
    drawn = {text(model, replace(FREE, temperature=2.0, seed=seed)) for seed in range(3)}
    assert len(drawn) == 3 and text(model, FREE) not in drawn


def seed(model: Model) -> None:
    warm = replace(FREE, temperature=1.5)
    assert text(model, replace(warm, seed=5)) == text(model, replace(warm, seed=5))
    assert text(model, replace(warm, seed=5)) != text(model, replace(warm, seed=1 << 47))
    assert text(model, replace(FREE, seed=5)) == text(model, FREE)  # greedy


def best_tokens(model: Model) -> None:
    assert text(model, replace(FREE, temperature=2.0, top_k=1)) == text(model, FREE)
    assert text(model, replace(FREE, temperature=2.0, top_k=2)) != text(model, FREE)


def likeliest_tokens(model: Model) -> None:
    assert text(model, replace(FREE, temperature=2.0, top_p=1e-6)) == text(model, FREE)
    assert text(model, replace(FREE, temperature=2.0, top_p=0.9)) != text(model, FREE)


STATED = {"vita-audio-mini": 1.05}
"""Penalties that checkpoints state."""


def penalty(model: Model) -> None:
    """None is what the checkpoint states, which is 1 where it states none. One far below 1 makes a model say again what
    it said."""
    stated = model.effective(FREE)["repetition_penalty"]
    assert stated == STATED.get(model.name, 1.0)
    own = replace(FREE, repetition_penalty=stated)
    assert text(model, own) == text(model, FREE) != text(model, replace(FREE, repetition_penalty=0.02))
    assert model.effective(replace(FREE, repetition_penalty=1.3))["repetition_penalty"] == 1.3


def stop(model: Model) -> None:
    whole = text(model, FREE)
    mark = whole[2:4]
    stopped = replace(FREE, stop=("never said", mark))
    assert text(model, stopped) == whole[: whole.index(mark)]
    ((n, cut),) = tokens(model, stopped)
    assert n < LENGTH and not cut


FIELDS: dict[str, Callable[[Model], None]] = {
    "max_new_tokens": most_tokens,
    "min_new_tokens": fewest_tokens,
    "temperature": temperature,
    "seed": seed,
    "top_k": best_tokens,
    "top_p": likeliest_tokens,
    "repetition_penalty": penalty,
    "stop": stop,
}


def test_every_field_is_tested() -> None:
    assert set(FIELDS) == {field.name for field in fields(Generation)}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_obeyed_on_every_path(decoding: Model, field: str) -> None:
    FIELDS[field](decoding)


def test_an_echo_is_not_decoded_and_says_so() -> None:
    echo = model_of("echo")
    assert echo.effective(FREE) == {}
    changed: Sequence[Generation] = (FREE, Generation(max_new_tokens=1), Generation(stop=("hello",)))
    assert {responses(echo, [asked("say hello", generation=each)])[0].text for each in changed} == {"say hello"}
