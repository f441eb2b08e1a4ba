"""What a file's header says of its extent."""

from __future__ import annotations

from dataclasses import dataclass

from harness.media.clips import Clip
from harness.types import Media


@dataclass(frozen=True, slots=True)
class Extent:
    """What a file's header says: seconds of audio or video, pixels of an image; 0 where it cannot be read."""

    seconds: float = 0.0
    width: int = 0
    height: int = 0


def probe(media: Media) -> Extent:
    """The extent of a file without decoding it. Never raises: a broken file fails when it is loaded."""
    try:
        if media.kind == "audio":
            import soundfile

            info = soundfile.info(media.path)
            return Extent(seconds=_cut_seconds(media, info.frames / info.samplerate))
        if media.kind == "image":
            from PIL import Image

            with Image.open(media.path) as image:
                return Extent(width=image.width, height=image.height)
        with Clip.open(media) as clip:
            return Extent(seconds=_cut_seconds(media, clip.n_frames / clip.fps))
    except Exception:
        return Extent()


def _cut_seconds(media: Media, total: float) -> float:
    end = total if media.end_s is None else min(total, media.end_s)
    return max(0.0, end - (media.start_s or 0.0))
