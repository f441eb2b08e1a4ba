"""A row's media: bytes out of a table, or a file that the table names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.media import intern, reference, sha256_of
from harness.task import Row
from harness.types import Media, MediaKind
from tasks.readers.layout import AUDIO_SUFFIXES, IMAGE_SUFFIXES, RowError, readable
from tasks.readers.locate import Locator
from tasks.readers.rows import failed

_NOTHING = hashlib.sha256(b"").hexdigest()
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".flv", ".gif")
_SUFFIXES = {"audio": AUDIO_SUFFIXES, "image": IMAGE_SUFFIXES, "video": VIDEO_SUFFIXES}


def media_part(kind: MediaKind, value: object) -> Media:
    """A row's media as a reference: a path, bytes out of a table, or the hub's `{"bytes", "path"}`.

    A path must be a `Path`, which readers make of names they have checked: a text is a table's word and could name
    any file. Raises ValueError when the row has no media.
    """
    match value:
        case Path():
            return reference(kind, value)
        case bytes():
            return intern(kind, value)
        case {"bytes": bytes(content)}:
            return intern(kind, content)
        case {"path": str(path)} if path:
            raise ValueError(f"the row has no {kind}, only the path {path!r}, which its reader did not look up")
    raise ValueError(f"the row has no {kind}")


def content_key(image: object) -> str | None:
    """SHA-256 of a picture's content, as a path, bytes or the hub's struct; None when there is none."""
    match image:
        case bytes(content) | {"bytes": bytes(content)}:
            key = hashlib.sha256(content).hexdigest()
        case Path():
            key = sha256_of(image)
        case _:
            return None
    return key if key not in ("", _NOTHING) else None


def media_name(value: object) -> str:
    """The file name that a hub row's media was stored under, with its folders; "" when it has none."""
    path = value.get("path") if isinstance(value, Mapping) else value if isinstance(value, str | Path) else None
    return str(path) if path else ""


def with_files(rows: Iterable[Row], table: str, bases: Sequence[Path], roots: Sequence[Path]) -> Iterator[Row]:
    """Rows with a `Path` where a table has a file's name in place of its bytes.

    A relative name counts from the first of `bases` where the file is there. A name that leads out of `roots` gives
    a row that fails (`tasks.readers.locate`).
    """
    locators = {kind: Locator(suffixes, *roots) for kind, suffixes in _SUFFIXES.items()}
    for number, row in enumerate(rows):
        for kind, find in locators.items():
            name = _unread(row.get(kind))
            if not name:
                continue
            try:
                row = {**row, kind: _located(find, name, bases)}
            except RowError as error:
                row = failed({**row, "media_path": readable(name)}, f"{table}: row {number}: {error}")
        yield row


def _unread(value: object) -> str:
    match value:
        case str(path) | {"bytes": None, "path": str(path)}:
            return path
    return ""


def _located(find: Locator, name: str, bases: Sequence[Path]) -> Path:
    if not bases and not Path(name).is_absolute():
        raise RowError(f"the relative path {name!r} has no folder to count from; store the media's bytes in the table")
    outside: RowError | None = None
    found: list[Path] = []
    for base in bases or [Path()]:
        try:
            found.append(find(base / name))
        except RowError as error:
            outside = outside or error
    if not found:
        assert outside is not None
        raise outside
    return next((path for path in found if path.exists()), found[0])
