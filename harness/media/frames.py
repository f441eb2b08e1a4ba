"""Which frames of a video are shown, by named rules, and when they are.

    uniform     N frames from the first to the last: number i * (n - 1) / (N - 1), cut to a whole number (lmms-eval)
    fps         one a second: every round(fps)-th frame; where those are more than N, N of them as above
    segments    of the same one a second, where they are G > N, the middle of each of N equal parts:
                (round(s * i) + round(s * (i + 1))) // 2 with s = (G - 1) / N (VITA's script for Video-MME)
    inner       N frames without the first and the last: number i * n / (N + 1), i from 1 (VLMEvalKit)
    centres     the middle of each of N equal parts: s / 2 + round(s * i) with s = (n - 1) / N (MVBench)

`round` is Python's: halves go to the even number. What a model does by itself ("model") is its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from harness.media.clips import Clip
from harness.types import FrameRule, Media, Pictures


def sampled(
    rule: FrameRule,
    n_frames: int,
    fps: float,
    most: int,
    start_s: float | None = None,
    end_s: float | None = None,
) -> list[int]:
    """Numbers of the frames to show, ascending, each once, at least one and at most `most`.

    `fps` is the average rate. The cut goes from the frame that is on the screen at `start_s` to that at `end_s`; given
    in reverse they are swapped. Raises ValueError for a rate that is not a positive number, for no frames, for `most`
    under 1, for a cut that begins after the end, and for a rule that is the model's.
    """
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps is {fps}: a video's rate must be a positive number")
    if n_frames < 1:
        raise ValueError(f"n_frames is {n_frames}: a video must have at least one frame")
    if most < 1:
        raise ValueError(f"most is {most}: at least one frame must be shown")
    first, last = _cut(n_frames, fps, start_s, end_s)
    grid = range(first, last + 1, max(1, round(fps)))
    match rule:
        case "uniform":
            return _spread(range(first, last + 1), most)
        case "fps":
            return _spread(grid, most)
        case "segments":
            return _middles(grid, most)
        case "inner":
            return _inner(range(first, last + 1), most)
        case "centres":
            return _centres(range(first, last + 1), most)
        case "model":
            raise ValueError("frame_rule is 'model': which frames it shows only the model knows")


def frame_times(path: str | Path, pictures: Pictures) -> list[float]:
    """Seconds from the beginning at which the frames that `pictures` asks for are shown, with nothing decoded of a file
    that can be sought in; for the subtitles that go with them.

    They are the times that the file states, else number / fps. "model" is taken as "fps". Raises SampleError for a
    file that is broken, and ValueError where `pictures` names no number of frames.
    """
    if pictures.max_frames is None:
        raise ValueError("max_frames is not said: how many frames are shown must be known to tell when they are")
    with Clip.open(Media("video", str(path))) as clip:
        rule = "fps" if pictures.frame_rule == "model" else pictures.frame_rule
        return clip.times(sampled(rule, clip.n_frames, clip.fps, pictures.max_frames))


def _cut(n_frames: int, fps: float, start_s: float | None, end_s: float | None) -> tuple[int, int]:
    """The first and the last frame of a cut in seconds."""
    for name, seconds in (("start_s", start_s), ("end_s", end_s)):
        if seconds is not None and math.isnan(seconds):
            raise ValueError(f"{name} is {seconds}: it must be a number of seconds")
    start = max(0.0, start_s or 0.0)
    end = math.inf if end_s is None else max(0.0, end_s)
    start, end = min(start, end), max(start, end)
    if start * fps >= n_frames:
        raise ValueError(f"start_s is {start:g}: the video ends at {n_frames / fps:.3g} s")
    return int(start * fps), int(min(end * fps, n_frames - 1))


def _spread(frames: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly from the first to the last, as numpy.linspace cut to whole numbers does."""
    if len(frames) <= most:
        return list(frames)
    if most == 1:
        return [frames[0]]
    step = (len(frames) - 1) / (most - 1)
    return [*(frames[int(i * step)] for i in range(most - 1)), frames[-1]]


def _middles(frames: Sequence[int], most: int) -> list[int]:
    if len(frames) <= most:
        return list(frames)
    part = (len(frames) - 1) / most
    return [frames[(round(part * i) + round(part * (i + 1))) // 2] for i in range(most)]


def _inner(frames: Sequence[int], most: int) -> list[int]:
    if len(frames) <= most:
        return list(frames)
    return [frames[int(i * len(frames) / (most + 1))] for i in range(1, most + 1)]


def _centres(frames: Sequence[int], most: int) -> list[int]:
    if len(frames) <= most:
        return list(frames)
    part = (len(frames) - 1) / most
    return [frames[min(int(part / 2 + round(part * i)), len(frames) - 1)] for i in range(most)]
