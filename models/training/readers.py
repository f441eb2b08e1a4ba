"""How conversations and pictures become what a model reads: what makes examples asks this, and knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PIL.Image import Image
from torch import Tensor

from harness.types import Message
from models.text.tokenizer import QwenTokenizer
from models.training.examples import Example, Imagined, example
from models.training.sights import Sights
from models.vita15.config import Vita15Config
from models.vita15.image_processing import preprocess


class Reader(Protocol):
    @property
    def tokenizer(self) -> QwenTokenizer: ...

    @property
    def sights(self) -> Sights: ...

    def pixels(self, image: Image) -> Tensor:
        """A picture as the vision tower takes it, [1, ...]; several are put one behind the other."""
        ...

    def example(
        self,
        messages: Sequence[Message],
        pixels: Tensor | None = None,
        audio: Tensor | None = None,
        imagined: Imagined | None = None,
    ) -> Example:
        """A conversation that ends with the assistant, whose answers are learnt."""
        ...


class VitaReader:
    """VITA-1.5 of a size."""

    def __init__(self, config: Vita15Config, tokenizer: QwenTokenizer) -> None:
        self.config, self.tokenizer = config, tokenizer
        language = config.language
        self.sights = Sights(tokenizer, config.tokens_per_tile, language.vocab_size, language.hidden_size)

    def pixels(self, image: Image) -> Tensor:
        """[1, 3, H, W]."""
        return preprocess([image], self.config.vision.image_size, self.config.image_aspect_ratio)

    def example(
        self,
        messages: Sequence[Message],
        pixels: Tensor | None = None,
        audio: Tensor | None = None,
        imagined: Imagined | None = None,
    ) -> Example:
        return example(messages, self.tokenizer, pixels, audio, imagined)
