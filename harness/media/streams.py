"""Opening what only FFmpeg reads, and nothing but local media files with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.failures import SampleError
from harness.media.containers import fault
from harness.media.files import require_file, shown
from harness.types import MediaKind

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,mpegtsraw,flv,asf,ogg,ivf,m4v,h264,hevc,dv,gif,"
    "wav,w64,aiff,au,caf,flac,mp3,aac,loas,latm,amr,amrnb,amrwb,ac3,eac3,dts,ape,wv,tta,mpc,mpc8,nistsphere"
)
"""A playlist or a list of files would let a data file open others, also over the net: those formats are left out."""


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A PyAV container. Raises av.FFmpegError or OSError where it cannot be opened."""
    import av

    options = {"format_whitelist": _FORMATS}
    with path.open("rb") as file:
        address = f"file:{path}"
        named = address.isascii() or _is_text(address)
        with av.open(address if named else file, container_options=options) as container:
            yield container


def require_whole(path: Path, kind: MediaKind) -> None:
    """Raises SampleError when there is no file, or when its header speaks of more than it holds."""
    require_file(kind, path)
    try:
        with path.open("rb") as file:
            said = fault(file)
    except OSError as error:
        raise SampleError(f"{kind} cannot be read: {shown(path)}: {error.strerror}") from error
    if said:
        raise SampleError(f"{kind} is truncated: {shown(path)}: {said}; fetch it again")


def require_codec(path: Path, streams: Sequence[Any], what: str) -> None:
    """Raises SampleError unless the first of the streams can be decoded; `what` says what they hold."""
    if not streams:
        raise SampleError(f"file has no {what}: {shown(path)}")
    if streams[0].codec_context is None:
        raise SampleError(f"file has {what} of a codec that FFmpeg does not know: {shown(path)}")


def _is_text(address: str) -> bool:
    try:
        address.encode()
    except UnicodeEncodeError:
        return False
    return True
