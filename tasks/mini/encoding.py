"""Films as files: H.264 in MP4, or a folder of JPEG frames. The same versions of the codecs give the same bytes."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from tasks.mini.drawing import SIZE
from tasks.mini.motion import Film, picture

REDUCED = 2
SIDE = SIZE // REDUCED
"""Pixels of a clip; films are drawn larger."""
CODEC = {"crf": "27", "preset": "slow", "tune": "animation", "threads": "1", "g": "64", "bf": "0",
         "x264-params": "mbtree=0"}  # fmt: skip
"""Without frames of both directions and the macroblock tree: with them x264 encodes a few of the same films otherwise
after it has encoded others in the same process."""
CONTAINER = {"fflags": "+bitexact", "movflags": "+faststart"}
FRAMES_PER_S = 3
"""Of a folder of frames."""
SOUND_HZ, TONE_HZ = 16_000, 440.0


def write_mp4(path: Path, film: Film, tone: bool = False) -> None:
    """The film, SIDE x SIDE pixels, yuv420p; with a quiet tone of its length where asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4", options=CONTAINER) as container:
        stream = container.add_stream("libx264", rate=film.fps, options=CODEC)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        sound = container.add_stream("aac", rate=SOUND_HZ, layout="mono") if tone else None
        if sound is not None:
            sound.bit_rate = 16_000
        for moment in film.moments:
            frame = av.VideoFrame.from_ndarray(planes(picture(film, moment)), format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            times = np.arange(round(film.seconds * SOUND_HZ)) / SOUND_HZ
            wave = (0.1 * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.float32)
            for start in range(0, len(wave), 1024):
                samples = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
                samples.sample_rate, samples.pts = SOUND_HZ, start
                container.mux(sound.encode(samples))
            container.mux(sound.encode(None))


def write_frames(folder: Path, film: Film) -> None:
    """FRAMES_PER_S JPEG frames a second: 00001.jpg, 00002.jpg, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(round(film.seconds * FRAMES_PER_S)):
        frame = picture(film, i / FRAMES_PER_S).reduce(REDUCED)
        frame.save(folder / f"{i + 1:05d}.jpg", quality=80, optimize=True)


def planes(image: Image.Image) -> npt.NDArray[np.uint8]:
    """A drawn picture as yuv420p (BT.601, limited range), uint8 [SIDE * 3 / 2, SIDE], in whole numbers on any CPU."""
    light = np.asarray(image.reduce(REDUCED), dtype=np.int32)
    hue = np.asarray(image.reduce(2 * REDUCED), dtype=np.int32)
    y = ((light @ np.array((66, 129, 25)) + 128) >> 8) + 16
    u = ((hue @ np.array((-38, -74, 112)) + 128) >> 8) + 128
    v = ((hue @ np.array((112, -94, -18)) + 128) >> 8) + 128
    return np.concatenate([part.reshape(-1, SIDE) for part in (y, u, v)]).astype(np.uint8)


def decoded(path: Path) -> tuple[tuple[int, ...], bytes]:
    """(frames, height, width, samples of sound) and all pixels of an MP4, whatever encoder wrote it."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0)) if container.streams.audio else 0
    pixels = np.stack(frames)
    return (*pixels.shape[:3], heard), pixels.tobytes()


def codec_version() -> str:
    """Of libavcodec, with which PyAV came."""
    return ".".join(map(str, av.library_versions["libavcodec"]))
