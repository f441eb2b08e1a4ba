"""Videos out of the zip files that a data set comes in, each unpacked once, when a row needs it."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
import zlib
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from harness.media import cache_folder
from tasks.readers.layout import RowError, matches

_LARGEST = 16 << 30
"""Bytes that one member may unpack to."""


class _Member(NamedTuple):
    archive: Path
    name: str
    content: tuple[int, int]
    """Size and CRC."""

    @property
    def parts(self) -> set[str]:
        """The folders that it lies in, the zip's own name among them."""
        return {self.archive.stem, *PurePosixPath(self.name).parts[:-1]}


class Zips:
    """The members of all zip files below a folder. Nothing is unpacked before it is asked for.

    A member is known by its file's name and the folders that it must lie in (`within`), in whatever zip.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: defaultdict[str, list[_Member]] | None = None
        self._folders: defaultdict[str, list[_Member]] = defaultdict(list)
        self._faults: list[str] = []

    @property
    def faults(self) -> list[str]:
        """What is wrong with zips that cannot be read."""
        self._index()
        return self._faults

    def find(self, name: str, within: tuple[str, ...] = ()) -> Path | None:
        """The unpacked file, None where no zip has it.

        Raises RowError for one that cannot be unpacked, and where two different files answer to the name.
        """
        wanted = PurePosixPath(name)
        needed = {*within, *wanted.parts[:-1]}
        found = [member for member in self._index()[wanted.name] if needed <= member.parts]
        if not found:
            return None
        if len({member.content for member in found}) > 1:
            places = " and ".join(f"{member.name} in {member.archive}" for member in found[:2])
            raise RowError(f"two files answer to {name}: {places}; unpack the one that is meant")
        return _unpacked(found[0], _place(found[0]))

    def find_folder(self, name: str, within: tuple[str, ...] = ()) -> Path | None:
        """A folder of files, unpacked; None where no zip has it. Raises RowError as `find` does."""
        self._index()
        found = [member for member in self._folders[name] if {*within} <= member.parts]
        if not found:
            return None
        first = found[0]
        own = [member for member in found if member.archive == first.archive]
        target = _place(first._replace(name=str(PurePosixPath(first.name).parent) + "/")).with_suffix("")
        for member in own:
            _unpacked(member, target / PurePosixPath(member.name).name)
        return target

    def _index(self) -> defaultdict[str, list[_Member]]:
        if self._files is None:
            self._files = defaultdict(list)
            for path in matches(self._folder, "**/*.zip"):
                try:
                    with zipfile.ZipFile(path) as archive:
                        infos = [info for info in archive.infolist() if not info.is_dir()]
                except (zipfile.BadZipFile, OSError) as error:
                    self._faults.append(f"{path} is no readable zip ({error}); fetch it again")
                    continue
                for info in infos:
                    member, name = (
                        _Member(path, info.filename, (info.file_size, info.CRC)),
                        PurePosixPath(info.filename),
                    )
                    self._files[name.name].append(member)
                    self._folders[name.parent.name].append(member)
        return self._files


def _place(member: _Member) -> Path:
    """Where a member is kept once it is unpacked: known by its zip's state and its name."""
    state = member.archive.stat()
    content = f"{member.archive.resolve()}\t{state.st_size}\t{state.st_mtime_ns}\t{member.name}"
    key = hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()
    return cache_folder() / "unpacked" / key[:2] / f"{key}{PurePosixPath(member.name).suffix.lower()}"


def _unpacked(member: _Member, target: Path) -> Path:
    if target.is_file():
        return target
    if member.content[0] > _LARGEST:
        raise RowError(f"{member.name} in {member.archive} unpacks to more than {_LARGEST >> 30} GiB")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with (
            zipfile.ZipFile(member.archive) as archive,
            archive.open(member.name) as source,
            partial.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy, 1 << 20)
        partial.replace(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise RowError(f"{member.name} cannot be unpacked from {member.archive} ({error}); fetch it again") from error
    finally:
        partial.unlink(missing_ok=True)
    return target
