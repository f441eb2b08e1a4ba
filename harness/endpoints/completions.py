"""The body of a chat completion as servers send it, whole or as an event of a stream.

What is beside the answer, as its usage, may be told in any way or not at all: the answer is as good.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from harness.endpoints.patience import Garbled
from harness.types import Usage


class Audio(msgspec.Struct):
    data: str | None = None
    transcript: str | None = None


class Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class Message(msgspec.Struct):
    content: str | list[Part] | None = None
    """Some servers send an answer in parts, thoughts among them, which are no answer."""
    refusal: str | None = None
    audio: Audio | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content if part.type == "text")
        return self.content or ""


class Choice(msgspec.Struct):
    message: Message | None = None
    delta: Message | None = None
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(Completion)
"""Made once: msgspec crashes where several threads are the first to decode a type."""


def decoded(body: bytes) -> Completion:
    """Raises Garbled for anything but a chat completion, and for an error in its place."""
    try:
        completion = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if rb"\ud" not in body.lower():
            raise Garbled(f"the reply is no chat completion: {str(error)[:200]}") from error
        completion = _with_halves(body)
    if completion.error is not None:
        raise Garbled(f"the reply is an error: {str(completion.error)[:300]}")
    return completion


def answered(completion: Completion) -> tuple[Choice, Message]:
    """The first choice and its message. Raises Garbled where there is none."""
    if not completion.choices or completion.choices[0].message is None:
        raise Garbled("the reply has no choices")
    return completion.choices[0], completion.choices[0].message


def paired(text: str) -> str:
    """A text whose surrogate pairs are characters; half a pair is U+FFFD."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def usage_of(told: Any) -> Usage | None:
    """What an answer took; None where that is told by half, or as no number."""
    read, written = _count(told, "prompt_tokens"), _count(told, "completion_tokens")
    if read is None or written is None:
        return None
    spoken = _count(told.get("completion_tokens_details"), "audio_tokens") or 0
    return Usage(read, max(0, written - spoken), spoken)


def _count(told: Any, name: str) -> int | None:
    value = told.get(name) if isinstance(told, dict) else None
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else None


def _with_halves(body: bytes) -> Completion:
    """What msgspec refuses: half a surrogate pair, which JSON may hold and text may not."""
    try:
        return msgspec.convert(json.loads(body), Completion)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"the reply is no chat completion: {str(error)[:200]}") from error
