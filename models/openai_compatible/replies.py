"""What an endpoint sends, whole or as a stream of events, as pieces of an answer."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import soundfile

from harness.endpoints.patience import Garbled
from harness.types import Usage, Waveform

PCM_RATE = 24_000
"""Hz of streamed speech, 16 bits a sample (OpenAI's `pcm16`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """`reason` is why the answer ended, None before; `refusal` is what a model says instead of an answer; `streamed`
    says that it came when it was made."""

    text: str = ""
    speech: Waveform | None = None
    reason: str | None = None
    refusal: str = ""
    usage: Usage | None = None
    streamed: bool = False


class _Audio(msgspec.Struct):
    data: str | None = None
    transcript: str | None = None


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    """Some servers send an answer in parts, thoughts among them, which are no answer."""
    refusal: str | None = None
    audio: _Audio | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content if part.type == "text")
        return self.content or ""


class _Choice(msgspec.Struct):
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Completion)
"""Made once: msgspec crashes where several threads are the first to decode a type."""


def whole(body: bytes) -> Piece:
    """A reply in one piece. Raises Garbled for anything but a chat completion with a choice."""
    completion = _decoded(body)
    if not completion.choices or completion.choices[0].message is None:
        raise Garbled("the reply has no choices")
    choice = completion.choices[0]
    assert choice.message is not None
    choice.message.content = _paired(choice.message.text)
    return _piece(choice.message, choice.finish_reason or "stop", completion.usage, streamed=False)


def streamed(blocks: Iterable[bytes]) -> Iterator[Piece]:
    """The pieces of a stream of events; raises Garbled where it ends before the answer does.

    A character outside the basic plane may come in two halves, one at the end of a piece.
    """
    odd, half, ended = b"", "", False
    for data in _events(blocks):
        if data == b"[DONE]":
            break
        completion = _decoded(data)
        if not completion.choices:
            yield Piece(usage=_usage(completion.usage))
            continue
        choice = completion.choices[0]
        message = choice.delta or choice.message or _Message()
        if message.audio is not None and message.audio.data:
            sound = odd + _unpacked(message.audio.data)
            odd = sound[len(sound) // 2 * 2 :]
            message.audio.data = base64.b64encode(sound[: len(sound) // 2 * 2]).decode()
        said = half + message.text
        half = said[-1:] if choice.finish_reason is None and "\ud800" <= said[-1:] <= "\udbff" else ""
        message.content = _paired(said[: len(said) - len(half)])
        yield _piece(message, choice.finish_reason, completion.usage, streamed=True)
        ended = ended or choice.finish_reason is not None
    if not ended:
        raise Garbled("the stream ended before the answer did")


def _events(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each event. Lines end with LF alone: JSON may hold other marks that end lines elsewhere."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()
    if rest.startswith(b"data:"):
        yield rest[5:].strip()


def _decoded(body: bytes) -> _Completion:
    try:
        completion = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if rb"\ud" not in body.lower():
            raise Garbled(f"the reply is no chat completion: {str(error)[:200]}") from error
        completion = _with_halves(body)
    if completion.error is not None:
        raise Garbled(f"the reply is an error: {str(completion.error)[:300]}")
    return completion


def _with_halves(body: bytes) -> _Completion:
    """What msgspec refuses: half a surrogate pair, which JSON may hold and text may not."""
    try:
        return msgspec.convert(json.loads(body), _Completion)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"the reply is no chat completion: {str(error)[:200]}") from error


def _paired(text: str) -> str:
    """A text whose surrogate pairs are characters; half a pair is U+FFFD."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _piece(message: _Message, reason: str | None, tokens: Any, streamed: bool) -> Piece:
    audio = message.audio or _Audio()
    speech = _speech(_unpacked(audio.data), streamed) if audio.data else None
    text = message.text or audio.transcript or ""
    return Piece(text, speech, reason, message.refusal or "", _usage(tokens), streamed)


def _usage(told: Any) -> Usage | None:
    """What an answer took; None where that is told by half, or as no number: the answer is as good."""
    read, written = _count(told, "prompt_tokens"), _count(told, "completion_tokens")
    if read is None or written is None:
        return None
    spoken = _count(told.get("completion_tokens_details"), "audio_tokens") or 0
    return Usage(read, max(0, written - spoken), spoken)


def _count(told: Any, name: str) -> int | None:
    value = told.get(name) if isinstance(told, dict) else None
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else None


def _unpacked(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Garbled(f"the reply's speech is no base64: {error}") from error


def _speech(sound: bytes, streamed: bool) -> Waveform:
    """Samples of a stream, or of a file of sound, whose channels are mixed."""
    if streamed:
        return Waveform(np.frombuffer(sound, "<i2").astype(np.float32) / 32768, PCM_RATE)
    try:
        samples, rate = soundfile.read(io.BytesIO(sound), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise Garbled(f"the reply's speech cannot be decoded: {error}") from error
    return Waveform(np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32)), int(rate))
