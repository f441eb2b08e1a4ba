"""One answer as it is made: text as it is decoded, speech segment by segment close behind it.

The language model is paused while a segment is spoken, so the first sound comes after the first segment and not
after the whole answer. Speech does not depend on when its text arrived: the same answer in one piece sounds the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.types import Chunk, Ready, Response, Usage
from models.decoding import Decode, Prompt
from models.generation import decoding_of
from models.streams import AnswerStream
from models.text.feed import TextFeed
from models.vita15.answering import prompts_of
from models.vita15.checkpoint import Loaded
from models.vita15.processor import ModelInputs
from models.vita15.prompts import strip_state
from models.vita15.speech_checkpoint import SpeechModels
from models.vita15.speech_config import Sampling
from models.vita15.speech_stream import ChunkedVocoder, SpeechSession, SpeechSynthesizer
from models.vita15.tts_text import SegmentBuffer


def synthesizer(loaded: Loaded, speech: SpeechModels, sampling: Sampling) -> SpeechSynthesizer:
    """The speech side on top of the language model's tokenizer and input embeddings."""
    tokenize, embed = loaded.tokenizer.encode, loaded.model.model.embed_tokens
    return SpeechSynthesizer(speech.decoder, ChunkedVocoder(speech.codec), tokenize, embed, sampling)


class SpokenStream(AnswerStream):
    """The chunks of one answer, in text alone where there is no `speaker`.

    Raises `SpeechError` while iterating when speech is asked for and there is nothing to say.
    """

    def __init__(self, loaded: Loaded, ready: Ready, speaker: SpeechSynthesizer | None) -> None:
        self._generation = ready.request.generation
        super().__init__(ready, TextFeed(loaded.tokenizer, self._generation.stop, strip_state))
        self._loaded = loaded
        self._inputs: ModelInputs = ready.inputs
        self._session = None
        self._codes = 0
        if speaker is not None:
            self._rate = speaker.vocoder.codec.config.sample_rate
            device = speaker.decoder.embedding.weight.device
            self._session = SpeechSession(speaker, torch.Generator(device).manual_seed(self._generation.seed))

    def response(self) -> Response:
        usage = Usage(self._inputs.n_tokens, self._feed.n_tokens, self._codes)
        return self._joined(usage, self._session.first_code if self._session else None)

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
            self._codes += len(piece.codes)
            yield self._sound(piece.samples.numpy(), self._rate)
