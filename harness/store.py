"""The run directory: what was planned, append-only logs, resume, and derived files that are adopted in one step.

    manifest.json            what is run; written first
    plan/<task>.jsonl        the samples as they will be asked; written whole before the first answer
    samples/<task>.jsonl     a line for each answer, as it comes; never changed
    judgements/, media/      what judges said; generated speech by content
    scores/<n>/              the scores of all samples and samples.parquet; made anew beside the old
    results.json             the numbers, and which scores they come from: replacing it adopts both at once
    finished.json            written last; without it the run is incomplete

A line is one `write`; one that a crash tore is dropped on read and cut off before the next append.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from harness import migrations
from harness.failures import RunStopped, UsageError
from harness.files import encoded, read_json, told, write_atomically, write_json, write_lines_atomically, write_whole
from harness.idset import IdSet
from harness.media import encode_flac
from harness.plan import key
from harness.schema import Manifest, PlannedRow, PlannedTask, Record, Results, Scored, StoredSpeech, converted, decoded
from harness.types import Waveform

SYNC_EVERY = 256

T = TypeVar("T")


class Log:
    """The single writer of an append-only file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            _cut_torn_tail(self._file)
        self._unsynced = 0

    def append(self, record: msgspec.Struct) -> None:
        with told(self._path):
            write_whole(self._file, encoded(record) + b"\n")
            self._unsynced += 1
            if self._unsynced >= SYNC_EVERY:
                os.fsync(self._file)
                self._unsynced = 0
        if os.fstat(self._file).st_nlink == 0:
            raise RunStopped(f"{self._path} was deleted while the run was writing to it; the run is stopped")

    def close(self) -> None:
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class RunDir:
    """A run directory on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, manifest: Manifest | Mapping[str, Any]) -> RunDir:
        """Make the directory; the manifest is its first file (a mapping, for a run of another kind than evaluation).

        Raises UsageError where it cannot be made.
        """
        try:
            str(path).encode()
            path.mkdir(parents=True, exist_ok=True)
        except (OSError, UnicodeEncodeError) as error:
            reason = "its name is no UTF-8" if isinstance(error, UnicodeEncodeError) else error.strerror
            raise UsageError(f"run directory {path} cannot be made: {reason}; give another --out") from error
        if (path / "manifest.json").exists():
            raise UsageError(f"{path} already holds a run; `harness resume {path}` goes on with it")
        try:
            write_json(path / "manifest.json", manifest)
        except RunStopped as error:  # there is nothing yet to go on with
            raise UsageError(f"run directory {path} cannot be made: {error.__cause__}") from error
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """Raises UsageError where there is no run, or one of a format that this version does not read."""
        if not (path / "manifest.json").is_file():
            raise UsageError(f"not a run directory: {path} (it has no manifest.json). Name one below runs/.")
        run = cls(path)
        migrations.check(run.format, path / "manifest.json")
        return run

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def finished(self) -> bool:
        return (self.path / "finished.json").is_file()

    @property
    def format(self) -> object:
        """Of manifest and log, as the manifest says."""
        return read_json(self.path / "manifest.json").get("format")

    @property
    def kind(self) -> str:
        """ "evaluation", "probe": what made the run."""
        return str(read_json(self.path / "manifest.json").get("kind", "evaluation"))

    def manifest(self) -> Manifest:
        """Raises UsageError naming the field at fault."""
        path = self.path / "manifest.json"
        return converted(migrations.manifest(read_json(path), str(path)), Manifest, str(path))

    def write_manifest(self, manifest: Manifest) -> None:
        write_json(self.path / "manifest.json", manifest)

    def results(self) -> Results:
        path = self.path / "results.json"
        if not path.is_file():
            raise UsageError(f"{self.path} has no results yet; `harness resume {self.path}` finishes the run")
        return converted(migrations.results(read_json(path), self.path), Results, str(path))

    # Plan

    def write_plan(self, task: str, rows: Iterable[PlannedRow]) -> PlannedTask:
        """Store what will be asked; returns how many samples and the hash of their ids in order."""
        counted = _Counted(rows)
        write_lines_atomically(self._plan(task), (encoded(row) + b"\n" for row in counted))
        return counted.told()

    def changed_plan(self, task: str) -> str | None:
        """How the stored plan differs today from what the manifest says was planned; None where it does not."""
        made = (self.manifest().planned or {}).get(task)
        if made is None:
            return None
        counted = _Counted(self.plan(task))
        for _ in counted:
            pass
        found = counted.told()
        if (found.rows, found.ids_sha256) == (made.rows, made.ids_sha256):
            return None
        return f"{self._plan(task)} is not the plan that was made ({found.rows} of {made.rows} rows)"

    def plan(self, task: str) -> Iterator[PlannedRow]:
        """The samples of a task as they were planned."""
        return lines_of(self._plan(task), PlannedRow)

    def _plan(self, task: str) -> Path:
        return self.path / "plan" / f"{task}.jsonl"

    # Answers

    def samples_path(self, task: str) -> Path:
        return self.path / "samples" / f"{task}.jsonl"

    def log(self, task: str) -> Log:
        return Log(self.samples_path(task))

    def records(self, task: str) -> Iterator[Record]:
        """A task's records in the order in which they finished; a torn last line is left out."""
        if self.format == 1:
            return migrations.records(self.samples_path(task))
        return lines_of(self.samples_path(task), Record)

    def done(self, task: str) -> Done:
        """What of the task is answered."""
        found = Done()
        for record in self.records(task):
            found.add(record)
        return found

    def add_speech(self, speech: Waveform) -> StoredSpeech:
        """Store generated speech under the hash of its FLAC; returns the record's reference to it."""
        content = encode_flac(speech)
        digest = hashlib.sha256(content).hexdigest()
        relative = f"media/{digest[:2]}/{digest}.flac"
        if not (self.path / relative).exists():
            write_atomically(self.path / relative, content)
        return StoredSpeech(relative, digest, speech.seconds)

    # Scores

    def scored(self, task: str) -> Iterator[Scored]:
        """The scores of a task's records, in the order of the log, as the current results have them."""
        results = self.results()
        if not results.scores:
            return migrations.scored(self.samples_path(task), results.tasks[task].profile)
        return lines_of(self.path / results.scores / f"{task}.jsonl", Scored)

    def pairs(self, task: str) -> Iterator[tuple[Record, Scored]]:
        """The task's records in the order in which they finished, each with its own scores.

        A log that changed since it was scored keeps its records apart: one without scores comes with none.
        """
        return joined(self.records(task), self.scored(task))

    def new_scores(self) -> Path:
        """An empty folder for scores, beside the current ones. What an earlier attempt left is removed."""
        current = self.results().scores if (self.path / "results.json").is_file() else ""
        numbers = [0]
        for folder in self._score_folders():
            if f"scores/{folder.name}" == current:
                numbers.append(int(folder.name))
            else:
                shutil.rmtree(folder)
        fresh = self.path / "scores" / str(max(numbers) + 1)
        with told(fresh):
            fresh.mkdir(parents=True)
        return fresh

    def adopt(self, results: Results) -> None:
        """Put results and the scores that they name in the place of the earlier ones, in one step."""
        write_json(self.path / "results.json", results)
        if not self.finished:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            write_json(self.path / "finished.json", {"finished": now})
        for folder in self._score_folders():
            if f"scores/{folder.name}" != results.scores:
                shutil.rmtree(folder)

    def _score_folders(self) -> list[Path]:
        folder = self.path / "scores"
        return [path for path in sorted(folder.iterdir()) if path.name.isdecimal()] if folder.is_dir() else []

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps a second process from writing to the same run; the system releases it when the process dies."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(f"another process is writing to {self.path}") from None
        except (OSError, NotImplementedError) as error:
            raise UsageError(
                f"{self.path} cannot be locked ({error}): the folder is read-only or its file system has no locks. "
                "Nothing was written; use a run directory on a local disk"
            ) from error
        try:
            yield
        finally:
            lock.release()


class _Counted:
    """Rows that are counted, and their ids hashed in order, as they pass."""

    def __init__(self, rows: Iterable[PlannedRow]) -> None:
        self._rows, self._ids, self._count = rows, hashlib.sha256(), 0

    def __iter__(self) -> Iterator[PlannedRow]:
        for row in self._rows:
            self._count += 1
            self._ids.update(row.id.encode(errors="surrogatepass") + b"\n")
            yield row

    def told(self) -> PlannedTask:
        return PlannedTask(self._count, self._ids.hexdigest())


class Done:
    """The keys of a task's answered samples, with what each was asked."""

    def __init__(self) -> None:
        self._keys, self._requests = IdSet(), IdSet()
        self.count = 0
        """Records, repeated ones counted each time."""

    def add(self, record: Record) -> bool:
        """False if the sample was there already."""
        self.count += 1
        own = key(record.id, record.repeat)
        self._requests.add(f"{record.request}/{own}")
        return self._keys.add(own)

    def __contains__(self, own: str) -> bool:
        return own in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def asked(self, own: str, request: str) -> bool:
        """Whether the sample was asked just this."""
        return f"{request}/{own}" in self._requests


def lines_of(path: Path, kind: type[T]) -> Iterator[T]:
    """The lines of a file as typed values; a torn last line is left out. Raises UsageError naming the line."""
    if not path.is_file():
        return
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield decoded(line, kind, f"{path}, line {number}")


def _cut_torn_tail(file: int) -> None:
    """Cut off what follows the last newline: a line that a crash left incomplete."""
    size = os.fstat(file).st_size
    end, block = size, 1 << 16
    while end > 0:
        start = max(0, end - block)
        os.lseek(file, start, os.SEEK_SET)
        newline = os.read(file, end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(file, end)


def joined(records: Iterable[Record], scored: Iterable[Scored]) -> Iterator[tuple[Record, Scored]]:
    """Records, each with the scores of its id and repeat; with none where there are none."""
    lines, early = iter(scored), dict[str, Scored]()
    for record in records:
        own = key(record.id, record.repeat)
        found = early.pop(own, None)
        while found is None and (line := next(lines, None)) is not None:
            if key(line.id, line.repeat) == own:
                found = line
            else:
                early[key(line.id, line.repeat)] = line
        yield record, found or Scored(record.id, {}, repeat=record.repeat)
