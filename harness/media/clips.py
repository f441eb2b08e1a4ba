"""Videos: frames by index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.failures import SampleError
from harness.types import Media

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Clip:
    """An open video: `fps` (average), `n_frames`, and frames by index. Use as a context manager or close it."""

    def __init__(self, path: Path, container: Any, fps: float, n_frames: int) -> None:
        self.path = path
        self.fps = fps
        self.n_frames = n_frames
        self.start_s: float | None = None
        self.end_s: float | None = None
        self._container = container

    @classmethod
    def open(cls, media: Media) -> Clip:
        """Open the file named by `media`; its cut is kept in `start_s` and `end_s`, in seconds."""
        import av

        path = Path(media.path)
        try:
            container = av.open(str(path))
            if not container.streams.video:
                raise SampleError(f"video has no picture stream: {path}")
            stream = container.streams.video[0]
            n_frames = stream.frames or sum(1 for _ in container.decode(stream))
            fps = float(stream.average_rate or 0)
        except (av.FFmpegError, OSError) as error:
            raise SampleError(f"video cannot be decoded: {path}: {error}") from error
        if n_frames == 0 or fps <= 0:
            raise SampleError(f"video has no frames: {path}")
        clip = cls(path, container, fps, n_frames)
        clip.start_s, clip.end_s = media.start_s, media.end_s
        return clip

    def frames(self, indices: Sequence[int]) -> list[npt.NDArray[np.uint8]]:
        """RGB frames uint8 [height, width, 3] at the indices, in the order asked for; an index may repeat."""
        import av

        wanted, last, found = set(indices), max(indices), {}
        try:
            self._container.seek(0)
            for i, frame in enumerate(self._container.decode(video=0)):
                if i in wanted:
                    found[i] = frame.to_ndarray(format="rgb24")
                if i >= last:
                    break
        except av.FFmpegError as error:
            raise SampleError(f"video cannot be decoded: {self.path}: {error}") from error
        if missing := sorted(wanted - found.keys()):
            raise SampleError(f"video is truncated: {self.path} ends before frame {missing[0]}")
        return [found[i] for i in indices]

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> Clip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
