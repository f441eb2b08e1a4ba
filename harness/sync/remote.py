"""A folder at a URL, through fsspec: whole files in, whole files out, and nothing said that could be a credential."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.failures import RunStopped, UsageError
from harness.files import real
from harness.texts import redacted

WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss", "memory"}
"""Protocols where a file that is put is there whole or not at all; elsewhere it is written beside and renamed."""
_QUERY = re.compile(r"(\w+://[^\s?]+)\?\S+")


def harmless(text: str) -> str:
    """A message without what URLs in it may give away: user names, passwords, signed queries.

    >>> harmless("GET https://user:secret@host/x?X-Amz-Signature=abc failed")
    'GET https://***@host/x?*** failed'
    """
    return _QUERY.sub(r"\1?***", redacted(text))


def lasting(url: str) -> Remote:
    """A place that outlives the process. Raises UsageError for one that does not, and as `Remote` does."""
    if url.startswith("memory://"):
        raise UsageError(f"{url} is gone when this command ends; name a folder, s3:// or gs://")
    return Remote(url)


class Remote:
    """Files below a URL. Every method raises RunStopped, naming URL and reason, where the place does not answer."""

    def __init__(self, url: str) -> None:
        """Raises UsageError for a URL that holds credentials, names no place, is of no known kind, needs a package, or
        cannot be reached where that is found out at once (a folder whose links lead in a circle)."""
        if harmless(url) != url:
            raise UsageError(
                f"{harmless(url)} holds credentials, which logs would keep; put them where the storage's own tools "
                "look (environment or its configuration file)"
            )
        if not url.rpartition("://")[2].strip("/ "):
            raise UsageError(f"{url!r} names no place; name a folder, or a URL with one")
        from fsspec.core import url_to_fs
        from fsspec.implementations.local import LocalFileSystem

        self.url = url.rstrip("/")
        try:
            self._fs, root = url_to_fs(url)
        except ImportError as error:
            raise UsageError(
                f"{url} needs a package: {error}. pip install 'omni-harness[sync]' has S3 and GCS"
            ) from error
        except (ValueError, OSError) as error:
            raise UsageError(f"{url} cannot be opened: {error}") from error
        self.root = str(root).rstrip("/")
        self.folder = real(Path(self.root)) if isinstance(self._fs, LocalFileSystem) else None
        """On this machine, if it is there."""
        kinds: Any = self._fs.protocol
        self._whole = bool(WHOLE & ({kinds} if isinstance(kinds, str) else set(kinds)))

    def read(self, path: str) -> bytes | None:
        """The content of a file; None where there is none."""
        with self._told():
            try:
                content: bytes = self._fs.cat_file(self._at(path))
            except FileNotFoundError:
                return None
            return content

    def sizes(self) -> dict[str, int]:
        """Of all files there, by their paths below the folder."""
        with self._told():
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(self.root, detail=True)
            except FileNotFoundError:
                return {}
            return {path.removeprefix(f"{self.root}/"): about["size"] for path, about in found.items()}

    def write(self, path: str, content: bytes) -> None:
        """Put small content; a reader sees the old file or the new one."""
        with self._told():
            place = self._beside(path)
            self._fs.pipe_file(place, content)
            self._adopt(place, path)

    def put(self, source: Path, path: str) -> None:
        """Put a local file; a reader sees the old file or the new one."""
        with self._told():
            place = self._beside(path)
            self._fs.put_file(str(source), place)
            self._adopt(place, path)

    def get(self, path: str, target: Path) -> bool:
        """Fetch a file into `target`; False where there is none."""
        with self._told():
            try:
                self._fs.get_file(self._at(path), str(target))
            except FileNotFoundError:
                return False
            return True

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with self._told():
            try:
                self._fs.rm_file(self._at(path))
            except FileNotFoundError:
                return

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _beside(self, path: str) -> str:
        place = self._at(path if self._whole else f"{path}.part")
        if not self._whole:
            self._fs.makedirs(place.rpartition("/")[0], exist_ok=True)
        return place

    def _adopt(self, place: str, path: str) -> None:
        if not self._whole:
            self._fs.mv(place, self._at(path))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Storage libraries raise errors of their own kinds: all are one message here."""
        try:
            yield
        except Exception as error:
            reason = harmless(str(error) or type(error).__name__)
            raise RunStopped(
                f"{self.url} cannot be read or written: {reason}. What is there is whole; `harness sync` goes on"
            ) from None
