"""Videos: frames by index, upright, and their sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.failures import SampleError
from harness.media.files import shown
from harness.media.limits import CLIP_PIXELS, PIXELS
from harness.media.sound import load_audio
from harness.media.streams import opened, require_codec, require_whole
from harness.media.timeline import Doubt, container_kind, is_shown, items_at, timeline, whole_packets
from harness.media.timeline import frames as decoded
from harness.media.timeline import times as stated
from harness.types import Channels, Media, Waveform

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Clip:
    """A video: `fps` (average), `n_frames`, its cut in seconds, frames by index, and its sound; no open file."""

    def __init__(
        self,
        path: Path,
        fps: float,
        n_frames: int,
        start_s: float | None = None,
        end_s: float | None = None,
        channels: Channels = "mean",
    ) -> None:
        self.path = path
        self.fps = fps
        self.n_frames = n_frames
        self.start_s = start_s
        self.end_s = end_s
        self._channels = channels

    @classmethod
    def open(cls, media: Media, channels: Channels = "mean") -> Clip:
        """The video named by `media`, with its cut. Raises SampleError when it is broken or truncated."""
        import av

        path = Path(media.path)
        require_whole(path, "video")
        try:
            state = path.stat()
            n_frames, fps = _length(path, state.st_size, state.st_mtime_ns)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _undecodable(path, error) from error
        return cls(path, fps, n_frames, media.start_s, media.end_s, channels)

    def frames(self, indices: Sequence[int]) -> list[npt.NDArray[np.uint8]]:
        """RGB frames uint8 [height, width, 3] at the indices, in the order asked for; an index may repeat.

        They are those of decoding everything: what is sought is checked by its time (`harness.media.timeline`), and
        where that cannot be, everything up to the last frame is decoded. Raises SampleError for an index that the
        video lacks, and where all frames are over a bound.
        """
        import av

        wanted = sorted(set(indices))
        found: dict[int, npt.NDArray[np.uint8]] = {}
        if not wanted or wanted[-1] < 0:
            return []
        try:
            with suppress(Doubt, av.FFmpegError, ValueError):
                self._keep(self._sought(wanted), len(wanted), found)
            if rest := [i for i in wanted if i not in found]:
                self._keep(self._counted(rest), len(wanted), found)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _undecodable(self.path, error) from error
        if missing := [i for i in wanted if i not in found]:
            raise SampleError(f"video is truncated: {shown(self.path)} ends before frame {missing[0]}")
        return [found[i] for i in indices]

    def times(self, indices: Sequence[int]) -> list[float]:
        """Seconds from the file's beginning at which the frames are shown: those that it states, else index / fps.

        Nothing is decoded, but a few frames once to see whether the stated times hold.
        """
        import av

        found: dict[int, float] = {}
        try:
            with suppress(Doubt, av.FFmpegError, ValueError), opened(self.path) as container:
                if line := timeline(self.path):
                    unit = container.streams.video[0].time_base
                    start = (container.start_time or 0) / 1e6
                    for i, at in items_at(container, line, stated, sorted(set(indices))):
                        found[i] = max(0.0, float(at * unit) - start)
        except (OSError, ValueError) as error:
            raise _undecodable(self.path, error) from error
        known = len(found) == len(set(indices))
        return [found[i] if known else i / self.fps for i in indices]

    def sound(self) -> Waveform | None:
        """The sound of the cut as mono float32 at its own rate; None where the video has no sound track.

        Raises SampleError as `load_audio` does.
        """
        import av

        try:
            with opened(self.path) as container:
                if not container.streams.audio:
                    return None
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _undecodable(self.path, error) from error
        return load_audio(self.path, self.start_s, self.end_s, self._channels)

    def _sought(self, wanted: Sequence[int]) -> Iterator[tuple[int, Any]]:
        if line := timeline(self.path):
            with opened(self.path) as container:
                yield from items_at(container, line, decoded, wanted)

    def _counted(self, wanted: Sequence[int]) -> Iterator[tuple[int, Any]]:
        with opened(self.path) as container:
            for i, frame in enumerate(container.decode(container.streams.video[0])):
                if i in wanted:
                    yield i, frame
                if i >= wanted[-1]:
                    break

    def _keep(self, frames: Iterator[tuple[int, Any]], n: int, found: dict[int, npt.NDArray[np.uint8]]) -> None:
        """Put frames as they come, of `n` in all, into `found`."""
        for i, frame in frames:
            total = frame.width * frame.height * n
            CLIP_PIXELS.check(total, f"{n} frames of {total} pixels: {shown(self.path)}")
            found[i] = _upright(frame)

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
    """Frames, by the header or by the packets, and frames a second. Remembered for each state of a file."""
    with opened(path) as container:
        require_codec(path, container.streams.video, "pictures")
        stream = container.streams.video[0]
        PIXELS.check(stream.width * stream.height, f"video of {stream.width} x {stream.height}: {shown(path)}")
        fps = _rate(stream)
        n_frames = _counted(stream) or _by_packets(path, container)
    if n_frames == 0 or fps <= 0:
        raise SampleError(f"video has no frames: {shown(path)}")
    return n_frames, fps


def _counted(stream: Any) -> int:
    """Frames by the header and its index, 0 where they do not tell. What an edit list takes out is not counted."""
    declared, entries = stream.frames, getattr(stream, "index_entries", ())
    n = len(entries)
    match container_kind(stream.container):
        case "mov" if n > declared:  # of a file in fragments the header counts the first
            return 0
        case "avi" if n != declared:  # it counts also where the frame before stays
            return 0
        case "mov" | "avi":
            return sum(is_shown(entries[i]) for i in range(n))
    return int(declared)


def _by_packets(path: Path, container: Any) -> int:
    """Frames by the packets' own times, by decoding all where those do not tell."""
    if line := timeline(path):
        return line.n_frames
    video = container.streams.video[0].index
    return sum(len(packet.decode()) for packet in whole_packets(path, container) if packet.stream_index == video)


def _rate(stream: Any) -> float:
    return float(stream.average_rate or stream.guessed_rate or 0)


def _upright(frame: Any) -> npt.NDArray[np.uint8]:
    import numpy as np

    pixels: npt.NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _undecodable(path: Path, error: Exception) -> SampleError:
    return SampleError(f"video cannot be decoded: {shown(path)}: {getattr(error, 'strerror', None) or error}")
