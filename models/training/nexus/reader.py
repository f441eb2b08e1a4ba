"""Examples of the mini world as NEXUS-O reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

from harness.types import Message, Text
from models.nexus_o.omni import Inputs, Kind, Seen
from models.nexus_o.pictures import grid_of, image_size, patches
from models.training.examples import Example, Imagined
from models.training.nexus.samples import Sample, Script
from models.training.sights import Sights
from models.vita15.prompts import strip_state
from tasks.mini.drawing import SIZE


class NexusReader:
    """Implements `models.training.readers.Reader`, for text and square pictures, all of which give as many tokens.

    Answers have no mark in front, as those of VITA-1.5 have.
    """

    def __init__(self, script: Script) -> None:
        self.script, self.tokenizer = script, script.tokenizer
        config = script.config
        self.side = image_size(SIZE, SIZE, config.vision, config.pictures)
        self.grid = grid_of(self.side, 1, config.vision)
        language = config.language
        self.sights = Sights(self.tokenizer, self.grid.tokens, language.vocab_size, language.hidden_size)

    def pixels(self, image: Image) -> Tensor:
        """Patches [1, P, 3 * 2 * side^2]. Raises ValueError on a picture that is not square."""
        config = self.script.config
        side = image_size(image.height, image.width, config.vision, config.pictures)
        if side != self.side:
            raise ValueError(f"a picture of {image.width}x{image.height} becomes {side}, expected {self.side}")
        return patches([np.asarray(image.convert("RGB"))], side, config.vision)[None]

    def example(
        self,
        messages: Sequence[Message],
        pixels: Tensor | None = None,
        audio: Tensor | None = None,
        imagined: Imagined | None = None,
    ) -> Example:
        """Raises ValueError for speech and for imagined pictures, neither of which is read so."""
        if audio is not None or imagined is not None:
            raise ValueError("NEXUS-O's examples are of text and pictures")
        pictures = [] if pixels is None else [Seen(picture, self.grid) for picture in pixels]
        made = self.script.sample([_unmarked(message) for message in messages], pictures)
        return Example(made.inputs.ids, made.labels, pixels, axes=made.inputs.positions)

    def sample(self, example: Example) -> Sample:
        """An example as the model takes it."""
        pad = self.script.marks["<|image_pad|>"]
        kinds = torch.where(example.ids == pad, int(Kind.IMAGE), int(Kind.TEXT))
        pictures = () if example.pixels is None else tuple(Seen(picture, self.grid) for picture in example.pixels)
        assert example.axes is not None
        return Sample(Inputs(example.ids, kinds, example.axes, pictures), example.labels, example.units, example.spots)


def _unmarked(message: Message) -> Message:
    if message.role != "assistant":
        return message
    parts = (Text(strip_state(part.text)) if isinstance(part, Text) else part for part in message.parts)
    return replace(message, parts=tuple(parts))
