"""Frames out of an hour-long video: CPU and wall seconds and peak memory, beside decoding all of it and beside decord.

`python -m benchmarks.video [--minutes 60] [--frames 16] [--folder DIR] [--json FILE]`. The file (720p, H.264, 25 frames a
second, a key frame every 250, B-frames) is made once, in minutes, and kept in the folder. Every way of reading takes the
same frames in a process of its own, which hands over a digest of each frame, so that "the same pixels" is no matter of
trust; decord converts colours by itself, so its frames are compared by mean absolute difference. At the end the same is
done with a file of variable frame rate.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import described

Frame = npt.NDArray[np.uint8]
RATE, WIDTH, HEIGHT, GOP = 25, 1280, 720, 250
MARGIN = 256
"""By how many pixels the background is larger than the picture, so that the view can wander over it."""
CLOSE = 3.0
"""Mean absolute difference, of 255, under which two conversions of one frame to RGB count as the same frame."""
WAYS = ("seek", "all", "decord")


def pictures(n: int) -> Iterator[Frame]:
    """`n` frames as planes of yuv420p, uint8 [1.5 * height, width]: a wandering view, and a box that crosses it."""
    y, x = np.mgrid[0 : HEIGHT + MARGIN, 0 : WIDTH + MARGIN]
    background = (128 + 60 * np.sin(x / 37) * np.cos(y / 23) + (7 * x + 13 * y) % 8).astype(np.uint8)
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    for i in range(n):
        left, top = (int((MARGIN // 2 - 1) * (1 + wave)) for wave in (np.sin(i / 50), np.cos(i / 70)))
        planes[:HEIGHT] = background[top : top + HEIGHT, left : left + WIDTH]
        across = i * 4 % (WIDTH - 64)
        planes[40:104, across : across + 64] = 235
        yield planes


def write(path: Path, times: Sequence[int]) -> None:
    """A video whose frame i is shown at `times[i]`, in units of 1 / RATE seconds."""
    import av

    partial = path.with_name(f"{path.name}.part")
    with av.open(str(partial), "w", format="mp4") as container:
        options = {"preset": "ultrafast", "g": str(GOP), "bf": "2", "crf": "26"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, RATE)
        for at, planes in zip(times, pictures(len(times)), strict=True):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = at, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    partial.replace(path)


def made(folder: Path, minutes: int) -> tuple[Path, Path]:
    """The file of constant and that of variable frame rate, made where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    steady = folder / f"steady-{minutes}-min.mp4"
    if not steady.exists():
        print(f"making {minutes} minutes of video; this takes about a tenth of that", file=sys.stderr)
        write(steady, range(minutes * 60 * RATE))
    varying = folder / "varying-1-min.mp4"
    if not varying.exists():
        gaps = np.random.default_rng(0).integers(1, 4, 30 * RATE)  # 1, 2 or 3 units: 2 on the average
        write(varying, np.cumsum(gaps).tolist())
    return steady, varying


if __name__ == "__main__":
    import sys

    print(made(Path(sys.argv[1]), int(sys.argv[2])))
