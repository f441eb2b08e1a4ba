"""What an endpoint sent, as a reply with what it took."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from harness.endpoints.patience import Garbled
from harness.types import Usage

CUT = ("length", "content_filter")
"""Reasons to end that leave a reply without its end."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`fault` says why no verdict can be read from the text, "" where it can; `usage` is None where it is not told."""

    text: str
    fault: str = ""
    usage: Usage | None = None


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Tokens(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Tokens | None = None


_DECODER = msgspec.json.Decoder(_Completion)
"""Made once: msgspec crashes where several threads are the first to decode a type."""


def reply(body: bytes) -> Reply:
    """Raises Garbled for anything but a chat completion with a choice."""
    try:
        completion = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(f"the reply is no chat completion: {str(error)[:200]}") from error
    if not completion.choices:
        raise Garbled("the reply has no choices")
    first, told = completion.choices[0], completion.usage
    usage = None if told is None else Usage(told.prompt_tokens or 0, told.completion_tokens or 0)
    text = first.message.content or ""
    if first.finish_reason in CUT:
        return Reply(text, f"the reply is cut off ({first.finish_reason})", usage)
    return Reply(text, "" if text.strip() else "the reply is empty", usage)
