"""A table that its publisher gives out by address, known by its MD5: fetched once, kept in the cache, checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from harness.media import cache_folder
from harness.needs import Need
from harness.offline import Refused, is_offline
from harness.progress import track
from harness.supply.transfer import Sum
from harness.task import Row
from tasks.readers.hub import DataSetError
from tasks.readers.tsv import read_table

PATIENCE_S = 20.0
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Download:
    """Stands where a `Hub` does, for one of VLMEvalKit's tables that is not on the hub."""

    url: str
    md5: str

    @property
    def id(self) -> str:
        return Path(urlsplit(self.url).path).name

    @property
    def path(self) -> Path:
        """Where the table is kept."""
        return cache_folder() / "downloads" / self.md5 / self.id

    @property
    def download_command(self) -> str:
        return f"curl -L --create-dirs -o {self.path} {self.url}"

    def __str__(self) -> str:
        return f"{self.url} (MD5 {self.md5})"

    def need(self) -> Need:
        return Need("data", "address", self.url, self.md5)

    def fingerprint(self) -> Mapping[str, Any]:
        return {"source": "download", "url": self.url, "md5": self.md5, "revision_pinned": True}

    def local_files(self, folder: Path) -> list[Path]:
        """A local copy is the archive itself."""
        return []

    def fits(self, files: list[Path]) -> bool:
        return False

    def read_files(self, files: list[Path], root: Path) -> Iterator[Row]:
        raise NotImplementedError("a download has no files of the hub")

    def rows(self) -> Iterator[Row]:
        """Rows of the kept table, which is fetched when it is not there. Raises DataSetError, on a kept one that is
        another too."""
        if not self.path.is_file():
            self._fetch()
        found = self.path.stat()
        if (md5 := _md5(self.path, found.st_mtime_ns, found.st_size)) != self.md5:
            raise DataSetError(
                f"{self.path} has the MD5 {md5}, not {self.md5}: delete it; another edition is --data DIR"
            )
        return read_table(self.path, ("question",))

    def _fetch(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f".{self.id}.{os.getpid()}")
        digest = hashlib.md5(usedforsecurity=False)
        try:
            if is_offline():
                raise Refused("it is not in the cache, and the network is switched off")
            with urlopen(self.url, timeout=PATIENCE_S) as source, partial.open("wb") as file:
                size = int(source.headers.get("Content-Length") or 0)
                with track(f"fetch {self.id} (MiB)", max(1, size // _PIECE)) as progress:
                    while piece := source.read(_PIECE):
                        file.write(piece)
                        digest.update(piece)
                        progress.advance()
            if digest.hexdigest() != self.md5:
                raise DataSetError(
                    f"{self.url} has the MD5 {digest.hexdigest()}, not {self.md5}: it was replaced, or came damaged"
                )
            partial.replace(self.path)
        except (URLError, OSError, ValueError) as error:
            raise DataSetError(f"{self.url} cannot be fetched: {error}") from error
        finally:
            partial.unlink(missing_ok=True)


@lru_cache
def _md5(path: Path, changed_ns: int, size: int) -> str:
    """Of a file that last changed then: read once."""
    return Sum("md5", "").of(path)
