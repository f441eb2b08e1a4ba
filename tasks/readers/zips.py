"""Videos out of the zip files that a data set comes in, each unpacked once, when a row needs it."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from harness.media import cache_folder
from tasks.readers.layout import RowError, matches

_LARGEST = 16 << 30
"""Bytes that one member may unpack to."""


class Zips:
    """The members of all zip files below a folder, by file name. Nothing is unpacked before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._members: dict[str, tuple[Path, str]] | None = None
        self._faults: list[str] = []

    def find(self, name: str) -> Path | None:
        """The unpacked file of this name (with its folders as far as they are given), None where no zip has it.

        Raises RowError for a member that cannot be unpacked. A zip that cannot be read is told by `faults`.
        """
        wanted = PurePosixPath(name)
        found = self._index().get(wanted.name)
        if found is None or not f"/{found[1]}".endswith(f"/{wanted.as_posix()}"):
            return None
        return self._unpacked(*found)

    @property
    def faults(self) -> list[str]:
        self._index()
        return self._faults

    def _index(self) -> dict[str, tuple[Path, str]]:
        if self._members is None:
            self._members = {}
            for path in matches(self._folder, "**/*.zip"):
                try:
                    with zipfile.ZipFile(path) as archive:
                        names = [info.filename for info in archive.infolist() if not info.is_dir()]
                except (zipfile.BadZipFile, OSError) as error:
                    self._faults.append(f"{path} is no readable zip ({error}); fetch it again")
                    continue
                for name in names:
                    self._members.setdefault(PurePosixPath(name).name, (path, name))
        return self._members

    def _unpacked(self, path: Path, member: str) -> Path:
        state = path.stat()
        key = hashlib.sha256(f"{path.resolve()}\t{state.st_size}\t{state.st_mtime_ns}\t{member}".encode()).hexdigest()
        target = cache_folder() / "unpacked" / key[:2] / f"{key}{PurePosixPath(member).suffix.lower()}"
        if target.is_file():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.getinfo(member).file_size > _LARGEST:
                    raise RowError(f"{member} in {path} unpacks to more than {_LARGEST >> 30} GiB")
                with archive.open(member) as source, partial.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
            partial.replace(target)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise RowError(f"{member} cannot be unpacked from {path} ({error}); fetch it again") from error
        finally:
            partial.unlink(missing_ok=True)
        return target
