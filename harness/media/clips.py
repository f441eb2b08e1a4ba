"""Videos: frames by index, upright."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.failures import SampleError
from harness.media.files import shown
from harness.media.limits import CLIP_PIXELS, PIXELS
from harness.media.streams import opened, require_codec, require_whole
from harness.types import Media

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MISSING_S = 1.0
"""Seconds by which what is in a file may fall short of the length in its header: writers round, and streams end at
different moments."""


class Clip:
    """A video: `fps` (average), `n_frames`, its cut in seconds, and frames by index. It holds no open file."""

    def __init__(
        self, path: Path, fps: float, n_frames: int, start_s: float | None = None, end_s: float | None = None
    ) -> None:
        self.path = path
        self.fps = fps
        self.n_frames = n_frames
        self.start_s = start_s
        self.end_s = end_s

    @classmethod
    def open(cls, media: Media) -> Clip:
        """The video named by `media`, with its cut. Raises SampleError when it is broken or truncated."""
        import av

        path = Path(media.path)
        require_whole(path, "video")
        try:
            state = path.stat()
            n_frames, fps = _length(path, state.st_size, state.st_mtime_ns)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _undecodable(path, error) from error
        return cls(path, fps, n_frames, media.start_s, media.end_s)

    def frames(self, indices: Sequence[int]) -> list[npt.NDArray[np.uint8]]:
        """RGB frames uint8 [height, width, 3] at the indices, in the order asked for; an index may repeat.

        Raises SampleError for an index that the video lacks, and where all frames are over a bound.
        """
        import av

        wanted, last = set(indices), max(indices, default=-1)
        found: dict[int, npt.NDArray[np.uint8]] = {}
        if last < 0:
            return []
        try:
            with opened(self.path) as container:
                for i, frame in enumerate(_decoded(container)):
                    if i in wanted:
                        total = frame.width * frame.height * len(wanted)
                        CLIP_PIXELS.check(total, f"{len(wanted)} frames of {total} pixels: {shown(self.path)}")
                        found[i] = _upright(frame)
                    if i >= last:
                        break
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _undecodable(self.path, error) from error
        if missing := sorted(wanted - found.keys()):
            raise SampleError(f"video is truncated: {shown(self.path)} ends before frame {missing[0]}")
        return [found[i] for i in indices]

    def close(self) -> None:
        """There is nothing to close; a clip may stand where an open file would."""

    def __enter__(self) -> Clip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def extent_of_clip(path: Path) -> tuple[float, int, int, int, float]:
    """Seconds, width and height as stored, frames and frames a second, from the header alone."""
    with opened(path) as container:
        stream = container.streams.video[0]
        fps = _rate(stream)
        seconds = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
        frames = _counted(stream) or round(seconds * fps)
        return (frames / fps if fps else seconds), stream.width, stream.height, frames, fps


@lru_cache(maxsize=4096)
def _length(path: Path, size: int, mtime_ns: int) -> tuple[int, float]:
    """Frames, by the header or by decoding all, and frames a second. Remembered for each state of a file."""
    with opened(path) as container:
        require_codec(path, container.streams.video, "pictures")
        stream = container.streams.video[0]
        PIXELS.check(stream.width * stream.height, f"video of {stream.width} x {stream.height}: {shown(path)}")
        fps = _rate(stream)
        n_frames = _counted(stream) or _count(path, container)
    if n_frames == 0 or fps <= 0:
        raise SampleError(f"video has no frames: {shown(path)}")
    return n_frames, fps


def _counted(stream: Any) -> int:
    """Frames by the header, 0 where it has no count. What an edit list takes out is not shown and not counted."""
    entries = getattr(stream, "index_entries", ())
    hidden = sum(1 for i in range(len(entries)) if entries[i].is_discard) if len(entries) == stream.frames else 0
    return int(stream.frames) - hidden


def _count(path: Path, container: Any) -> int:
    """Decode all, and compare how far the packets of all streams reach with the length in the header."""
    n_frames, reached = 0, 0.0
    declared = (container.duration or 0) / 1e6
    start = (container.start_time or 0) / 1e6
    video = container.streams.video[0].index
    for packet in container.demux():
        if packet.is_corrupt:
            raise SampleError(f"video is truncated: {shown(path)}: a packet is cut; fetch it again")
        if packet.pts is not None:
            reached = max(reached, float((packet.pts + (packet.duration or 0)) * packet.time_base) - start)
        if packet.stream_index == video:
            n_frames += len(packet.decode())
    if reached < declared - _MISSING_S:
        raise SampleError(f"video is truncated: {shown(path)} holds {reached:.2f} of {declared:.2f} s; fetch it again")
    return n_frames


def _decoded(container: Any) -> Any:
    return container.decode(container.streams.video[0])


def _rate(stream: Any) -> float:
    return float(stream.average_rate or stream.guessed_rate or 0)


def _upright(frame: Any) -> npt.NDArray[np.uint8]:
    import numpy as np

    pixels: npt.NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _undecodable(path: Path, error: Exception) -> SampleError:
    return SampleError(f"video cannot be decoded: {shown(path)}: {getattr(error, 'strerror', None) or error}")
