"""One answer as it is made: text as it is decoded, speech segment by segment close behind it.

The language model is paused while a segment is spoken, so the first sound comes after the first segment and not
after the whole answer. Speech does not depend on when its text arrived: the same answer in one piece sounds the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from harness.types import Chunk, Ready, Response, Timings, Usage, Waveform
from models.decoding import Decode, Prompt
from models.vita15.answering import prompts_of
from models.vita15.checkpoint import Loaded
from models.vita15.generation import TextFeed, decoding_of
from models.vita15.processor import ModelInputs
from models.vita15.speech_checkpoint import SpeechModels
from models.vita15.speech_config import Sampling
from models.vita15.speech_stream import ChunkedVocoder, SpeechSession, SpeechSynthesizer
from models.vita15.tts_text import SegmentBuffer


def synthesizer(loaded: Loaded, speech: SpeechModels, sampling: Sampling) -> SpeechSynthesizer:
    """The speech side on top of the language model's tokenizer and input embeddings."""
    tokenize, embed = loaded.tokenizer.encode, loaded.model.model.embed_tokens
    return SpeechSynthesizer(speech.decoder, ChunkedVocoder(speech.codec), tokenize, embed, sampling)


@dataclass
class _Moments:
    """Seconds since the request was handed over."""

    encoded: float | None = None
    first_token: float | None = None
    first_audio: float | None = None


class AnswerStream(Iterator[Chunk]):
    """The chunks of one answer; `response()` is what they make up, once they are exhausted.

    Raises `SpeechError` while iterating when speech is asked for and there is nothing to say.
    """

    def __init__(self, loaded: Loaded, ready: Ready, speaker: SpeechSynthesizer | None) -> None:
        self._start = time.monotonic() - ready.prepare_s
        self._loaded, self._ready = loaded, ready
        self._inputs: ModelInputs = ready.inputs
        self._generation = ready.request.generation
        self._feed = TextFeed(loaded.tokenizer, self._generation.stop)
        self._session = None
        if speaker is not None:
            config = speaker.vocoder.codec.config
            self._rate, self._hop = config.sample_rate, config.hop
            device = speaker.decoder.embedding.weight.device
            self._session = SpeechSession(speaker, torch.Generator(device).manual_seed(self._generation.seed))
        self._moments = _Moments()
        self._made: list[Chunk] = []
        self._truncated = False
        self._chunks = self._run()

    def __next__(self) -> Chunk:
        with torch.inference_mode():  # entered for each piece: a generator must not hold it while it is paused
            chunk = next(self._chunks)
        self._made.append(chunk)
        return chunk

    def response(self) -> Response:
        pieces = [chunk for chunk in self._made if chunk.speech is not None]
        speech, moments = _joined(pieces), self._moments
        first_code = self._session.first_code if self._session else None
        timings = Timings(
            end=self._made[-1].at if self._made else self._now(),
            encoded=moments.encoded,
            first_token=moments.first_token,
            first_audio_token=None if first_code is None else first_code - self._start,
            first_audio=moments.first_audio,
            audio_s=None if speech is None else speech.seconds,
            first_chunk_s=pieces[0].speech.seconds if pieces and pieces[0].speech else None,
            underruns=underruns(pieces) if pieces else None,
        )
        codes = 0 if speech is None else len(speech.samples) // self._hop
        raw, text = self._feed.raw, self._feed.text
        return Response(
            text,
            speech,
            timings,
            Usage(self._inputs.n_tokens, self._feed.n_tokens, codes),
            raw_text=raw if raw != text else None,
            truncated=self._truncated,
        )

    def _run(self) -> Iterator[Chunk]:
        segments = SegmentBuffer()
        for emission in (decode := self._decode()):
            new = self._feed.add(emission.ids, emission.finish is not None)
            final = emission.finish is not None or self._feed.stopped
            self._truncated = emission.finish == "length" and not self._feed.stopped
            if self._moments.first_token is None:
                self._moments.first_token = emission.time - self._start
            if final:
                decode.end(emission.row)
            if new:
                yield Chunk(self._now(), new)
            if self._session is not None:
                for segment in [*segments.add(new), *(segments.finish() if final else ())]:
                    yield from self._speak(self._session, segment)
        if self._session is not None:
            self._session.finish(self._feed.text)

    def _decode(self) -> Decode:
        def supply(count: int) -> list[Prompt]:
            if self._moments.encoded is not None:
                return []
            (prompt,) = prompts_of(self._loaded, [self._ready])
            self._moments.encoded = self._now()
            return [prompt]

        return Decode(self._loaded.model, supply, 1, decoding_of(self._generation, self._loaded.generation))

    def _speak(self, session: SpeechSession, segment: str) -> Iterator[Chunk]:
        for piece in session.say(segment):
            samples = piece.samples.numpy()
            if self._moments.first_audio is None:
                self._moments.first_audio = self._now()
            yield Chunk(self._now(), speech=Waveform(samples, self._rate))

    def _now(self) -> float:
        return time.monotonic() - self._start


def underruns(pieces: Sequence[Chunk]) -> int:
    """How many pieces came after all before them had been played, playing from the first one's arrival."""
    late, played_until = 0, float("inf")
    for piece in pieces:
        if piece.speech is None:
            continue
        late += piece.at > played_until
        begins = piece.at if played_until == float("inf") else max(piece.at, played_until)
        played_until = begins + piece.speech.seconds
    return late


def _joined(pieces: Sequence[Chunk]) -> Waveform | None:
    waves = [piece.speech for piece in pieces if piece.speech is not None]
    return Waveform(np.concatenate([wave.samples for wave in waves]), waves[0].rate) if waves else None
