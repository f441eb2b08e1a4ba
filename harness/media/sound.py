"""Sound: decoding to mono, and encoding as FLAC."""

from __future__ import annotations

import io
from pathlib import Path

from harness.failures import SampleError
from harness.types import Channels, Waveform


def load_audio(
    path: Path, start_s: float | None = None, end_s: float | None = None, channels: Channels = "mean"
) -> Waveform:
    """Audio as mono float32 at its own rate; of several channels their mean or the first one."""
    import numpy as np
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            rate, declared = file.samplerate, file.frames
            first = int((start_s or 0.0) * rate)
            last = declared if end_s is None else min(declared, int(end_s * rate))
            file.seek(min(first, declared))
            every = file.read(max(0, last - first), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise SampleError(f"audio cannot be decoded: {path}: {error}") from error
    samples = every[:, 0] if channels == "first" else every.mean(axis=1)
    if len(samples) < last - first:
        raise SampleError(f"audio is truncated: {path} has {len(samples)} of {last - first} samples")
    if len(samples) == 0:
        raise SampleError(f"audio has no samples: {path}")
    if not np.isfinite(samples).all():
        raise SampleError(f"audio has samples that are not finite numbers: {path}")
    return Waveform(np.ascontiguousarray(samples), rate)


def encode_flac(waveform: Waveform) -> bytes:
    """A waveform as 16-bit FLAC; samples outside -1..1 are clipped."""
    import numpy as np
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(waveform.samples, -1, 1), waveform.rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
