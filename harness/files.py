"""Writing files so that a reader sees the old content or the new one, whatever stops the writer, and reading JSON."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import orjson

from harness.failures import RunStopped, UsageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def need_file(path: Path, what: str) -> None:
    """Raise UsageError unless a regular file is there: reading a pipe could wait for ever."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{what} cannot be read: {path}: {reason}") from error
    if not regular:
        raise UsageError(f"{what} cannot be read: {path} is no regular file")


def real(path: Path) -> Path:
    """Where a path leads, whether anything is there or not. Raises UsageError where its links lead in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: before Python 3.13
        raise UsageError(f"{path}: its links lead in a circle; name another") from error


def at_home(path: str | Path) -> Path:
    """With `~` as the home that it stands for; as it is where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_there(path: Path) -> bool:
    """Whether something is at a path; of one that no file can have, such as too long a name, nothing is."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside `path`, then take its place at once."""
    write_lines_atomically(path, [content])


def write_lines_atomically(path: Path, pieces: Iterable[bytes]) -> None:
    """The same for content that is made piece by piece, each piece written as it comes."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(partial, pieces)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        for block in _blocks(pieces):
            write_whole(file, block)
        os.fsync(file)
    finally:
        os.close(file)


def write_whole(file: int, content: bytes) -> None:
    """One `write`; what a full disk did not take is told. Raises OSError."""
    if os.write(file, content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """A disk that is full, read-only or gone ends the command with one message that says what is safe. Raises
    RunStopped."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        remedy = "free some space" if error.errno in _FULL else "make it writable"
        safe = f"Nothing there was changed; {remedy}"
        if _in_run(path):
            safe = (
                f"Every answer that was logged is safe; {remedy}, then go on with `harness resume` and the run's "
                "directory"
            )
        raise RunStopped(f"{path} cannot be written: {reason}. {safe}") from error


def _in_run(path: Path) -> bool:
    """Whether a file belongs to a run directory, whose files lie at most two folders deep."""
    return any(is_there(folder / "manifest.json") for folder in path.parents[:3])


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file to, which takes its name once it is whole.

    What is no regular file, such as a pipe, is written as it is. Raises RunStopped where the disk does not take it;
    what was at `path` is as before.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    place = path if path.exists() and not path.is_file() else partial
    try:
        yield place
        if place is partial:
            partial.replace(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        remedy = "free some space" if error.errno in _FULL else "name another place"
        raise RunStopped(f"{path} cannot be written: {reason}. Nothing there was changed; {remedy}") from error
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """A mapping or a `msgspec.Struct` as indented JSON, atomically."""
    write_atomically(path, msgspec.json.format(encoded(content), indent=2) + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises UsageError naming the file."""
    need_file(path, "JSON")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    return json_object(content, str(path))


def json_object(content: bytes, where: str) -> dict[str, Any]:
    """The JSON object that a file holds. Raises UsageError naming `where`."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{where} holds no JSON object")
    return found


def plain(value: Any) -> Any:
    """A value as it looks after a trip through JSON: tuples are lists."""
    return msgspec.json.decode(encoded(value))


def encoded(value: Any) -> bytes:
    """JSON of a Struct, dataclass or plain value; a lone surrogate, which JSON cannot hold, becomes U+FFFD."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain)
    except UnicodeEncodeError:
        return msgspec.json.encode(_writable(msgspec.to_builtins(value, enc_hook=_plain)))


def _plain(value: Any) -> Any:
    """numpy scalars and arrays, paths, and mappings of other types as what JSON has."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} cannot be written as JSON")


def _writable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_writable(key): _writable(item) for key, item in value.items()}
        case list() | tuple():
            return [_writable(item) for item in value]
    return value


def _blocks(pieces: Iterable[bytes], size: int = 1 << 16) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= size:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
