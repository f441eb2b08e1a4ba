"""What an endpoint sends, whole or as a stream of events, as pieces of an answer."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from harness.endpoints.completions import Audio, Message, answered, decoded, paired, usage_of
from harness.endpoints.patience import Garbled
from harness.types import Usage, Waveform

EVENT = b"data:"
"""How the lines of a stream begin that hold anything."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
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


def whole(body: bytes) -> Piece:
    """A reply in one piece. Raises Garbled for anything but a chat completion with a choice."""
    completion = decoded(body)
    choice, message = answered(completion)
    message.content = paired(message.text)
    return _piece(message, choice.finish_reason or "stop", completion.usage, streamed=False)


def streamed(blocks: Iterable[bytes]) -> Iterator[Piece]:
    """The pieces of a stream of events; raises Garbled where it ends before the answer does.

    A character outside the basic plane may come in two halves, one at the end of a piece.
    """
    odd, half, ended = b"", "", False
    for data in _events(blocks):
        if data == b"[DONE]":
            ended = True
            break
        completion = decoded(data)
        if not completion.choices:
            yield Piece(usage=usage_of(completion.usage))
            continue
        choice = completion.choices[0]
        message = choice.delta or choice.message or Message()
        if message.audio is not None and message.audio.data:
            sound = odd + _unpacked(message.audio.data)
            odd = sound[len(sound) // 2 * 2 :]
            message.audio.data = base64.b64encode(sound[: len(sound) // 2 * 2]).decode()
        said = half + message.text
        half = said[-1:] if choice.finish_reason is None and "\ud800" <= said[-1:] <= "\udbff" else ""
        message.content = paired(said[: len(said) - len(half)])
        yield _piece(message, choice.finish_reason, completion.usage, streamed=True)
        ended = ended or choice.finish_reason is not None
    if not ended:
        raise Garbled("the stream ended before the answer did")


def _events(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each event. Lines end with CR, LF or both: JSON has neither, but may have other marks that end lines
    elsewhere."""
    rest = b""
    for block in blocks:
        *lines, rest = _LINE_END.split(rest + block)
        for line in lines:
            if line.startswith(EVENT):
                yield line[len(EVENT) :].strip()
    if rest.startswith(EVENT):
        yield rest[len(EVENT) :].strip()


def _piece(message: Message, reason: str | None, tokens: Any, streamed: bool) -> Piece:
    audio = message.audio or Audio()
    speech = _speech(_unpacked(audio.data), streamed) if audio.data else None
    text = message.text or audio.transcript or ""
    return Piece(text, speech, reason, message.refusal or "", usage_of(tokens), streamed)


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
