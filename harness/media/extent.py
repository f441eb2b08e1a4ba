"""How long or large a file is, without decoding it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.media.clips import extent_of_clip
from harness.media.files import checked
from harness.media.mp3 import is_mp3
from harness.media.pictures import opened_image, upright_size
from harness.media.streams import opened
from harness.types import Media

_ENDLESS = 1 << 48


@dataclass(frozen=True, slots=True)
class Extent:
    """What a file's header says: seconds of audio or video, pixels of an image or a video's frame, upright; frames of
    a video, guessed from its length where the header does not count them. 0 where it cannot be read."""

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
                seconds, *rest = extent_of_clip(path)
                return Extent(_cut_seconds(media, seconds), *rest)
    except Exception:
        return Extent()


def _seconds(path: Path) -> float:
    import soundfile

    if not is_mp3(path):
        try:
            info = soundfile.info(os.fsencode(path))
            if info.frames < _ENDLESS:
                return float(info.frames / info.samplerate)
        except (soundfile.LibsndfileError, TypeError):
            pass
    with opened(path) as container:
        return (container.duration or 0) / 1e6 if container.streams.audio else 0.0


def _cut_seconds(media: Media, total: float) -> float:
    end = total if media.end_s is None else min(total, media.end_s)
    return max(0.0, end - (media.start_s or 0.0))
