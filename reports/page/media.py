"""The media of a site: copies under the hash of their content, and only of what a record's hash names.

A run directory may come from anywhere, so a path in it proves nothing: a file enters the site if its content is what
the record says was shown to the model, and if a browser shows it as a picture, a recording or a clip.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.failures import UsageError
from harness.schema import Record, Scored, StoredPart

MediaChoice = Literal["all", "failed"] | int

_SHOWN = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif"),
    "audio": (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"),
    "video": (".mp4", ".webm", ".mkv", ".mov", ".m4v"),
}
"""What a browser shows; anything else is named and left out, so that no foreign document enters the site."""
_BLOCK = 1 << 20


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


def wanted(choice: MediaChoice, number: int, record: Record, scored: Scored) -> bool:
    """Whether the media of the task's sample `number` (from 0) are put into the site."""
    if choice == "all":
        return True
    if choice == "failed":
        return bool(record.failure or scored.failure)
    return number < choice


@dataclass
class MediaFolder:
    """Puts files into `site/media/` once each."""

    site: Path
    _placed: dict[tuple[Path, str, str], dict[str, str]] = field(default_factory=dict)

    def place(self, path: Path, kind: str, sha256: str) -> dict[str, str]:
        """Where the page finds the file: {"src": path below the site}, or {"note": why it does not}."""
        known = path, kind, sha256
        if known not in self._placed:
            try:
                self._placed[known] = {"src": self._copy(path, kind, sha256)}
            except ValueError as error:
                self._placed[known] = {"note": str(error)}
            except OSError:
                self._placed[known] = {"note": "the file is not on the machine that made this page"}
        return self._placed[known]

    def _copy(self, path: Path, kind: str, sha256: str) -> str:
        """Raises ValueError with the reason why the file is left out, OSError where it cannot be read."""
        suffix = path.suffix.lower()
        if suffix not in _SHOWN.get(kind, ()):
            raise ValueError(f"a browser does not show {suffix or 'files without suffix'} as {kind}")
        if not sha256:
            raise ValueError("the run could not read the file, so there is no content to compare it with")
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is no regular file")
        partial = self.site / "media" / "part"
        partial.parent.mkdir(parents=True, exist_ok=True)
        found = hashlib.sha256()
        with path.open("rb") as source, partial.open("wb") as copy:
            while block := source.read(_BLOCK):
                found.update(block)
                copy.write(block)
        if found.hexdigest() != sha256:
            partial.unlink()
            raise ValueError("the file has changed since the run")
        relative = Path("media") / sha256[:2] / f"{sha256}{suffix}"
        (self.site / relative).parent.mkdir(exist_ok=True)
        partial.replace(self.site / relative)
        return relative.as_posix()


def part_of_page(part: StoredPart, folder: MediaFolder, shown: bool) -> dict[str, Any]:
    """A piece of a message for the page: a text, or a medium with its cut and where it is."""
    if part.kind is None:
        return {"text": part.text or ""}
    path = Path(part.path)
    found = folder.place(path, part.kind, part.sha256) if shown else {"note": "left out by --media"}
    return {"kind": part.kind, "name": path.name, "start": part.start_s, "end": part.end_s, **found}
