"""Conversations as VITA-1.5 reads them: the chat template, the system prompt and the places of media.

Facts from the reference implementation: template `qwen2p5_instruct`, one system prompt by modality, each
picture as `<image>` once a tile and a newline, speech as `<audio>`; text is cut at the places of media and
each piece is tokenised on its own. A first character of an answer tells what the model took its input for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from harness.types import Media, Message, Text
from models.vita15.omni import AUDIO, IMAGE

IMAGE_MARK = "<image>"
AUDIO_MARK = "<audio>"
STATE_MARKS = "☞☟☜"  # an answer to speech, to noise or speech not meant for it, to text

SYSTEM = (
    "You are an AI robot and your name is VITA. \n"
    "- You are a multimodal large language model developed by the open source community. "
    "Your aim is to be helpful, honest and harmless. \n"
    "- You support the ability to communicate fluently and answer user questions in multiple languages of the "
    "user's choice. \n"
    "- If the user corrects the wrong answer you generated, you will apologize and discuss the correct answer with "
    "the user."
)
_SEEING = (
    " \n- You must answer the question strictly according to the content of the {seen} given by the user, and it is "
    "strictly forbidden to answer the question without the content of the {seen}. Please note that you are seeing "
    "the {seen}, not the {other}."
)

Piece = str | int
"""A run of text, or the place of a medium: IMAGE or AUDIO."""


class Encoder(Protocol):
    def encode(self, text: str) -> list[int]: ...


def system_prompt(messages: Sequence[Message]) -> str:
    """The system prompt of a conversation: the video's if it shows a video, else the image's, else the plain one."""
    kinds = {part.kind for message in messages for part in message.parts if isinstance(part, Media)}
    if "video" in kinds:
        return SYSTEM + _SEEING.format(seen="video", other="image")
    if "image" in kinds:
        return SYSTEM + _SEEING.format(seen="image", other="video")
    return SYSTEM


def conversation(messages: Sequence[Message], places: Sequence[int]) -> list[Piece]:
    """A conversation with `places[i]` places for its i-th medium (tiles, frames, or 1 for speech).

    The answer is left open after a user's message; a last message of the assistant is closed, as in training.
    A system message replaces the built-in prompt. Neighbouring text is one piece.
    """
    counts = iter(places)
    pieces: list[Piece] = []
    if not messages or messages[0].role != "system":
        pieces.append(f"<|im_start|>system\n{system_prompt(messages)}<|im_end|>\n")
    for index, message in enumerate(messages):
        pieces.append(f"<|im_start|>{message.role}\n")
        pieces += _content(message, counts)
        pieces.append("<|im_end|>" if index == len(messages) - 1 else "<|im_end|>\n")
    if not messages or messages[-1].role != "assistant":
        pieces.append("\n<|im_start|>assistant\n")
    return _joined(pieces)


def as_text(pieces: Sequence[Piece]) -> str:
    """The prompt as one string, places written as the marks of the reference implementation."""
    marks = {IMAGE: IMAGE_MARK, AUDIO: AUDIO_MARK}
    return "".join(piece if isinstance(piece, str) else marks[piece] for piece in pieces)


def tokenise(pieces: Sequence[Piece], tokenizer: Encoder) -> list[int]:
    """Token ids with IMAGE and AUDIO in the places of media; each run of text is encoded on its own."""
    ids: list[int] = []
    for piece in pieces:
        ids += tokenizer.encode(piece) if isinstance(piece, str) else [piece]
    return ids


def strip_state(answer: str) -> str:
    """An answer without its state mark, the first character if it is one of STATE_MARKS."""
    return answer[1:] if answer[:1] and answer[0] in STATE_MARKS else answer


def _content(message: Message, counts: Iterator[int]) -> list[Piece]:
    """Pictures first, then text and speech in their order; a newline after each picture and each text but the last."""
    pictures: list[Piece] = []
    rest: list[Piece] = []
    for part in message.parts:
        if isinstance(part, Text):
            if part.text:
                rest += ["\n", part.text] if rest and isinstance(rest[-1], str) else [part.text]
        elif part.kind == "audio":
            next(counts)
            rest += ["\n", AUDIO] if rest and isinstance(rest[-1], str) else [AUDIO]
        else:
            pictures += [*[IMAGE] * next(counts), "\n"]
    return pictures + rest


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
