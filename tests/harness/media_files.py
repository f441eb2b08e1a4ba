"""Media as other programs write them: sound through FFmpeg, small videos."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

TONE = (0.5 * np.sin(np.arange(16000) / 10)).astype(np.float32)
"""One second at 16 kHz."""

_VIDEO = {".mp4": "mpeg4", ".mkv": "mpeg4", ".avi": "mpeg4", ".mov": "mpeg4", ".webm": "libvpx", ".mpg": "mpeg2video"}


def write_sound(
    path: Path,
    codec: str,
    samples: npt.NDArray[np.float32] = TONE,
    rate: int = 16000,
    muxer: dict[str, str] | None = None,
    encoder: dict[str, str] | None = None,
) -> Path:
    """Mono sound, encoded by FFmpeg."""
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=encoder or {})
        stream.layout = "mono"
        _write_sound(container, stream, samples, rate)
    return path


def write_video(path: Path, frames: int = 50, rate: int = 25, size: int = 32, sound: str = "") -> Path:
    """A video whose frame i has the grey value 4 * i, with a strip of noise, and sound of 1 s if a codec is named."""
    noise = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(_VIDEO[path.suffix], rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        track = container.add_stream(sound, rate=16000, layout="mono") if sound else None
        pixels = [np.full((size, size, 3), 4 * i, np.uint8) for i in range(frames)]
        for image in pixels:
            image[:8] = noise.integers(0, 255, (8, size, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
        if track is not None:
            _write_sound(container, track, TONE, 16000)
    return path


def _write_sound(container: Any, stream: Any, samples: npt.NDArray[np.float32], rate: int) -> None:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    shape = av.AudioResampler(stream.codec_context.format, "mono", rate, stream.codec_context.frame_size or 1024)
    for piece in [*shape.resample(frame), *shape.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def cut(path: Path, share: float) -> Path:
    """A copy that ends after a share of the file."""
    whole = path.read_bytes()
    part = path.with_name(f"cut-{path.name}")
    part.write_bytes(whole[: int(len(whole) * share)])
    return part


def peak_bytes(call: str, *arguments: Path) -> int:
    """How far the memory of a fresh process grows in `call`, a statement with `paths` and harness.media's names.

    SampleErrors are passed over; what importing the libraries takes is not counted.
    """
    code = f"""
import re, resource, sys
from pathlib import Path
from harness.failures import SampleError
from harness.media import *
import numpy, soundfile, av
from PIL import Image
Image.init()

def peak():
    status = Path("/proc/self/status")  # on Linux getrusage begins at the peak of the parent process
    if status.exists():
        return int(re.search(r"VmHWM:\\s*(\\d+)", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

paths = [Path(a) for a in sys.argv[1:]]
before = peak()
try:
    {call}
except SampleError:
    pass
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, check=True)
    return int(done.stdout)
