"""Sound: decoding to mono, and encoding as FLAC."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from harness.failures import SampleError
from harness.media.blocks import Cut, blocks
from harness.media.files import shown
from harness.media.limits import require_short
from harness.media.streams import require_whole
from harness.types import Channels, Waveform

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.media.blocks import Block

SILENCE = 1e-6
"""Energy of a mix, relative to the loudest channel, under which nothing of it is heard (-60 dB)."""


def load_audio(
    path: Path, start_s: float | None = None, end_s: float | None = None, channels: Channels = "mean"
) -> Waveform:
    """Audio, or the sound of a video, as mono float32 at its own rate; of several channels their mean or the first.

    Only the cut is kept, decoded block by block. Raises SampleError for a file that is broken, truncated, over a
    bound of `harness.media.limits`, without samples, or silent in the chosen mix while a channel of it is not.
    """
    import numpy as np

    require_whole(path, "audio")
    cut = Cut.of(start_s, end_s)
    mix = _Mix(path, channels)
    for block, rate in blocks(path, cut):
        mix.add(block, rate)
    if not mix.samples:
        raise SampleError(f"audio has no samples{cut}: {shown(path)}")
    mix.require_heard()
    return Waveform(np.frombuffer(mix.samples, np.float32), mix.rate)


class _Mix:
    """Blocks [n, channels] on their way to one channel, which grows in place."""

    def __init__(self, path: Path, channels: Channels) -> None:
        self.rate = 0
        self.samples = bytearray()
        self._path = path
        self._channels = channels
        self._heard = 0.0
        self._energies: npt.NDArray[np.float64]

    def add(self, block: Block, rate: int) -> None:
        import numpy as np

        if not self.rate:
            self.rate, self._energies = rate, np.zeros(block.shape[1])
        if (rate, block.shape[1]) != (self.rate, len(self._energies)):
            raise SampleError(f"audio changes its rate or channels on the way: {shown(self._path)}")
        if not np.isfinite(block).all():
            raise SampleError(f"audio has samples that are not finite numbers: {shown(self._path)}")
        mono = block[:, 0] if self._channels == "first" else block.mean(axis=1)
        self._energies += np.square(block, dtype=np.float64).sum(axis=0)
        self._heard += float(np.square(mono, dtype=np.float64).sum())
        self.samples += np.ascontiguousarray(mono).tobytes()
        require_short(self._path, len(self.samples) // 4, rate)

    def require_heard(self) -> None:
        """Raises SampleError when the mix is silent and a channel is not."""
        loudest = int(self._energies.argmax())
        if self._heard < SILENCE * self._energies[loudest]:
            chosen = "first channel" if self._channels == "first" else "mean of the channels"
            raise SampleError(
                f"the {chosen}, which the model hears, is silent while channel {loudest + 1} is not: "
                f"{shown(self._path)}"
            )


def encode_flac(waveform: Waveform) -> bytes:
    """A waveform as 16-bit FLAC; samples outside -1..1 are clipped."""
    import numpy as np
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(waveform.samples, -1, 1), waveform.rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
