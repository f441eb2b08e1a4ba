"""Conversations as VITA-Audio reads them: ChatML without a system prompt of its own (spec section 7).

A recording has the place of the tag `<|audio|>`, where its codes stand (the plain models) or as many places as the
encoder gives vectors (Plus), between the marks that begin and end audio. Text is cut at these places and each run
encoded by itself, which gives the ids of the whole, because a tokenizer cuts at added tokens first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from harness.failures import SampleError
from harness.types import Message, Text
from models.vita_audio.tokens import TAG, SpecialTokens

ANSWER = "<|im_start|>assistant\n"
VOICE = ("Speaker Metadata:\nAudio: ", "\n")
"""Around a recording of the voice to speak in: the system turn of the Seed-TTS run."""


class Encoder(Protocol):
    def encode(self, text: str) -> list[int]: ...


class Prompt(NamedTuple):
    """Token ids, and where in them the content of each recording is, between its marks."""

    ids: list[int]
    places: list[range]


def conversation(messages: Sequence[Message], voice: bool = False) -> list[str]:
    """The runs of text before, between and after the recordings of a conversation: one more than there are.

    Parts of a message stand on lines of their own, but a text that ends in a newline gets no second one. With `voice`
    a recording of the voice to speak in comes first, in a system turn. The answer is left open behind a user's
    message. Raises SampleError on pictures and videos.
    """
    runs = [""]
    if voice:
        before, after = VOICE
        runs = [f"<|im_start|>system\n{before}", f"{after}<|im_end|>\n"]
    for message in messages:
        runs[-1] += f"<|im_start|>{message.role}\n"
        _add(runs, message)
        runs[-1] += "<|im_end|>\n"
    if not messages or messages[-1].role != "assistant":
        runs[-1] += ANSWER
    return runs


def as_text(runs: Sequence[str]) -> str:
    """The prompt as one string, recordings written as their tag."""
    return TAG.join(runs)


def codes_content(codes: Sequence[int], tokens: SpecialTokens) -> list[int]:
    """What stands for a recording in the plain models: its codes. Raises ValueError on a code without a token."""
    return [tokens.token_of(code) for code in codes]


def context_content(vectors: int, tokens: SpecialTokens) -> list[int]:
    """What stands for a recording in Plus: a place for each of the encoder's vectors."""
    if tokens.context_of_audio is None:
        raise ValueError("the tokenizer has no token <|context_of_audio|>: it is not one of a Plus model")
    return [tokens.context_of_audio] * vectors


def tokenise(
    runs: Sequence[str], recordings: Sequence[Sequence[int]], encoder: Encoder, tokens: SpecialTokens
) -> Prompt:
    """The ids of a conversation's runs with the content of its recordings between them."""
    if len(runs) != len(recordings) + 1:
        raise ValueError(f"{len(recordings)} recordings for {len(runs) - 1} places")
    ids, places = encoder.encode(runs[0]), []
    for content, run in zip(recordings, runs[1:], strict=True):
        start = len(ids) + 1
        places.append(range(start, start + len(content)))
        ids += [tokens.begin_of_audio, *content, tokens.end_of_audio, *encoder.encode(run)]
    return Prompt(ids, places)


def _add(runs: list[str], message: Message) -> None:
    """Put a message's parts behind the last run."""
    before: str | None = None
    """What the part before was: a text, or "" for a recording."""
    for part in message.parts:
        if isinstance(part, Text) and not part.text:
            continue
        if before is not None and not before.endswith("\n"):
            runs[-1] += "\n"
        if isinstance(part, Text):
            runs[-1] += part.text
            before = part.text
        elif part.kind == "audio":
            runs.append("")
            before = ""
        else:
            raise SampleError(f"VITA-Audio hears and reads, it takes no {part.kind}", "unsupported")
