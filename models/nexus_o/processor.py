"""From a request with opened media to what the model reads: token ids, positions, patches and spectrograms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from harness.failures import SampleError
from harness.types import Decoded, Footage, LoadedRequest, Message, Picture, Pictures, Waveform
from models.nexus_o.config import NexusConfig
from models.nexus_o.lengths import check_length, image_grid, video_frames, video_grid
from models.nexus_o.omni import Inputs, Seen
from models.nexus_o.pictures import Frames, Side, patches
from models.nexus_o.positions import Grid, Run, positions
from models.nexus_o.prompts import Assembled, assemble, conversation, mark_ids
from models.nexus_o.sound import audio_tokens, windows
from models.nn.resampling import resample
from models.nn.whisper_features import SAMPLE_RATE
from models.text.tokenizer import QwenTokenizer

FRAMES_AT_ONCE = 16
"""More are never held at their full size."""


class _Measured(NamedTuple):
    """A medium's tokens, known before it is made into any; `frames` of a video."""

    content: Decoded
    span: Run | Grid
    frames: Frames | None = None


class Processor:
    """Raises ValueError where the tokenizer does not have what the prompt needs."""

    def __init__(self, config: NexusConfig, tokenizer: QwenTokenizer) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self.marks = mark_ids(tokenizer, config.choices)
        most = config.language.vocab_size - 1
        if (highest := max(self.marks.values())) > most:
            raise ValueError(f"audio_first_id puts a mark at id {highest}: the model has embeddings up to {most}")

    def __call__(self, loaded: LoadedRequest) -> Inputs:
        """Prepare one request.

        Raises SampleError of kind "limit" when the prompt is over the model's positions, and "permanent" for a picture
        or audio that cannot be seen or heard.
        """
        try:
            return self._prepared(loaded)
        except ValueError as error:
            raise SampleError(str(error)) from error

    def _prepared(self, loaded: LoadedRequest) -> Inputs:
        request = loaded.request
        media = [self._measured(content, request.pictures) for content in loaded.media]
        spans = [one.span for one in media]
        prompt = self._assembled(request.messages, spans)
        check_length(len(prompt.ids), spans, self.config)
        tokens_per_second = self.config.vision.tokens_per_second
        axes = positions(prompt.spans, tokens_per_second, self.config.choices.after_visual).axes
        clips = [one.content for one in media if isinstance(one.content, Waveform)]
        return Inputs(
            prompt.ids,
            prompt.kinds,
            axes,
            tuple(self._seen(one) for one in media if isinstance(one.span, Grid)),
            tuple(windows(_wave(clip), self.config) for clip in clips),
        )

    def _assembled(self, messages: Sequence[Message], media: Sequence[Run | Grid]) -> Assembled:
        return assemble(conversation(messages), media, self.tokenizer, self.marks)

    def _measured(self, content: Decoded, pictures: Pictures) -> _Measured:
        if isinstance(content, Waveform):
            samples = -(-len(content.samples) * SAMPLE_RATE // content.rate)  # as `resample` rounds
            if not (tokens := audio_tokens(samples, self.config)):
                raise SampleError(f"audio of {content.seconds:.4g} s is too short to give a token")
            return _Measured(content, Run(tokens))
        if isinstance(content, Picture):
            height, width = content.pixels.shape[:2]
            return _Measured(content, image_grid(height, width, self.config))
        frames = video_frames(content.n_frames, content.fps, pictures, self.config, content.start_s, content.end_s)
        height, width = content.frames(frames.indices[:1])[0].shape[:2]  # a header may tell another size
        return _Measured(content, video_grid(height, width, frames, self.config), frames)

    def _seen(self, medium: _Measured) -> Seen:
        content, grid = medium.content, medium.span
        assert isinstance(grid, Grid) and not isinstance(content, Waveform)
        size = Side(grid.rows * self.config.vision.factor, grid.columns * self.config.vision.factor)
        if isinstance(content, Picture):
            return Seen(patches([content.pixels], size, self.config.vision), grid)
        assert medium.frames is not None
        return Seen(patches(_decoded(content, medium.frames.indices), size, self.config.vision), grid)


def _decoded(video: Footage, indices: Sequence[int]) -> Iterator[npt.NDArray[np.uint8]]:
    for start in range(0, len(indices), FRAMES_AT_ONCE):
        yield from video.frames(indices[start : start + FRAMES_AT_ONCE])


def _wave(content: Waveform) -> torch.Tensor:
    return resample(torch.from_numpy(content.samples), content.rate)
