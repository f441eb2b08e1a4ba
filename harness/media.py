"""Media files: content hashes, cheap probes, decoding, and a content-addressed store for bytes from tables.

Only the runner opens media. Decoding errors are `SampleError`s that name the file and what is wrong with it.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.failures import SampleError
from harness.types import Decoded, Media, MediaKind, Picture, Waveform

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MAX_PIXELS = 200_000_000
"""Larger images are refused: decoding one would take more than 600 MB."""

_SUFFIXES = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3", b"\xff\xfb": ".mp3"}
_SUFFIXES |= {b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"GIF8": ".gif", b"BM": ".bmp"}


def cache_folder() -> Path:
    """Where downloaded and unpacked media live: $HARNESS_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("HARNESS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "omni-harness"


def reference(kind: MediaKind, path: Path, start_s: float | None = None, end_s: float | None = None) -> Media:
    """A reference to a file with its content hash; the hash is empty when the file cannot be read."""
    return Media(kind, str(path), sha256_of(path), start_s, end_s)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content, "" when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def intern(kind: MediaKind, content: bytes) -> Media:
    """Put bytes that came inside a table into the cache, once per content, and refer to them there."""
    digest = hashlib.sha256(content).hexdigest()
    path = cache_folder() / "media" / digest[:2] / f"{digest}{_suffix(content)}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        partial.write_bytes(content)
        partial.replace(path)
    return Media(kind, str(path), digest)


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


def load(media: Media) -> Decoded:
    """Open a media file. Raises SampleError naming the file and the fault."""
    path = Path(media.path)
    if not path.is_file():
        raise SampleError(f"{media.kind} file is missing: {path}")
    if path.stat().st_size == 0:
        raise SampleError(f"{media.kind} file is empty (0 bytes): {path}")
    match media.kind:
        case "audio":
            return load_audio(path, media.start_s, media.end_s)
        case "image":
            return load_image(path)
        case "video":
            return Clip.open(media)


def load_audio(path: Path, start_s: float | None = None, end_s: float | None = None) -> Waveform:
    """Audio as mono float32 at its own rate; of several channels the first (as the models' front ends do)."""
    import numpy as np
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            rate, declared = file.samplerate, file.frames
            first = int((start_s or 0.0) * rate)
            last = declared if end_s is None else min(declared, int(end_s * rate))
            file.seek(min(first, declared))
            samples = file.read(max(0, last - first), dtype="float32", always_2d=True)[:, 0]
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise SampleError(f"audio cannot be decoded: {path}: {error}") from error
    if len(samples) < last - first:
        raise SampleError(f"audio is truncated: {path} has {len(samples)} of {last - first} samples")
    if len(samples) == 0:
        raise SampleError(f"audio has no samples: {path}")
    if not np.isfinite(samples).all():
        raise SampleError(f"audio has samples that are not finite numbers: {path}")
    return Waveform(np.ascontiguousarray(samples), rate)


def load_image(path: Path) -> Picture:
    """An image as RGB; palette, grey, CMYK and 16-bit images are converted, transparency is laid on white."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise SampleError(
                    f"image has {image.width} x {image.height} pixels, more than {MAX_PIXELS}: {path}",
                    "limit",
                )
            return Picture(np.asarray(_to_rgb(image)))
    except SampleError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SampleError(f"image cannot be decoded: {path}: {error}") from error


def _to_rgb(image: Any) -> Any:
    from PIL import Image

    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode.startswith("I"):  # 16- and 32-bit grey: convert() would clip at 255
        return image.convert("I").point(lambda value: value / 256).convert("RGB")
    return image.convert("RGB")


class Clip:
    """An open video: `fps` (average), `n_frames`, and frames by index. Use as a context manager or close it."""

    def __init__(self, path: Path, container: Any, fps: float, n_frames: int) -> None:
        self.path = path
        self.fps = fps
        self.n_frames = n_frames
        self.start_s: float | None = None
        self.end_s: float | None = None
        self._container = container

    @classmethod
    def open(cls, media: Media) -> Clip:
        """Open the file named by `media`; its cut is kept in `start_s` and `end_s`, in seconds."""
        import av

        path = Path(media.path)
        try:
            container = av.open(str(path))
            if not container.streams.video:
                raise SampleError(f"video has no picture stream: {path}")
            stream = container.streams.video[0]
            n_frames = stream.frames or sum(1 for _ in container.decode(stream))
            fps = float(stream.average_rate or 0)
        except (av.FFmpegError, OSError) as error:
            raise SampleError(f"video cannot be decoded: {path}: {error}") from error
        if n_frames == 0 or fps <= 0:
            raise SampleError(f"video has no frames: {path}")
        clip = cls(path, container, fps, n_frames)
        clip.start_s, clip.end_s = media.start_s, media.end_s
        return clip

    def frames(self, indices: Sequence[int]) -> list[npt.NDArray[np.uint8]]:
        """RGB frames uint8 [height, width, 3] at the indices, in the order asked for; an index may repeat."""
        import av

        wanted, last, found = set(indices), max(indices), {}
        try:
            self._container.seek(0)
            for i, frame in enumerate(self._container.decode(video=0)):
                if i in wanted:
                    found[i] = frame.to_ndarray(format="rgb24")
                if i >= last:
                    break
        except av.FFmpegError as error:
            raise SampleError(f"video cannot be decoded: {self.path}: {error}") from error
        if missing := sorted(wanted - found.keys()):
            raise SampleError(f"video is truncated: {self.path} ends before frame {missing[0]}")
        return [found[i] for i in indices]

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> Clip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encode_flac(waveform: Waveform) -> bytes:
    """A waveform as 16-bit FLAC; samples outside -1..1 are clipped."""
    import numpy as np
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(waveform.samples, -1, 1), waveform.rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _cut_seconds(media: Media, total: float) -> float:
    end = total if media.end_s is None else min(total, media.end_s)
    return max(0.0, end - (media.start_s or 0.0))


def _suffix(content: bytes) -> str:
    return next((suffix for magic, suffix in _SUFFIXES.items() if content.startswith(magic)), ".bin")
