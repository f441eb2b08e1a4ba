"""Spoken answers: many whole ones, their texts first and then their speech, or one whose speech follows its text."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.types import Chunk, Ready, Response, Timings, Usage, Waveform
from models.decoding import Decode
from models.generation import decoding_of
from models.nexus_o.answering import prompts_of, reply_states
from models.nexus_o.checkpoint import Loaded
from models.nexus_o.code_decoding import CodePiece
from models.nexus_o.code_rows import CodeDecoding, Utterance
from models.nexus_o.decoder_config import code_sampling
from models.nexus_o.live_codes import LiveCodes
from models.nexus_o.voice import Voice
from models.nexus_o.voice_stream import VoiceStream
from models.streams import AnswerStream
from models.text.feed import TextFeed


@dataclass
class _Reply:
    """One request while it is answered; moments are seconds since it was handed over."""

    prompt_tokens: int
    start: float
    feed: TextFeed
    encoded: float = 0.0
    first_token: float | None = None
    first_code: float | None = None
    end: float = 0.0
    truncated: bool = False


def how_spoken(loaded: Loaded, voice: Voice, longest_s: float) -> CodeDecoding:
    """Speech of at most `longest_s` seconds; codes are drawn as the choice says."""
    return CodeDecoding(voice.frames(longest_s), code_sampling(loaded.model.config))


def spoken(
    loaded: Loaded, waiting: Iterator[Ready], rows: int, voice: Voice, longest_s: float
) -> Iterator[tuple[int, Response]]:
    """Answer requests that share a `batch_key` in text and speech, `rows` side by side: (position, answer).

    A group is taken when the one before it is over, and its clock starts then. An answer without a token has no speech.
    """
    start = 0
    while group := list(islice(waiting, rows)):
        if any(item.request.batch_key != group[0].request.batch_key for item in group):
            raise ValueError("requests with other decoding settings cannot be answered side by side")
        for place, response in _group(loaded, group, voice, longest_s):
            yield start + place, response
        start += len(group)


def _group(loaded: Loaded, group: Sequence[Ready], voice: Voice, longest_s: float) -> Iterator[tuple[int, Response]]:
    now = time.monotonic()
    replies = [
        _Reply(item.inputs.n_tokens, now - item.prepare_s, TextFeed(loaded.tokenizer, item.request.generation.stop))
        for item in group
    ]
    prompts = prompts_of(loaded.model, group)
    for reply in replies:
        reply.encoded = time.monotonic() - reply.start
    waiting = iter([prompts])
    decode = Decode(
        loaded.model.decoder,
        lambda _: next(waiting, []),
        len(prompts),
        decoding_of(group[0].request.generation, loaded.generation),
    )
    for emission in decode:
        reply = replies[emission.row]
        reply.feed.add(emission.ids, emission.finish is not None)
        moment = emission.time - reply.start
        reply.first_token = moment if reply.first_token is None else reply.first_token
        if reply.feed.stopped:
            decode.end(emission.row)
        reply.end, reply.truncated = moment, emission.finish == "length" and not reply.feed.stopped
    said = [place for place, reply in enumerate(replies) if reply.feed.ids]
    silent = [place for place in range(len(group)) if place not in said]
    for place in silent:
        yield place, _response(replies[place], None, 0)
    if not said:
        return
    states = reply_states(loaded.model, [prompts[place] for place in said], [replies[place].feed.ids for place in said])
    seeds = [group[place].request.generation.seed for place in said]
    utterances = [Utterance(hidden, seed) for hidden, seed in zip(states, seeds, strict=True)]
    sounds = voice.speak(utterances, how_spoken(loaded, voice, longest_s))
    now = time.monotonic()
    for place, sound in zip(said, sounds, strict=True):
        replies[place].end = now - replies[place].start
        replies[place].first_code = sound.first - replies[place].start if sound.codes.numel() else None
        replies[place].truncated |= sound.finish == "length"
        wave = Waveform(sound.samples.numpy(), voice.sample_rate) if len(sound.samples) else None
        yield place, _response(replies[place], wave, sound.codes.numel())


def _response(reply: _Reply, speech: Waveform | None, codes: int) -> Response:
    return Response(
        reply.feed.text,
        speech,
        Timings(
            end=reply.end,
            encoded=reply.encoded,
            first_token=reply.first_token,
            first_audio_token=reply.first_code,
            first_audio=None if speech is None else reply.end,
            audio_s=None if speech is None else speech.seconds,
        ),
        Usage(reply.prompt_tokens, reply.feed.n_tokens, codes),
        truncated=reply.truncated,
    )


class NexusStream(AnswerStream):
    """The chunks of one answer, in text alone where there is no `voice`.

    Speech follows the text a token a step, so that the first sound comes long before a long answer's end.
    """

    def __init__(self, loaded: Loaded, ready: Ready, voice: Voice | None, longest_s: float) -> None:
        super().__init__(ready, TextFeed(loaded.tokenizer, ready.request.generation.stop))
        self._loaded, self._voice = loaded, voice
        self._codes = 0
        self._first_code: float | None = None
        if voice is not None:
            how = how_spoken(loaded, voice, longest_s)
            self._live = LiveCodes(voice.decoder, how, ready.request.generation.seed)
            self._sounds = VoiceStream(voice)

    def response(self) -> Response:
        return self._joined(Usage(self._ready.inputs.n_tokens, self._feed.n_tokens, self._codes), self._first_code)

    def _run(self) -> Iterator[Chunk]:
        (prompt,) = prompts_of(self._loaded.model, [self._ready])
        self._moments.encoded = self._now()
        waiting = iter([[prompt]])
        decoding = decoding_of(self._ready.request.generation, self._loaded.generation)
        speaks = self._voice is not None
        decode = Decode(self._loaded.model.decoder, lambda _: next(waiting, []), 1, decoding, keep_states=speaks)
        told = 0  # tokens whose states the speech decoder has
        for emission in decode:
            new = self._feed.add(emission.ids, emission.finish is not None)
            self._truncated = emission.finish == "length" and not self._feed.stopped
            if self._moments.first_token is None:
                self._moments.first_token = emission.time - self._start
            if self._feed.stopped:
                decode.end(emission.row)
            if new:
                yield Chunk(self._now(), new)
            if speaks and len(states := decode.states(emission.row)[told : len(self._feed.ids)]):
                told += len(states)
                yield from self._speak(self._live.push(states))
        if speaks and self._feed.ids:
            if told < len(self._feed.ids):  # the last token, which was not read
                (states,) = reply_states(self._loaded.model, [prompt], [self._feed.ids])
                yield from self._speak(self._live.push(states[told:]))
            for piece in self._live.finish():
                yield from self._speak(piece)

    def _speak(self, codes: CodePiece | None) -> Iterator[Chunk]:
        if codes is None or self._voice is None:
            return
        if self._first_code is None and codes.codes.numel():
            self._first_code = codes.time
        self._codes += codes.codes.numel()
        self._truncated |= codes.finish == "length"
        sound = self._sounds.push(codes)
        if sound is not None and len(sound.samples):
            yield self._sound(sound.samples.numpy(), self._voice.sample_rate)
