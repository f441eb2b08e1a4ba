"""How long a prompt is, from the sizes of its media alone: no file is decoded and no weight read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from harness.failures import SampleError
from harness.media import Extent
from harness.types import Media, Pictures, Request
from models.nexus_o.config import NexusConfig
from models.nexus_o.pictures import Frames, chosen_frames, frame_size, grid_of, image_size
from models.nexus_o.positions import Grid, Run
from models.nexus_o.prompts import conversation
from models.nexus_o.sound import audio_tokens
from models.nn.whisper_features import SAMPLE_RATE

AROUND = 2
"""Marks around the tokens of a medium."""


def image_grid(height: int, width: int, config: NexusConfig) -> Grid:
    """The tokens of an image. Raises ValueError on a size that cannot be seen."""
    return grid_of(image_size(height, width, config.vision, config.pictures), 1, config.vision)


def video_frames(
    n_frames: int,
    fps: float,
    pictures: Pictures,
    config: NexusConfig,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Frames:
    """The frames of a video that a request asks for. Raises ValueError for a cut without frames."""
    return chosen_frames(n_frames, fps, config.pictures, pictures.frame_rule, pictures.max_frames, start_s, end_s)


def video_grid(height: int, width: int, frames: Frames, config: NexusConfig) -> Grid:
    """The tokens of a video. Raises ValueError on a size that cannot be seen."""
    size = frame_size(height, width, len(frames.indices), config.vision, config.pictures)
    return grid_of(size, len(frames.indices), config.vision, frames.fps)


def check_length(tokens: int, media: Sequence[Run | Grid], config: NexusConfig) -> None:
    """Raises SampleError of kind "limit" where a prompt of so many tokens is over what the model has positions for."""
    limit = config.language.max_position_embeddings
    if tokens > limit:
        seen = ", ".join(f"{span.tokens}" for span in media) or "none"
        raise SampleError(f"the prompt takes {tokens} tokens (media: {seen}), more than the model's {limit}", "limit")


def planned_tokens(
    request: Request, extents: Sequence[Extent], config: NexusConfig, count: Callable[[str], int]
) -> int:
    """How many positions a request's prompt takes: text by `count`, media from their extents.

    A prompt that is over the limit counts as the whole limit, a medium that cannot be seen or heard as nothing: they
    fail when they are prepared.
    """
    text = sum(count(piece) for piece in conversation(request.messages) if isinstance(piece, str))
    media = sum(
        AROUND + _tokens(one, extent, request.pictures, config)
        for one, extent in zip(request.media, extents, strict=True)
    )
    return min(text + media, config.language.max_position_embeddings)


def _tokens(media: Media, extent: Extent, pictures: Pictures, config: NexusConfig) -> int:
    height, width = extent.height or 1, extent.width or 1
    try:
        if media.kind == "image":
            return image_grid(height, width, config).tokens
        if media.kind == "video":
            fps = extent.fps or 1.0
            frames = video_frames(max(1, math.ceil(extent.seconds * fps)), fps, pictures, config)
            return video_grid(height, width, frames, config).tokens
    except ValueError:
        return 0
    return audio_tokens(math.ceil(extent.seconds * SAMPLE_RATE), config)
