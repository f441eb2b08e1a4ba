"""Where a written table goes."""

from __future__ import annotations

from pathlib import Path

from harness.failures import UsageError
from harness.files import arriving


def need_place(path: Path, force: bool) -> None:
    """Raises UsageError where a file is there (unless `force`), or no folder to put it into."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file with -o")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; name another file with -o, or replace it with --force")
    if not path.parent.is_dir():
        raise UsageError(f"folder not found: {path.parent}; make it, or name another file with -o")


def write_text(path: Path, text: str, force: bool = False) -> None:
    """Write a file as UTF-8, whole or not at all. Raises UsageError where one is there (unless `force`), RunStopped
    where the disk does not take it."""
    need_place(path, force)
    with arriving(path) as place:
        place.write_text(text, encoding="utf-8", errors="replace", newline="")
