"""From pictures to patches: sizes, frames of a video, normalisation, the order of patches (spec section 1.1).

Facts from transformers' Qwen2VLImageProcessor, and for videos from Qwen2.5-VL's own tools (qwen-vl-utils).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from harness.media.frames import sampled
from harness.types import FrameRule
from models.nexus_o.config import PictureConfig, VisionConfig
from models.nexus_o.positions import Grid

MEAN = np.array((0.48145466, 0.4578275, 0.40821073), np.float32)
STD = np.array((0.26862954, 0.26130258, 0.27577711), np.float32)
MAX_ASPECT = 200


class Side(NamedTuple):
    height: int
    width: int


class Frames(NamedTuple):
    """Numbers of a video's frames, ascending, and how many a second they are."""

    indices: list[int]
    fps: float


def fitted(height: int, width: int, factor: int, least: int, most: int) -> Side:
    """The size in multiples of `factor`, of `least` to `most` pixels, whose shape is near the picture's.

    Raises ValueError on a picture without pixels or more than 200 times as long as wide.
    """
    if min(height, width) < 1:
        raise ValueError(f"a picture of {width}x{height}: sides must be at least 1")
    if max(height, width) > MAX_ASPECT * min(height, width):
        raise ValueError(f"a picture of {width}x{height}: one side is over {MAX_ASPECT} times the other")
    near = Side(round(height / factor) * factor, round(width / factor) * factor)
    pixels = height * width
    if near.height * near.width > most:
        shrink = math.sqrt(pixels / most)
        return Side(*(max(factor, math.floor(side / shrink / factor) * factor) for side in (height, width)))
    if near.height * near.width < least:
        grow = math.sqrt(least / pixels)
        return Side(*(math.ceil(side * grow / factor) * factor for side in (height, width)))
    return near


def image_size(height: int, width: int, vision: VisionConfig, limits: PictureConfig) -> Side:
    return fitted(height, width, vision.factor, limits.min_pixels, limits.max_pixels)


def frame_size(height: int, width: int, frames: int, vision: VisionConfig, limits: PictureConfig) -> Side:
    """The size of each of so many frames: together they keep to the pixels that a whole video may have."""
    share = limits.video_total_pixels * vision.temporal_patch_size // frames
    most = max(min(limits.video_max_pixels, share), int(limits.video_min_pixels * 1.05))
    return fitted(height, width, vision.factor, limits.video_min_pixels, most)


def chosen_frames(
    n_frames: int,
    fps: float,
    limits: PictureConfig,
    rule: FrameRule = "model",
    most: int | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Frames:
    """The frames that are seen: two a second, at least 4 and at most 768 or `most`, an even number of them.

    They go from the first of the cut to the last; another rule than "model" picks them itself. A cut of one frame
    has one. Raises ValueError for no frames, a rate that is not a positive number, or a cut behind the end.
    """
    cut = sampled("uniform", n_frames, fps, max(1, n_frames), start_s, end_s)
    if rule != "model":
        indices = sampled(rule, n_frames, fps, most or limits.max_frames, start_s, end_s)
    else:
        highest = min(most or limits.max_frames, limits.max_frames, len(cut))
        count = min(max(len(cut) / fps * limits.video_fps, limits.min_frames), highest)
        even = max(math.floor(count / 2) * 2, min(2, highest))
        places = torch.linspace(0, len(cut) - 1, even).round().long()
        indices = [cut[place] for place in places.tolist()]
    return Frames(indices, len(indices) / len(cut) * fps)


def grid_of(size: Side, frames: int, vision: VisionConfig, fps: float | None = None) -> Grid:
    """The tokens of an image, or of so many frames, `fps` of them a second."""
    layers = -(-frames // vision.temporal_patch_size)
    seconds = 0.0 if fps is None else vision.temporal_patch_size / fps
    return Grid(layers, size.height // vision.factor, size.width // vision.factor, seconds)


def patches(frames: Iterable[npt.NDArray[np.uint8]], size: Side, vision: VisionConfig) -> Tensor:
    """RGB frames [H, W, 3] -> patches [layers * height * width / 14^2, 3 * 2 * 14^2] fp32.

    Two frames make a layer; the last is repeated where there is an odd one. The 2x2 patches of a token are neighbours.
    """
    side, merge, depth = vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size
    pixels = [_normalised(frame, size) for frame in frames]
    pixels += [pixels[-1]] * (-len(pixels) % depth)
    video = np.stack(pixels)  # [T, H, W, 3]
    rows, columns = size.height // vision.factor, size.width // vision.factor
    cut = video.reshape(-1, depth, rows, merge, side, columns, merge, side, 3)
    ordered = cut.transpose(0, 2, 5, 3, 6, 8, 1, 4, 7)  # layer, row, column, 2x2, channel, frame, pixels
    return torch.from_numpy(ordered.reshape(-1, 3 * depth * side**2))


def _normalised(frame: npt.NDArray[np.uint8], size: Side) -> npt.NDArray[np.float32]:
    resized = Image.fromarray(frame).resize((size.width, size.height), Image.Resampling.BICUBIC)
    return ((np.asarray(resized).astype(np.float64) / 255).astype(np.float32) - MEAN) / STD
