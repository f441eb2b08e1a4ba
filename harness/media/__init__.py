"""Media files: content hashes, cheap probes, decoding, and a content-addressed store for bytes from tables.

Only the runner opens media. Decoding errors are `SampleError`s that name the file and what is wrong with it.
"""

from __future__ import annotations

from harness.media.clips import Clip
from harness.media.extent import Extent, probe
from harness.media.files import cache_folder, checked, intern, reference, sha256_of
from harness.media.pictures import load_image
from harness.media.sound import encode_flac, load_audio
from harness.types import Channels, Decoded, Media

__all__ = [
    "Clip",
    "Extent",
    "cache_folder",
    "encode_flac",
    "intern",
    "load",
    "load_audio",
    "load_image",
    "probe",
    "reference",
    "sha256_of",
]


def load(media: Media, channels: Channels = "mean") -> Decoded:
    """Open a media file; `channels` says what is heard of a recording with several.

    Raises SampleError naming the file and the fault.
    """
    path = checked(media)
    match media.kind:
        case "audio":
            return load_audio(path, media.start_s, media.end_s, channels)
        case "image":
            return load_image(path)
        case "video":
            return Clip.open(media, channels)
