"""The run directory: append-only sample logs, resume, and the files written once at the end.

A record is one line and one `write`; a line that a crash tore is dropped on read and cut off before the next
append. `finished.json` is written last: without it the run is incomplete.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from harness.failures import UsageError
from harness.idset import IdSet
from harness.media import encode_flac
from harness.types import Waveform

SYNC_EVERY = 256


def key(sample_id: str, repeat: int = 0) -> str:
    """What a resume knows a finished sample by, whatever the number of workers."""
    return f"{repeat}/{sample_id}"


class SampleLog:
    """The single writer of one task's `samples/<task>.jsonl`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        _cut_torn_tail(self._file)
        self._unsynced = 0

    def append(self, record: Mapping[str, Any]) -> None:
        line = orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS) + b"\n"
        if os.write(self._file, line) != len(line):  # a full disk: the torn line is dropped by the next reader
            raise OSError("the sample log could not be written whole; is the disk full?")
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            os.fsync(self._file)
            self._unsynced = 0

    def close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def __enter__(self) -> SampleLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class RunDir:
    """A run directory on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, manifest: Mapping[str, Any]) -> RunDir:
        """Make the directory; the manifest is its first file. Raises UsageError where it cannot be made."""
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"run directory {path} cannot be made: {error.strerror}; give another --out") from error
        if (path / "manifest.json").exists():
            raise UsageError(f"{path} already holds a run; `harness resume {path}` goes on with it")
        write_json(path / "manifest.json", manifest)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """Raises UsageError where there is no run."""
        if not (path / "manifest.json").is_file():
            raise UsageError(f"not a run directory: {path} (it has no manifest.json)")
        return cls(path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def finished(self) -> bool:
        return (self.path / "finished.json").is_file()

    def manifest(self) -> dict[str, Any]:
        """Raises UsageError where it cannot be read, or lacks what every run's has."""
        content = read_json(self.path / "manifest.json")
        for field in ("config", "tasks"):
            if not isinstance(content.get(field), dict):
                raise UsageError(f"{self.path / 'manifest.json'}: field {field!r} is missing; was the file edited?")
        return content

    def results(self) -> dict[str, Any]:
        path = self.path / "results.json"
        if not path.is_file():
            raise UsageError(f"{self.path} has no results yet; `harness resume {self.path}` finishes the run")
        return read_json(path)

    def samples_path(self, task: str) -> Path:
        return self.path / "samples" / f"{task}.jsonl"

    def log(self, task: str) -> SampleLog:
        return SampleLog(self.samples_path(task))

    def records(self, task: str) -> Iterator[dict[str, Any]]:
        """A task's records in the order in which they finished; a torn last line is left out."""
        path = self.samples_path(task)
        if not path.is_file():
            return
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise UsageError(f"{path}, line {number}: not JSON ({error}); the log was edited") from error

    def done(self, task: str) -> IdSet:
        """The keys of the task's finished samples."""
        found = IdSet()
        for record in self.records(task):
            found.add(key(record["id"], record["repeat"]))
        return found

    def prepare_records(self, task: str, records: Iterator[dict[str, Any]]) -> None:
        """Write a task's records anew beside its log (scores made again from stored responses)."""
        fresh = self._fresh_path(task)
        fresh.unlink(missing_ok=True)
        with SampleLog(fresh) as log:
            for record in records:
                log.append(record)

    def adopt_records(self, task: str) -> None:
        """Put the prepared records in the log's place, at once."""
        self._fresh_path(task).replace(self.samples_path(task))

    def _fresh_path(self, task: str) -> Path:
        return self.samples_path(task).with_suffix(".jsonl.new")

    def add_speech(self, speech: Waveform) -> dict[str, Any]:
        """Store generated speech under the hash of its FLAC; returns the record's reference to it."""
        content = encode_flac(speech)
        digest = hashlib.sha256(content).hexdigest()
        relative = Path("media") / digest[:2] / f"{digest}.flac"
        path = self.path / relative
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_atomically(path, content)
        return {"path": str(relative), "seconds": speech.seconds}

    def lock(self) -> RunLock:
        return RunLock(self.path / ".lock")


class RunLock:
    """Keeps a second process from writing to the same run; the system releases it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> RunLock:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise UsageError(f"another process is writing to {self._path.parent}") from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically: readers see the old file or the new one."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    _write_atomically(path, orjson.dumps(content, option=options))


def read_json(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds no JSON object")
    return content


def _write_atomically(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _cut_torn_tail(file: int) -> None:
    """Cut off what follows the last newline: a line that a crash left incomplete."""
    size = os.fstat(file).st_size
    end, block = size, 1 << 16
    while end > 0:
        start = max(0, end - block)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(file, end)
