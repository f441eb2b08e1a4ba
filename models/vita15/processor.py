"""From a request with opened media to what the model reads: token ids, pixel values and filter banks.

A prompt has a budget (6200 positions in the release). The reference implementation cuts what is beyond it,
which is the end: the question. Here pictures give way instead: fewer tiles an image, then fewer frames a
video; a prompt that is too long even so is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from harness.failures import SampleError
from harness.types import Decoded, Footage, LoadedRequest, Message, Picture, Waveform
from models.vita15.audio_features import (
    SAMPLE_RATE,
    check_frames,
    fbank,
    num_encoder_frames,
    num_fbank_frames,
    num_llm_tokens,
    resample,
)
from models.vita15.config import Vita15Config
from models.vita15.image_processing import choose_grid, preprocess, tile_image
from models.vita15.omni import OmniBatch
from models.vita15.prompts import Encoder, conversation, tokenise
from models.vita15.video_frames import sample_frames

DEMO_TILES = 12  # most tiles an image where the benchmark names no number
MAX_FRAMES, MIN_FRAMES = 16, 4
MAX_ENCODER_FRAMES = 5000  # rows of the speech encoder's position table: 200 s


class Cuts(NamedTuple):
    """How finely pictures are cut: the most tiles an image and the most frames a video."""

    tiles: int = DEMO_TILES
    frames: int = MAX_FRAMES


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


@dataclass(frozen=True, eq=False)
class ModelInputs:
    """One prompt. `n_tokens` counts its positions after media are put in their places."""

    input_ids: Tensor  # int64 [n], with places
    pixel_values: Tensor | None  # [tiles and frames, 3, H, W]
    audio: tuple[Tensor, ...]  # filter banks [T, mel] of each clip
    n_tokens: int


class Processor:
    def __init__(self, config: Vita15Config, tokenizer: Encoder) -> None:
        self.config = config
        self.tokenizer = tokenizer

    def __call__(self, loaded: LoadedRequest) -> ModelInputs:
        """Prepare one request.

        Raises SampleError of kind "limit" when the prompt cannot be brought under the budget or a clip of
        speech is over 200 s, and of kind "permanent" when a clip is too short to encode.
        """
        request = loaded.request
        sizes = [self._size(content) for content in loaded.media]
        cuts = self.fit(request.messages, sizes, request.image_tiles or DEMO_TILES)
        ids = self._tokens(request.messages, [size.places(cuts) for size in sizes])
        pictures: list[Tensor] = []
        audio: list[Tensor] = []
        for content, size in zip(loaded.media, sizes, strict=True):
            if isinstance(content, Waveform):
                audio.append(self._features(content, request.generation.seed))
            else:
                pictures.append(self._pixels(content, size, cuts))
        return ModelInputs(
            input_ids=torch.tensor(ids, dtype=torch.long),
            pixel_values=torch.cat(pictures) if pictures else None,
            audio=tuple(audio),
            n_tokens=sum(token >= 0 for token in ids) + sum(size.tokens(cuts) for size in sizes),
        )

    def fit(self, messages: Sequence[Message], sizes: Sequence[Size], tiles: int) -> Cuts:
        """The finest cuts, of at most `tiles` tiles an image, with which the whole prompt fits the budget."""
        text = sum(token >= 0 for token in self._tokens(messages, [1] * len(sizes)))
        budget = self.config.tokenizer_max_length
        cuts = Cuts(tiles)
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

    def _tokens(self, messages: Sequence[Message], places: Sequence[int]) -> list[int]:
        return tokenise(conversation(messages, places), self.tokenizer)

    def _size(self, content: Decoded) -> Size:
        per_tile = self.config.tokens_per_tile
        if isinstance(content, Picture):
            height, width = content.pixels.shape[:2]
            return ImageSize(width, height, self.config.vision.image_size, per_tile)
        if not isinstance(content, Waveform):
            return VideoSize(content.fps, content.n_frames, content.start_s, content.end_s, per_tile)
        samples = -(-len(content.samples) * SAMPLE_RATE // content.rate)  # as `resample` rounds
        try:
            frames = check_frames(samples)
        except ValueError as error:
            raise SampleError(str(error)) from error
        if num_encoder_frames(frames) > MAX_ENCODER_FRAMES:
            raise SampleError(
                f"audio of {content.seconds:.1f} s is over the 200 s that the speech encoder's position table holds",
                "limit",
            )
        return SpeechSize(samples, self.config.audio.num_prompt_embeddings)

    def _features(self, waveform: Waveform, seed: int) -> Tensor:
        audio = self.config.audio
        generator = torch.Generator().manual_seed(seed)
        samples = resample(torch.from_numpy(waveform.samples), waveform.rate)
        return fbank(samples, audio.num_mel_bins, audio.dither, generator)

    def _pixels(self, content: Picture | Footage, size: Size, cuts: Cuts) -> Tensor:
        side, aspect = self.config.vision.image_size, self.config.image_aspect_ratio
        if not isinstance(content, Picture):
            assert isinstance(size, VideoSize)
            frames = content.frames(size.indices(cuts))
            return preprocess([Image.fromarray(frame) for frame in frames], side, aspect)
        return preprocess(tile_image(Image.fromarray(content.pixels), 1, cuts.tiles, side), side, aspect)


def collate(prompts: Sequence[ModelInputs]) -> OmniBatch:
    """Prompts side by side: media end to end, filter banks padded on the right to the longest."""
    pixels = [prompt.pixel_values for prompt in prompts if prompt.pixel_values is not None]
    clips = [clip for prompt in prompts for clip in prompt.audio]
    batch = OmniBatch([prompt.input_ids for prompt in prompts], torch.cat(pixels) if pixels else None)
    if not clips:
        return batch
    # Lengths stay whole numbers: as half-precision floats they would be rounded beyond 20 s.
    lengths = torch.tensor([len(clip) for clip in clips])
    return replace(batch, audio=pad_sequence(clips, batch_first=True), audio_lengths=lengths)
