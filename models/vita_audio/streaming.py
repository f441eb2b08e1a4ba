"""One answer as it is made: text as it is decoded, speech as its segments end (spec section 4)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.types import Chunk, Ready, Response, Usage
from models.generation import decoding_of
from models.streams import AnswerStream
from models.vita_audio.answerer import Answerer
from models.vita_audio.answering import prompts_of
from models.vita_audio.cascade import CascadeDecode
from models.vita_audio.chunks import Policy
from models.vita_audio.processor import MtpInputs
from models.vita_audio.replies import Reply
from models.vita_audio.voice import Voice
from models.vita_audio.voice_stream import VoiceStream, WavePiece


class MtpStream(AnswerStream):
    """The chunks of one answer, in text alone where there is no `voice`; `policy` says when speech is made.

    Raises SampleError while iterating on a token that is neither text nor a code, where it is to speak.
    """

    def __init__(self, answerer: Answerer, ready: Ready, voice: Voice | None, policy: Policy) -> None:
        self._reply = Reply.begin(answerer.tokenizer, answerer.tokens, ready.request.generation.stop, voice is not None)
        super().__init__(ready, self._reply.feed)
        self._answerer = answerer
        self._inputs: MtpInputs = ready.inputs
        self._session = None if voice is None else VoiceStream(voice, policy)
        self._rate = 0 if voice is None else voice.sample_rate
        self._first_code: float | None = None

    def response(self) -> Response:
        usage = Usage(self._inputs.n_tokens, self._reply.n_tokens, len(self._reply.codes))
        return self._joined(usage, self._first_code)

    def _run(self) -> Iterator[Chunk]:
        prompts = prompts_of(self._answerer, [self._ready])
        self._moments.encoded = self._now()
        decoding = decoding_of(self._ready.request.generation, self._answerer.generation)
        decode = CascadeDecode(self._answerer.model, prompts, decoding, self._answerer.mode)
        for emission in decode:
            text, speech = self._reply.add(emission.ids, emission.finish is not None)
            self._truncated = emission.finish == "length" and not self._reply.feed.stopped
            if self._moments.first_token is None:
                self._moments.first_token = emission.time - self._start
            if self._reply.feed.stopped:
                decode.end(emission.row)
            if text:
                yield Chunk(self._now(), text)
            if self._first_code is None and any(code is not None for code in speech):
                self._first_code = emission.time
            yield from self._speak(speech)
        if self._session is not None:
            yield from self._played(self._session.finish())

    def _speak(self, speech: list[int | None]) -> Iterator[Chunk]:
        if self._session is None:
            return
        for code in speech:
            yield from self._played(self._session.end_segment() if code is None else self._session.code(code))

    def _played(self, piece: WavePiece | None) -> Iterator[Chunk]:
        if piece is not None and len(piece.samples):
            yield self._sound(piece.samples.numpy(), self._rate)
