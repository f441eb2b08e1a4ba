"""Decoding sound block by block, by libsndfile or by FFmpeg."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.failures import SampleError
from harness.media.files import native, shown
from harness.media.limits import CHANNELS, require_short
from harness.media.mp3 import frame_length, frames_declared, is_mp3
from harness.media.streams import opened, require_codec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Block = npt.NDArray[np.float32]

_SIZE = 1 << 16
"""Samples of each channel that are decoded at once."""
ENDLESS = 1 << 48
"""More samples than any file has; libsndfile says so where a FLAC does not state its length."""


class Cut(NamedTuple):
    """What is kept, in seconds."""

    start_s: float = 0.0
    end_s: float = math.inf

    @classmethod
    def of(cls, start_s: float | None, end_s: float | None) -> Cut:
        return cls(start_s or 0.0, math.inf if end_s is None else end_s)

    def samples(self, rate: int) -> tuple[int, int]:
        """The first sample and the one after the last, none where the bounds are no numbers or crossed."""
        if not self.start_s < self.end_s:
            return 0, 0
        first, last = (int(min(max(0.0, seconds * rate), ENDLESS)) for seconds in self)
        return first, last

    def __str__(self) -> str:
        return "" if self == Cut() else f" between {self.start_s} and {self.end_s} s"


def blocks(path: Path, cut: Cut) -> Iterator[tuple[Block, int]]:
    """Float32 [n, channels] in -1..1 and the rate in Hz, one after the other.

    Raises SampleError for sound that is broken, ends early or is over a bound.
    """
    return (_by_libsndfile if suits_libsndfile(path) else _by_ffmpeg)(path, cut)


def suits_libsndfile(path: Path) -> bool:
    """False where FFmpeg reads better: libsndfile guesses the length of an MP3 and stops reading there, and cannot
    read FLAC of no stated length."""
    import soundfile

    if is_mp3(path):
        return False
    try:
        with soundfile.SoundFile(native(path)) as file:
            return bool(file.frames < ENDLESS and file.format != "MP3")
    except (soundfile.LibsndfileError, TypeError):
        return False


def _by_libsndfile(path: Path, cut: Cut) -> Iterator[tuple[Block, int]]:
    import soundfile

    try:
        with soundfile.SoundFile(native(path)) as file:
            rate, declared = file.samplerate, file.frames
            CHANNELS.check(file.channels, f"audio of {file.channels} channels: {shown(path)}")
            first, last = cut.samples(rate)
            last = min(declared, last)
            require_short(path, last - first, rate)
            file.seek(min(first, declared))
            wanted = max(0, last - first)
            while wanted:
                block = file.read(min(_SIZE, wanted), dtype="float32", always_2d=True)
                if not len(block):
                    raise SampleError(f"audio is truncated: {shown(path)} ends {wanted} samples early")
                wanted -= len(block)
                yield block, rate
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise SampleError(f"audio cannot be decoded: {shown(path)}: {error}") from error


def _by_ffmpeg(path: Path, cut: Cut) -> Iterator[tuple[Block, int]]:
    """Blocks by FFmpeg, counted as they are decoded; seconds count from the first sample."""
    import av

    position = 0
    try:
        with opened(path) as container:
            require_codec(path, container.streams.audio, "sound")
            for frame in _frames(path, container):
                n_channels, rate = frame.layout.nb_channels, frame.sample_rate
                CHANNELS.check(n_channels, f"audio of {n_channels} channels: {shown(path)}")
                first, last = cut.samples(rate)
                start, stop = max(first - position, 0), min(last - position, frame.samples)
                position += frame.samples
                if start < stop:
                    yield _floats(frame)[start:stop], rate
                if position >= last:
                    return
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SampleError(f"audio cannot be decoded: {shown(path)}: {reason}") from error


def _frames(path: Path, container: Any) -> Iterator[Any]:
    """Decoded frames. Junk after the last packet is passed over; inside, or a packet that is cut, it is an error."""
    import av

    stream = container.streams.audio[0]
    layer3 = stream.codec_context.name.startswith("mp3")
    declared = frames_declared(path)
    packets, broken = 0, False
    for packet in container.demux(stream):
        if not packet.size:
            yield from packet.decode()
            continue
        head = bytes(packet)[:4] if layer3 else b""
        if packet.is_corrupt or packet.size < frame_length(head):
            raise SampleError(f"audio is truncated: {shown(path)}: packet {packets + 1} is cut; fetch it again")
        if broken:
            raise SampleError(f"audio is damaged: {shown(path)}: packet {packets} cannot be decoded")
        packets += 1
        try:
            frames = packet.decode()
        except av.FFmpegError:
            broken = True
            if layer3 and not frame_length(head):
                packets -= 1
                continue
            raise SampleError(
                f"audio is truncated or damaged: {shown(path)}: packet {packets} cannot be decoded; fetch it again"
            ) from None
        yield from frames
    if packets < declared:
        raise SampleError(f"audio is truncated: {shown(path)} has {packets} of {declared} packets; fetch it again")


def _floats(frame: Any) -> Block:
    """A frame of FFmpeg as float32 [n, channels] in -1..1."""
    import numpy as np

    raw = frame.to_ndarray()
    every: npt.NDArray[Any] = raw.T if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels)
    if every.dtype == np.uint8:
        every = (every.astype(np.float32) - 128) / 128
    elif np.issubdtype(every.dtype, np.integer):
        every = every / float(1 << (8 * every.dtype.itemsize - 1))
    return every.astype(np.float32)
