"""How long a prompt is, from the sizes of its media, and how finely they are cut so that it fits.

A prompt has a budget (6200 positions in the release). The reference implementation cuts what is beyond it, which is
the end: the question. Here pictures give way instead: fewer tiles an image, then fewer frames a video; a prompt that
is too long even so is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from harness.failures import SampleError
from harness.media import Extent
from harness.media.frames import sampled
from harness.types import FrameRule, Media, Pictures, Request
from models.nn.kaldi import SAMPLE_RATE, num_fbank_frames
from models.vita15.audio_features import num_llm_tokens
from models.vita15.config import Vita15Config
from models.vita15.image_processing import choose_grid
from models.vita15.prompts import conversation
from models.vita15.video_frames import sample_frames

DEMO_TILES = 12  # most tiles an image where the benchmark names no number
MAX_FRAMES, MIN_FRAMES = 16, 4

Count = Callable[[str], int]
"""Tokens of a text."""


class Cuts(NamedTuple):
    """How finely pictures are cut: the most tiles an image, the most frames a video and the rule that picks them."""

    tiles: int = DEMO_TILES
    frames: int = MAX_FRAMES
    rule: FrameRule = "model"

    @classmethod
    def asked(cls, pictures: Pictures) -> Cuts:
        """What a request asks for, and the demo's where it asks for nothing."""
        return cls(pictures.max_tiles or DEMO_TILES, pictures.max_frames or MAX_FRAMES, pictures.frame_rule)


class Size(Protocol):
    """What is asked of a medium before anything of it is cut or decoded."""

    def places(self, cuts: Cuts) -> int:
        """Places in the prompt: tiles, frames, or 1 for speech."""

    def tokens(self, cuts: Cuts) -> int:
        """Embeddings in the prompt."""


@dataclass(frozen=True)
class ImageSize:
    width: int
    height: int
    tile: int
    tokens_per_tile: int

    def places(self, cuts: Cuts) -> int:
        columns, rows = choose_grid(self.width, self.height, 1, cuts.tiles, self.tile)
        return columns * rows + 1 if columns * rows > 1 else 1  # the thumbnail comes last

    def tokens(self, cuts: Cuts) -> int:
        return self.places(cuts) * self.tokens_per_tile

    def __str__(self) -> str:
        return f"image of {self.width}x{self.height}"


@dataclass(frozen=True)
class VideoSize:
    fps: float
    n_frames: int
    start_s: float | None
    end_s: float | None
    tokens_per_tile: int

    def indices(self, cuts: Cuts) -> list[int]:
        if cuts.rule != "model":
            return sampled(cuts.rule, self.n_frames, self.fps, cuts.frames, self.start_s, self.end_s)
        fewest = min(MIN_FRAMES, cuts.frames)
        return sample_frames(self.fps, self.n_frames, self.start_s, self.end_s, cuts.frames, fewest)

    def places(self, cuts: Cuts) -> int:
        return len(self.indices(cuts))

    def tokens(self, cuts: Cuts) -> int:
        return self.places(cuts) * self.tokens_per_tile

    def __str__(self) -> str:
        return f"video of {self.n_frames / self.fps:.3g} s"


@dataclass(frozen=True)
class SpeechSize:
    """`samples` at 16 kHz; `prompt_embeddings` are the learned vectors that stand before them."""

    samples: int
    prompt_embeddings: int = 0

    def places(self, cuts: Cuts) -> int:
        return 1

    def tokens(self, cuts: Cuts) -> int:
        return self.prompt_embeddings + num_llm_tokens(num_fbank_frames(self.samples))

    def __str__(self) -> str:
        return f"audio of {self.samples / SAMPLE_RATE:.3g} s"


def fit(text: int, sizes: Sequence[Size], cuts: Cuts, budget: int) -> Cuts:
    """The finest cuts, from `cuts` on, with which `text` tokens and media of those sizes fit the budget.

    Raises SampleError of kind "limit" where none do.
    """
    while text + sum(size.tokens(cuts) for size in sizes) > budget:
        if cuts.tiles > 1 and any(isinstance(size, ImageSize) for size in sizes):
            cuts = cuts._replace(tiles=cuts.tiles - 1)
        elif cuts.frames > 1 and any(isinstance(size, VideoSize) for size in sizes):
            cuts = cuts._replace(frames=cuts.frames - 1)
        else:
            parts = [f"text {text}", *(f"{size} {size.tokens(cuts)}" for size in sizes)]
            raise SampleError(
                f"the prompt takes {text + sum(size.tokens(cuts) for size in sizes)} tokens at the least "
                f"({', '.join(parts)}), more than the model's {budget}",
                "limit",
            )
    return cuts


def planned_tokens(request: Request, extents: Sequence[Extent], config: Vita15Config, count: Count) -> int:
    """How many positions a request's prompt takes: text by `count`, media from their extents.

    A prompt that is over the budget counts as the whole budget: it fails when it is prepared.
    """
    sizes = [_size(media, extent, config) for media, extent in zip(request.media, extents, strict=True)]
    pieces = conversation(request.messages, [1] * len(sizes))
    text = sum(count(piece) for piece in pieces if isinstance(piece, str))
    budget = config.tokenizer_max_length
    try:
        cuts = fit(text, sizes, Cuts.asked(request.pictures), budget)
    except SampleError:
        return budget
    return text + sum(size.tokens(cuts) for size in sizes)


def _size(media: Media, extent: Extent, config: Vita15Config) -> Size:
    """From a header; one that could not be read counts as the smallest medium, because the file will fail."""
    if media.kind == "image":
        side = config.vision.image_size
        return ImageSize(extent.width or side, extent.height or side, side, config.tokens_per_tile)
    if media.kind == "video":
        fps = extent.fps or 1.0
        return VideoSize(fps, max(1, math.ceil(extent.seconds * fps)), None, None, config.tokens_per_tile)
    return SpeechSize(math.ceil(extent.seconds * SAMPLE_RATE), config.audio.num_prompt_embeddings)
