"""Which file a row means, and whether a row may name it (`harness.inside`).

A row's media must lie below the data folder, or below the real folder of the table that names it, so that a tree of
links (the hub's cache, whose snapshots link into `blobs/`, or a copy made of links) is read as the tree that it stands
for.

The benchmark's folders themselves (`LibriSpeech/test-clean`) have names that are ours: they may be links to anywhere.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from harness.inside import Roots
from tasks.readers.layout import RowError, is_hidden

_LONGEST_NAME = 255
"""Bytes in one file name that common file systems take."""
_FOLDERS_KEPT = 256


@dataclass(slots=True)
class _Folder:
    """A folder's media: name -> is it a link, a regular file or something else; stem -> names."""

    kinds: dict[str, str] = field(default_factory=dict)
    by_stem: dict[str, list[str]] = field(default_factory=dict)


class Locator:
    """Finds media files by the paths that rows name. Each folder is listed once; no file is opened."""

    def __init__(self, suffixes: tuple[str, ...], *roots: Path) -> None:
        self._suffixes = suffixes
        self._roots = Roots(*roots)
        self._folder = lru_cache(_FOLDERS_KEPT)(self._list)

    def __call__(self, path: Path) -> Path:
        """`path`, or its neighbour of the same stem with another ending if only that exists.

        A file that is not there is no error here: its sample fails when it is loaded, with the path in the message.
        Raises RowError for a path that leads out, that no file can have, or that two files answer to.
        """
        _check_name(path)
        folder = self._folder(path.parent)
        name: str | None = path.name
        if name not in folder.kinds:
            others = folder.by_stem.get(path.stem, [])
            if len(others) > 1:
                raise RowError(f"two files for {path}: {others[0]} and {others[1]}; keep one of them")
            name = others[0] if others else None
        if name is None:
            return path
        found = path if name == path.name else path.with_name(name)
        self._check_kind(found, folder.kinds[name])
        return found

    def _list(self, folder: Path) -> _Folder:
        self._check_inside(folder, os.path.realpath(folder))
        listed = _Folder()
        try:
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    stem, dot, ending = entry.name.rpartition(".")
                    if is_hidden(entry.name):
                        continue
                    kind = "link" if entry.is_symlink() else "file" if entry.is_file() else "other"
                    listed.kinds[entry.name] = kind
                    if (dot + ending).lower() in self._suffixes:
                        listed.by_stem.setdefault(stem, []).append(entry.name)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise RowError(f"folder cannot be read: {folder}: {error.strerror}") from error
        return listed

    def _check_kind(self, path: Path, kind: str) -> None:
        if kind == "link":
            real = os.path.realpath(path)
            self._check_inside(path, real)
            try:
                kind = "file" if stat.S_ISREG(Path(real).stat().st_mode) else "other"
            except OSError:
                return  # a link to nothing is a missing file
        if kind == "other":
            raise RowError(f"not a regular file: {path}; put the media file there")

    def _check_inside(self, path: Path, real: str) -> None:
        try:
            self._roots.check(path, real)
        except ValueError as error:
            raise RowError(str(error)) from error


def _check_name(path: Path) -> None:
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise RowError("the file name holds a character that no file name can hold; correct it in the table")
    if any(len(part) > _LONGEST_NAME for part in encoded.split(os.fsencode(os.sep))):
        raise RowError(f"the file name is longer than {_LONGEST_NAME} bytes; correct it in the table")
    if path.name in ("", ".."):
        raise RowError(f"names a folder, not a file: {path}; correct it in the table")
