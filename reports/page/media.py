"""The media of a site: files under the hash of their content, linked where the disk allows it, else copied."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.failures import UsageError

MediaChoice = Literal["all", "failed"] | int

_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
_AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
_VIDEO = (".mp4", ".webm", ".mkv", ".mov")
PLAYABLE = frozenset(_IMAGES + _AUDIO + _VIDEO)
"""What a browser shows; anything else is named and left out, so that no foreign document enters the site."""


def parse_choice(text: str | int) -> MediaChoice:
    """ "all", "failed" (samples that failed), or N (the first N samples of each task)."""
    if text in ("all", "failed"):
        return text  # type: ignore[return-value]
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise UsageError(f"--media takes all, failed or a number of samples, not {text!r}")
    return number


@dataclass
class MediaFolder:
    """Puts files into `site/media/` once each."""

    site: Path
    _placed: dict[Path, dict[str, str]] = field(default_factory=dict)

    def place(self, path: Path, kind: str, sha256: str = "") -> dict[str, str]:
        """Where the page finds the file: {"kind", "name", "src"}, or "note" with the reason why it does not."""
        if path not in self._placed:
            self._placed[path] = self._place(path, sha256)
        return {"kind": kind, "name": path.name, **self._placed[path]}

    def _place(self, path: Path, sha256: str) -> dict[str, str]:
        suffix = path.suffix.lower()
        if suffix not in PLAYABLE:
            return {"note": f"a browser does not show {suffix or 'files without suffix'}"}
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return {"note": "the file is not on the machine that made this page"}
        if sha256 and found != sha256:
            return {"note": "the file has changed since the run"}
        relative = Path("media") / found[:2] / f"{found}{suffix}"
        target = self.site / relative
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path.resolve(), target)
            except OSError:
                shutil.copyfile(path, target)
        return {"src": relative.as_posix()}


def wanted(choice: MediaChoice, number: int, record: dict[str, Any]) -> bool:
    """Whether the media of the task's sample `number` (from 0) are put into the site."""
    if choice == "all":
        return True
    if choice == "failed":
        return bool(record["score"]["status"] == "failed" or record.get("failure"))
    return number < choice
