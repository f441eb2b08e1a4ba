"""Sound: decoding to mono, and encoding as FLAC."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.failures import SampleError
from harness.media.files import shown
from harness.media.limits import AUDIO_S, CHANNELS, COUNTED_RATE
from harness.media.mp3 import frame_length, frames_declared, is_mp3
from harness.media.streams import opened, require_codec, require_whole
from harness.types import Channels, Waveform

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Block = npt.NDArray[np.float32]

BLOCK = 1 << 16
"""Samples of each channel that are decoded at once."""
SILENCE = 1e-6
"""Energy of a mix, relative to the loudest channel, under which nothing of it is heard (-60 dB)."""
_ENDLESS = 1 << 48


def load_audio(
    path: Path, start_s: float | None = None, end_s: float | None = None, channels: Channels = "mean"
) -> Waveform:
    """Audio, or the sound of a video, as mono float32 at its own rate; of several channels their mean or the first.

    Only the cut is kept, decoded block by block. Raises SampleError for a file that is broken, truncated, over a
    bound of `harness.media.limits`, without samples, or silent in the chosen mix while a channel of it is not.
    """
    import numpy as np

    require_whole(path, "audio")
    mix = _Mix(path, channels)
    read = _soundfile_blocks if _is_for_libsndfile(path) else _ffmpeg_blocks
    for block, rate in read(path, start_s, end_s):
        mix.add(block, rate)
    return Waveform(np.frombuffer(mix.finish(), np.float32), mix.rate)


class _Mix:
    """Blocks [n, channels] on their way to one channel, which grows in place."""

    def __init__(self, path: Path, channels: Channels) -> None:
        self.rate = 0
        self._path = path
        self._channels = channels
        self._samples = bytearray()
        self._heard = 0.0
        self._loudest: float = 0.0
        self._energies: Any = 0.0

    def add(self, block: Block, rate: int) -> None:
        import numpy as np

        if rate != self.rate:
            if self._samples:
                raise SampleError(f"audio changes its rate from {self.rate} to {rate} Hz: {shown(self._path)}")
            self.rate = rate
        if not np.isfinite(block).all():
            raise SampleError(f"audio has samples that are not finite numbers: {shown(self._path)}")
        mono = block[:, 0] if self._channels == "first" else block.mean(axis=1)
        self._energies = self._energies + np.square(block, dtype=np.float64).sum(axis=0)
        self._heard += float(np.square(mono, dtype=np.float64).sum())
        self._samples += np.ascontiguousarray(mono).tobytes()
        require_short(self._path, len(self._samples) // 4, rate)

    def finish(self) -> bytearray:
        import numpy as np

        if not self._samples:
            raise SampleError(f"audio has no samples: {shown(self._path)}")
        loudest = int(np.argmax(self._energies))
        if self._heard < SILENCE * self._energies[loudest]:
            chosen = "first channel" if self._channels == "first" else "mean of the channels"
            raise SampleError(
                f"the {chosen}, which the model hears, is silent while channel {loudest + 1} is not: "
                f"{shown(self._path)}"
            )
        return self._samples


def require_short(path: Path, samples: int, rate: int) -> None:
    """Raises SampleError when so many samples are over the bound on sound."""
    seconds = samples / min(rate, COUNTED_RATE)
    AUDIO_S.check(seconds, f"audio of {samples / rate:.0f} s at {rate} Hz: {shown(path)}")


def _is_for_libsndfile(path: Path) -> bool:
    """False where FFmpeg reads better: libsndfile guesses the length of an MP3 and stops reading there, and cannot
    read FLAC of no stated length."""
    import soundfile

    if is_mp3(path):
        return False
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            return bool(file.frames < _ENDLESS and file.format != "MP3")
    except (soundfile.LibsndfileError, TypeError):
        return False


def _soundfile_blocks(path: Path, start_s: float | None, end_s: float | None) -> Iterator[tuple[Block, int]]:
    import soundfile

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            rate, declared = file.samplerate, file.frames
            CHANNELS.check(file.channels, f"audio of {file.channels} channels: {shown(path)}")
            first, last = _cut(start_s, end_s, rate)
            last = min(declared, last)
            require_short(path, last - first, rate)
            file.seek(min(first, declared))
            wanted = max(0, last - first)
            while wanted:
                block = file.read(min(BLOCK, wanted), dtype="float32", always_2d=True)
                if not len(block):
                    raise SampleError(f"audio is truncated: {shown(path)} ends {wanted} samples early")
                wanted -= len(block)
                yield block, rate
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise SampleError(f"audio cannot be decoded: {shown(path)}: {error}") from error


def _ffmpeg_blocks(path: Path, start_s: float | None, end_s: float | None) -> Iterator[tuple[Block, int]]:
    """Blocks by FFmpeg, counted as they are decoded; seconds count from the first sample."""
    import av

    position = 0
    try:
        with opened(path) as container:
            require_codec(path, container.streams.audio, "sound")
            for frame in _frames(path, container):
                n_channels, rate = frame.layout.nb_channels, frame.sample_rate
                CHANNELS.check(n_channels, f"audio of {n_channels} channels: {shown(path)}")
                first, last = _cut(start_s, end_s, rate)
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


def _cut(start_s: float | None, end_s: float | None, rate: int) -> tuple[int, int]:
    """First sample and the one after the last."""
    return max(0, int((start_s or 0.0) * rate)), _ENDLESS if end_s is None else max(0, int(end_s * rate))


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


def encode_flac(waveform: Waveform) -> bytes:
    """A waveform as 16-bit FLAC; samples outside -1..1 are clipped."""
    import numpy as np
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(waveform.samples, -1, 1), waveform.rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
