"""One training example: a conversation with the media that it shows, and which of its tokens are to be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from harness.types import Media, Message, Part, Text
from models.vita15.omni import IGNORE, OmniBatch
from models.vita15.prompts import Encoder, conversation, tokenise

PICTURE, CLIP, SPEECH = Media("image", ""), Media("video", ""), Media("audio", "")
"""Places of an example's media in its messages."""

NOTHING = torch.empty(0, dtype=torch.long)


class Imagined(NamedTuple):
    """Pictures as the language model alone can have them: names in the places of what they show, and noise."""

    words: Tensor  # int64 [tiles, tokens per tile, k]: a token points where the sum of its k names does
    shown: Tensor  # bool [tiles, tokens per tile]: where there is anything but noise
    noise: Tensor  # [tiles, tokens per tile, D], of the embeddings' length times this


class Example(NamedTuple):
    ids: Tensor  # int64 [n], with IMAGE and AUDIO as places
    labels: Tensor  # int64 [n]: the assistant's tokens, IGNORE elsewhere
    pixels: Tensor | None = None  # [pictures or frames, 3, H, W]
    imagined: Imagined | None = None  # in place of pixels
    audio: Tensor | None = None  # filter banks [T, mel]
    units: Tensor = NOTHING  # int64 [m]: the tokens that are spoken, for CTC, or that name what the picture shows
    spots: Tensor | None = None  # bool [m, tokens per tile]: where the picture shows each; None: somewhere
    axes: Tensor | None = None  # int64 [3, n]: positions, where they are more than counted


def user(*parts: Part | str) -> Message:
    return Message("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def assistant(text: str) -> Message:
    return Message("assistant", (Text(text),))


def example(
    messages: Sequence[Message],
    tokenizer: Encoder,
    pixels: Tensor | None = None,
    audio: Tensor | None = None,
    imagined: Imagined | None = None,
) -> Example:
    """A conversation that ends with the assistant, tokenised as the model reads it when it is asked.

    `pixels` or what is imagined in place of them are of its pictures, one each, or of the frames of its only clip.
    """
    media = [part for message in messages for part in message.parts if isinstance(part, Media)]
    tiles = len(pixels) if pixels is not None else len(imagined.words) if imagined is not None else 1
    places = [tiles if part == CLIP else 1 for part in media]
    ids: list[int] = []
    labels: list[int] = []
    for turn, message in enumerate(messages):
        if message.role == "assistant":
            asked = tokenise(conversation(messages[:turn], places), tokenizer)
            ids = tokenise(conversation(messages[: turn + 1], places), tokenizer)
            labels += [IGNORE] * (len(asked) - len(labels)) + ids[len(asked) :]
    return Example(torch.tensor(ids), torch.tensor(labels), pixels, imagined, audio)


def collate(examples: Sequence[Example]) -> OmniBatch:
    """Examples side by side; filter banks are padded on the right to the longest."""
    pixels = [example.pixels for example in examples if example.pixels is not None]
    clips = [example.audio for example in examples if example.audio is not None]
    return OmniBatch(
        [example.ids for example in examples],
        torch.cat(pixels) if pixels else None,
        audio=pad_sequence(clips, batch_first=True) if clips else None,
        audio_lengths=torch.tensor([len(clip) for clip in clips]) if clips else None,
    )
