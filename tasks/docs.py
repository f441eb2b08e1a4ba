"""What a row keeps for scoring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.failures import lacking
from harness.task import Row
from harness.types import Doc

_NOT_KEPT = {
    "audio",
    "image",
    "images",
    "video",
    "prompt_wav",
    "reference_wav",
    "sample_id",
    "error",
    "media_path",
    "image_path",
    "image_row",
    "subtitles_fault",
}


def kept(row: Row, *needed: str) -> Doc:
    """A row's columns without its media. Raises ValueError naming a column of `needed` that it has not.

    Values stay as they are; paths are left out, as a stored run must mean the same on another machine.
    """
    doc = {name: value for name, value in row.items() if name not in _NOT_KEPT and _is_plain(value)}
    for name in needed:
        if doc.get(name) in (None, ""):
            raise lacking(doc, name)
    return doc


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is not None and not isinstance(value, bytes | Path)


def tagged(doc: Doc, *names: str, **renamed: str) -> dict[str, tuple[str, ...]]:
    """Tags out of columns: those named, and tag=column. A column that the row lacks gives no tag."""
    wanted = {name: name for name in names} | renamed
    return {tag: (str(doc[column]),) for tag, column in wanted.items() if doc.get(column) not in (None, "")}
