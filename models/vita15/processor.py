"""From a request with opened media to what the model reads: token ids, pixel values and filter banks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from harness.failures import SampleError
from harness.types import Decoded, Footage, LoadedRequest, Message, Picture, Waveform
from models.nn.kaldi import SAMPLE_RATE, fbank
from models.nn.resampling import resample
from models.vita15.audio_features import check_frames, num_encoder_frames
from models.vita15.config import Vita15Config
from models.vita15.image_processing import preprocess, tile_image
from models.vita15.lengths import Cuts, ImageSize, Size, SpeechSize, VideoSize, fit
from models.vita15.omni import OmniBatch
from models.vita15.prompts import Encoder, conversation, tokenise

MAX_ENCODER_FRAMES = 5000  # rows of the speech encoder's position table: 200 s


@dataclass(frozen=True, eq=False)
class ModelInputs:
    """One prompt. `n_tokens` counts its positions after media are put in their places."""

    input_ids: Tensor  # int64 [n], with places
    pixel_values: Tensor | None  # [tiles and frames, 3, H, W]
    audio: tuple[Tensor, ...]  # filter banks [T, mel] of each clip
    n_tokens: int
    embeds: Tensor | None = None
    """[n_tokens, D]: the whole prompt embedded, where that was done ahead of the decoding."""


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
        cuts = self.fit(request.messages, sizes, Cuts.asked(request.pictures))
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

    def fit(self, messages: Sequence[Message], sizes: Sequence[Size], cuts: Cuts) -> Cuts:
        """The finest cuts, from `cuts` on, with which the whole prompt fits the budget."""
        text = sum(token >= 0 for token in self._tokens(messages, [1] * len(sizes)))
        return fit(text, sizes, cuts, self.config.tokenizer_max_length)

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
