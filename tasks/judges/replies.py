"""What an endpoint sent, as a reply with what it took."""

from __future__ import annotations

from dataclasses import dataclass

from harness.endpoints.completions import answered, decoded, paired, usage_of
from harness.types import Usage

CUT = ("length", "content_filter")
"""Reasons to end that leave a reply without its end."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`fault` says why no verdict can be read from the text, "" where it can; `usage` is None where it is not told."""

    text: str
    fault: str = ""
    usage: Usage | None = None


def reply(body: bytes) -> Reply:
    """Raises Garbled for anything but a chat completion with a choice."""
    completion = decoded(body)
    choice, message = answered(completion)
    text, usage = paired(message.text), usage_of(completion.usage)
    if choice.finish_reason in CUT:
        return Reply(text, f"the reply is cut off ({choice.finish_reason})", usage)
    return Reply(text, "" if text.strip() else "the reply is empty", usage)
