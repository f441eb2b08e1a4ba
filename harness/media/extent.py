"""How long or large a file is, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.media.blocks import suits_libsndfile
from harness.media.clips import extent_of_clip
from harness.media.files import checked, native
from harness.media.pictures import opened_image, upright_size
from harness.media.streams import opened
from harness.types import Media


@dataclass(frozen=True, slots=True)
class Extent:
    """What a file's header says, 0 where it cannot be read.

    Seconds of audio or video; pixels of an image after turning, of a video as stored; frames of a video, guessed from
    its length where the header does not count them.
    """

    seconds: float = 0.0
    width: int = 0
    height: int = 0
    frames: int = 0
    fps: float = 0.0


def probe(media: Media) -> Extent:
    """The extent of a file from its header. Never raises and never waits: a broken file fails when it is loaded."""
    try:
        path = checked(Media(media.kind, media.path))
        match media.kind:
            case "audio":
                return Extent(seconds=_cut_seconds(media, _seconds(path)))
            case "image":
                with opened_image(path) as image:
                    return Extent(0.0, *upright_size(image))
            case "video":
                seconds, width, height, frames, fps = extent_of_clip(path)
                return Extent(_cut_seconds(media, seconds), width, height, frames, fps)
    except Exception:
        return Extent()


def _seconds(path: Path) -> float:
    import soundfile

    if suits_libsndfile(path):
        info = soundfile.info(native(path))
        return float(info.frames / info.samplerate)
    with opened(path) as container:
        return (container.duration or 0) / 1e6 if container.streams.audio else 0.0


def _cut_seconds(media: Media, total: float) -> float:
    end = total if media.end_s is None else min(total, media.end_s)
    return max(0.0, end - (media.start_s or 0.0))
