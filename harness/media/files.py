"""Where media lie: content hashes, references, and a content-addressed cache for bytes out of tables."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from harness.failures import SampleError, UsageError
from harness.media.kinds import suffix_of
from harness.texts import printable
from harness.types import Media, MediaKind


def cache_folder() -> Path:
    """Where downloaded and unpacked media live: $HARNESS_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("HARNESS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "omni-harness"


def reference(kind: MediaKind, path: Path, start_s: float | None = None, end_s: float | None = None) -> Media:
    """A reference to a file with its content hash; the hash is empty when the file cannot be read."""
    return Media(kind, str(path), sha256_of(path), start_s, end_s)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content, "" when it cannot be read or is no file.

    It is computed once for each state of a file (path, size, times) that this process has seen.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return ""
        return _digest(str(path.absolute()), found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    except (OSError, ValueError):  # ValueError: a name that no file system can hold
        return ""


@lru_cache(maxsize=1 << 16)
def _digest(path: str, size: int, mtime_ns: int, ctime_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(media: Media) -> Path:
    """The path of a file that can be opened and is the one that was planned. Raises SampleError naming the file."""
    path = Path(media.path)
    require_file(media.kind, path)
    if media.sha256:
        digest = sha256_of(path)
        if not digest:
            raise SampleError(f"{media.kind} file cannot be read: {shown(path)}; make it readable")
        if digest != media.sha256:
            raise SampleError(f"the file changed since it was planned: {shown(path)}")
    return path


def require_file(kind: MediaKind, path: Path) -> None:
    """Raises SampleError unless a file is there, regular and not empty; a pipe or a device is refused unopened, since
    reading it could wait for ever."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SampleError(f"{kind} file is missing: {shown(path)}") from error
    except (OSError, ValueError) as error:
        raise SampleError(f"{kind} file cannot be opened: {shown(path)}: {_reason(error)}") from error
    if not stat.S_ISREG(found.st_mode):
        raise SampleError(f"{kind} is no file but a {_form(found.st_mode)}: {shown(path)}")
    if found.st_size == 0:
        raise SampleError(f"{kind} file is empty (0 bytes): {shown(path)}")


def shown(path: Path | str) -> str:
    """A path as a message can hold it: bytes that are no UTF-8 and control characters are replaced."""
    return printable(str(path))


def native(path: Path) -> str | bytes:
    """A path for a C library: its bytes where names are bytes, so that one that is no UTF-8 is found."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def intern(kind: MediaKind, content: bytes) -> Media:
    """Put bytes that came inside a table into the cache, once per content, and refer to them there.

    A file that is there under this content's name but holds another is written anew. Raises UsageError when the
    cache cannot be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = cache_folder() / "media" / digest[:2] / f"{digest}{suffix_of(content)}"
    if sha256_of(path) != digest:
        _put(path, content)
    return Media(kind, str(path), digest)


def _put(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            partial.replace(path)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the cache folder {shown(cache_folder())} cannot be written: {_reason(error)}; "
            "set HARNESS_CACHE to a folder that can, with room for the media"
        ) from error


def _reason(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def _form(mode: int) -> str:
    forms = [
        (stat.S_ISDIR, "folder"),
        (stat.S_ISFIFO, "pipe"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "device"),
        (stat.S_ISBLK, "device"),
    ]
    return next((name for test, name in forms if test(mode)), "special file")
