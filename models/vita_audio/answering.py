"""Answers to many requests, decoded side by side in groups; the speech of a group is made together at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch

from harness.failures import SampleError, failure_from
from harness.types import Failure, Ready, Response, Timings, Usage, Waveform
from models.generation import decoding_of
from models.vita_audio.answerer import Answerer
from models.vita_audio.cascade import CascadeDecode, MtpPrompt
from models.vita_audio.processor import MtpInputs
from models.vita_audio.replies import Reply
from models.vita_audio.voice import Voice


@dataclass
class _Answer:
    """One request while it is answered; moments are seconds since it was handed over."""

    inputs: MtpInputs
    start: float
    reply: Reply
    encoded: float = 0.0
    first_token: float | None = None
    first_code: float | None = None
    end: float = 0.0
    truncated: bool = False


def answers(
    answerer: Answerer, waiting: Iterator[Ready], rows: int, voice: Voice | None
) -> Iterator[tuple[int, Response | Failure]]:
    """Answer requests that share a `batch_key`, `rows` side by side: (position among `waiting`, answer).

    A group is taken when the one before it is over, and its clock starts then. With a `voice` the codes are spoken.
    """
    start = 0
    while group := list(islice(waiting, rows)):
        if any(item.request.batch_key != group[0].request.batch_key for item in group):
            raise ValueError("requests with other decoding settings cannot be answered side by side")
        for place, answer in _group(answerer, group, voice):
            yield start + place, answer
        start += len(group)


def prompts_of(answerer: Answerer, items: Sequence[Ready]) -> list[MtpPrompt]:
    """Requests with what is heard in its places, as the decode loop takes them. Waits for the device."""
    ahead = [item.inputs.prompt for item in items if item.inputs.prompt is not None]
    if len(ahead) == len(items):
        return ahead
    prompts = answerer.ear.hear(answerer.model, [item.inputs.heard for item in items])
    if answerer.model.device.type == "cuda":
        torch.cuda.synchronize(answerer.model.device)
    return prompts


def _group(answerer: Answerer, group: Sequence[Ready], voice: Voice | None) -> Iterator[tuple[int, Response | Failure]]:
    now = time.monotonic()
    open_ = [_begin(answerer, item, now) for item in group]
    prompts = prompts_of(answerer, group)
    for answer in open_:
        answer.encoded = time.monotonic() - answer.start
    decoding = decoding_of(group[0].request.generation, answerer.generation)
    decode = CascadeDecode(answerer.model, prompts, decoding, answerer.mode)
    spoken: list[int] = []
    for emission in decode:
        answer = open_[emission.row]
        try:
            _, speech = answer.reply.add(emission.ids, emission.finish is not None)
        except SampleError as error:
            decode.end(emission.row)
            yield emission.row, failure_from(error, "generate")
            continue
        moment = emission.time - answer.start
        answer.first_token = moment if answer.first_token is None else answer.first_token
        if answer.first_code is None and any(code is not None for code in speech):
            answer.first_code = moment
        stopped = answer.reply.feed.stopped
        if stopped:
            decode.end(emission.row)
        elif emission.finish is None:
            continue
        answer.end, answer.truncated = moment, emission.finish == "length" and not stopped
        if voice is not None and answer.reply.codes:
            spoken.append(emission.row)
        else:
            yield emission.row, _response(answer, None)
    if voice is not None and spoken:
        waves = voice.speak([open_[row].reply.codes for row in spoken])
        now = time.monotonic()
        for row, wave in zip(spoken, waves, strict=True):
            open_[row].end = now - open_[row].start
            yield row, _response(open_[row], Waveform(wave.numpy(), voice.sample_rate))


def _begin(answerer: Answerer, item: Ready, now: float) -> _Answer:
    reply = Reply.begin(
        answerer.tokenizer, answerer.tokens, item.request.generation.stop, "speech" in item.request.outputs
    )
    return _Answer(item.inputs, now - item.prepare_s, reply)


def _response(answer: _Answer, speech: Waveform | None) -> Response:
    reply = answer.reply
    return Response(
        reply.feed.text,
        speech,
        Timings(
            end=answer.end,
            encoded=answer.encoded,
            first_token=answer.first_token,
            first_audio_token=answer.first_code,
            first_audio=None if speech is None else answer.end,
            audio_s=None if speech is None else speech.seconds,
        ),
        Usage(answer.inputs.n_tokens, reply.n_tokens, len(reply.codes)),
        truncated=answer.truncated,
    )
