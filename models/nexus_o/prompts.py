"""Conversations as NEXUS-O reads them: Qwen's chat template with marks around pictures and audio (spec section 1.4).

Content stands in the order in which it is given. The marks of pictures are Qwen2.5-VL's, those of audio Qwen2-Audio's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from harness.types import MediaKind, Message, Text
from models.nexus_o.choices import Choices
from models.nexus_o.omni import Kind
from models.nexus_o.positions import Grid, Run
from models.text.tokenizer import QwenTokenizer

SYSTEM = "You are a helpful assistant."
AUDIO_TOKENS = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
MARKS: Mapping[MediaKind, tuple[str, str, str]] = {
    "image": ("<|vision_start|>", "<|image_pad|>", "<|vision_end|>"),
    "video": ("<|vision_start|>", "<|video_pad|>", "<|vision_end|>"),
    "audio": ("<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"),
}
"""What stands before a medium, in each of its places, and behind it."""
KINDS: Mapping[MediaKind, Kind] = {"image": Kind.IMAGE, "video": Kind.VIDEO, "audio": Kind.AUDIO}


@dataclass(frozen=True)
class Place:
    """Where the next medium stands."""

    kind: MediaKind


class Assembled(NamedTuple):
    """`ids` and `kinds` int64 [S]; `spans` are the parts by which positions go on."""

    ids: Tensor
    kinds: Tensor
    spans: list[Run | Grid]


def conversation(messages: Sequence[Message]) -> list[str | Place]:
    """A conversation as runs of text and places of media; neighbouring text is one piece.

    The answer is left open after a user's message; a last message of the assistant is closed, as in training. Without
    a system message there is the template's own.
    """
    pieces: list[str | Place] = []
    if not messages or messages[0].role != "system":
        pieces.append(f"<|im_start|>system\n{SYSTEM}<|im_end|>\n")
    for message in messages:
        pieces.append(f"<|im_start|>{message.role}\n")
        pieces += [part.text if isinstance(part, Text) else Place(part.kind) for part in message.parts]
        pieces.append("<|im_end|>\n")
    if not messages or messages[-1].role != "assistant":
        pieces.append("<|im_start|>assistant\n")
    joined: list[str | Place] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def as_text(pieces: Sequence[str | Place]) -> str:
    """The prompt as one string, with one placeholder a medium."""
    return "".join(piece if isinstance(piece, str) else "".join(MARKS[piece.kind]) for piece in pieces)


def mark_ids(tokenizer: QwenTokenizer, choices: Choices) -> dict[str, int]:
    """The id of every mark: the tokenizer's, and where it does not know those of audio, the ones that were chosen.

    Raises ValueError where the chosen ids are the tokenizer's own for something else, or it has no marks of pictures.
    """
    ids: dict[str, int] = {}
    for name in {mark for marks in MARKS.values() for mark in marks} - {*AUDIO_TOKENS}:
        try:
            ids[name] = tokenizer.id_of(name)
        except KeyError:
            raise ValueError(f"the tokenizer has no token {name}: it is none of Qwen2.5-VL") from None
    try:
        return ids | {name: tokenizer.id_of(name) for name in AUDIO_TOKENS}
    except KeyError:
        first = choices.audio_first_id
    if first < len(tokenizer):
        raise ValueError(
            f"audio_first_id is {first}, which the tokenizer has for another token: expected {len(tokenizer)} or more"
        )
    return ids | {name: first + place for place, name in enumerate(AUDIO_TOKENS)}


def assemble(
    pieces: Sequence[str | Place],
    media: Sequence[Run | Grid],
    tokenizer: QwenTokenizer,
    marks: Mapping[str, int],
    around: bool = True,
) -> Assembled:
    """Token ids of a prompt; `media[i]` says how many tokens its i-th medium has, and how they stand.

    `around`: with the marks before and behind each medium. Raises ValueError on text that cannot be encoded.
    """
    spans: list[Run | Grid] = []
    ids: list[int] = []
    kinds: list[int] = []
    waiting = iter(media)
    for piece in pieces:
        if isinstance(piece, str):
            own = tokenizer.encode(piece)
            spans.append(Run(len(own)))
            ids += own
            kinds += [Kind.TEXT] * len(own)
            continue
        span = next(waiting)
        start, pad, end = (marks[mark] for mark in MARKS[piece.kind])
        before, behind = ([start], [end]) if around else ([], [])
        spans += [Run(len(before)), span, Run(len(behind))]
        ids += [*before, *[pad] * span.tokens, *behind]
        kinds += [*[Kind.TEXT] * len(before), *[KINDS[piece.kind]] * span.tokens, *[Kind.TEXT] * len(behind)]
    return Assembled(torch.tensor(ids, dtype=torch.long), torch.tensor(kinds, dtype=torch.long), spans)
