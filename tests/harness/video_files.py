"""Small videos of many codecs, whose every frame can be told from all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

SIZE = 64


@dataclass(frozen=True)
class Form:
    """A way to write a video: the ending names the container."""

    ending: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"

    def __str__(self) -> str:
        return f"{self.codec} in {self.ending}"


def picture(i: int) -> npt.NDArray[np.uint8]:
    """Noise that stays, under a bar and a grey square that move, so that one frame is predicted from others."""
    image = np.random.default_rng(0).integers(60, 200, (SIZE, SIZE, 3)).astype(np.uint8)
    image[:, i * 3 % SIZE : i * 3 % SIZE + 4] = (255, 30, 7 * i % 256)
    image[8:24, 8:24] = 5 * i % 256
    return image


def write(path: Path, form: Form, times: Sequence[int], rate: int = 25, muxer: dict[str, str] | None = None) -> Path:
    """Frame i is `picture(i)`, shown at `times[i]` in units of 1 / rate s."""
    unit = Fraction(1, rate)
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(form.codec, rate=rate, options=form.options)
        stream.width = stream.height = SIZE
        stream.pix_fmt = form.pixels
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = unit
        for i, at in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(i)).reformat(format=form.pixels)
            frame.pts, frame.time_base = at, unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def decoded(path: Path) -> list[npt.NDArray[np.uint8]]:
    """All frames as FFmpeg gives them when it reads the file from its beginning, unturned."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(container.streams.video[0])]
