"""A folder of JPEG frames as the video that it stands for: the pictures as they are, in a container."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from pathlib import Path

from harness.media import cache_folder
from tasks.readers.layout import RowError, matches


def frames_as_video(folder: Path, fps: float) -> Path:
    """A Motion JPEG file of the folder's `*.jpg` in the order of their names, made once and kept in the cache.

    Raises RowError where there are none, or they are no JPEG.
    """
    frames = matches(folder, "*.jpg")
    if not frames:
        raise RowError(f"no frames (*.jpg) in {folder}; unpack the archive again")
    content = "".join(f"{path.name}\t{path.stat().st_size}\t{path.stat().st_mtime_ns}\n" for path in frames)
    key = hashlib.sha256(f"{folder.resolve()}\t{fps}\n{content}".encode(errors="surrogateescape")).hexdigest()
    target = cache_folder() / "framed" / key[:2] / f"{key}.mkv"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{os.getpid()}-{target.name}")
        try:
            _write(partial, frames, fps)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return target


def _write(path: Path, frames: list[Path], fps: float) -> None:
    import av
    from PIL import Image

    rate = Fraction(fps).limit_denominator(1000)
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("mjpeg", rate=rate)
        try:
            with Image.open(frames[0], formats=("JPEG",)) as first:
                stream.width, stream.height = first.size
        except (OSError, SyntaxError) as error:
            raise RowError(f"{frames[0]} is no JPEG picture ({error}); unpack the archive again") from error
        stream.pix_fmt = "yuvj420p"
        stream.time_base = 1 / rate
        for number, frame in enumerate(frames):
            packet = av.Packet(frame.read_bytes())
            packet.stream, packet.pts, packet.dts, packet.duration = stream, number, number, 1
            packet.time_base, packet.is_keyframe = 1 / rate, True
            container.mux(packet)
