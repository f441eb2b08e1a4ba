"""Where media lie: content hashes, references, and a content-addressed cache for bytes out of tables."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from harness.types import Media, MediaKind

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


def _suffix(content: bytes) -> str:
    return next((suffix for magic, suffix in _SUFFIXES.items() if content.startswith(magic)), ".bin")
