"""One pass of `harness sync RUN URL`: send what is not there yet, then say in the index what is there."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from harness.failures import UsageError
from harness.files import json_object, real
from harness.sync.index import Entry, Index, read_index, write_index
from harness.sync.remote import Remote
from harness.sync.snapshot import Snapshot, copied, hashed, identity, identity_of, is_log, read_scores, take

INDEX_EVERY = 15.0
"""Seconds after which a long pass writes the index, so that one that is killed does not send all again."""

Stamp = tuple[int, int]


class Known:
    """What one pass leaves to the next: hashes of local files, while size and time of change stay what they were, and
    whether the files that the index names were looked for."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Stamp, str]] = {}
        self.looked = False

    def sha256(self, run: Path, path: str, size: int | None) -> str:
        status = (run / path).stat()
        stamp = (status.st_size if size is None else size, status.st_mtime_ns)
        kept = self._kept.get(path)
        if kept is None or kept[0] != stamp:
            kept = self._kept[path] = (stamp, hashed(run / path, size))
        return kept[1]


class Pushed(NamedTuple):
    sent: list[str]
    """Paths that were sent, or with `dry_run` would be."""
    size: int
    """Their bytes."""
    kept: int
    """Files that were there already."""
    finished: bool


def push(run: Path, remote: Remote, known: Known | None = None, dry_run: bool = False) -> Pushed:
    """Send what the remote place lacks. Killed at any moment, it leaves a state there that can be fetched.

    Raises UsageError if another run is there, or answers that this one lacks.
    """
    taken = take(run)
    if remote.folder is not None and remote.folder.is_relative_to(real(run)):
        raise UsageError(f"{remote.url} is inside {run}; name a place outside it")
    index, known = _index_of(run, remote), known or Known()
    if not known.looked:
        _forget_lost(index, remote)
        known.looked = True
    work = _Pass(run, remote, index, known, dry_run)
    logs = {path: size for path, size in taken.logs.items() if work.lacks_log(path, size)}
    for path in taken.others:
        work.send(path)
    for path, size in logs.items():
        work.send(path, size)
    if work.whole:
        for name in reversed(taken.heads):
            work.head(name, taken.heads[name])
        work.conclude(taken)
    return Pushed(work.sent, work.size, work.kept, "finished.json" in taken.heads)


def _index_of(run: Path, remote: Remote) -> Index:
    own, index = identity(run), read_index(remote)
    if index is None:
        there = remote.read("manifest.json")  # of a first sync that was killed before it wrote the index
        if there is None or identity_of(json_object(there, f"{remote.url}/manifest.json")) == own:
            return Index(own)
    if index is None or index.run != own:
        raise UsageError(f"{remote.url} holds another run than {run}; name another place")
    return index


def _forget_lost(index: Index, remote: Remote) -> None:
    """Take out of the index what is not there any more, or is of another size, so that it is sent again; small files
    are compared as a whole. A log may be longer than the index says: a pass may have been killed before it wrote it."""
    sizes = remote.sizes()
    for path, entry in list(index.files.items()):
        size = sizes.get(path, -1)
        whole = size >= entry.size if is_log(path) else size == entry.size
        if not whole or (entry.content is not None and remote.read(path) != entry.content.encode()):
            del index.files[path]


class _Pass:
    def __init__(self, run: Path, remote: Remote, index: Index, known: Known, dry_run: bool) -> None:
        self._run, self._remote, self._index, self._known, self._dry = run, remote, index, known, dry_run
        self.sent: list[str] = []
        self.size = self.kept = 0
        self.whole = True
        """Nothing vanished meanwhile: a rescoring removes the scores that it replaces."""
        self._written = time.monotonic()

    def lacks_log(self, path: str, size: int) -> bool:
        """Whether lines of a log are to be sent. Raises UsageError where the remote log is no beginning of ours."""
        there = self._index.files.get(path)
        if there is None:
            return size > 0
        if there.size > size:
            raise UsageError(
                f"{self._remote.url}/{path} has lines that {self._run} lacks; `harness sync {self._remote.url} "
                f"{self._run}` fetches them, or name another place"
            )
        if there.sha256 != hashed(self._run / path, there.size):
            raise UsageError(
                f"{self._remote.url}/{path} is no beginning of {self._run / path}: the two went apart, or one was "
                "edited. Name another place"
            )
        self.kept += there.size == size
        return there.size < size

    def send(self, path: str, size: int | None = None) -> None:
        """Send a file, or the first `size` bytes of it, unless it is there."""
        there = self._index.files.get(path)
        try:
            if there is not None and there.sha256 == self._known.sha256(self._run, path, size):
                self.kept += 1
                return
            if self._dry:
                self._count(path, (self._run / path).stat().st_size if size is None else size)
                return
            with tempfile.TemporaryDirectory(prefix="harness-sync-") as folder:
                copy = Path(folder) / "copy"  # what is hashed is what is sent, whatever is appended meanwhile
                entry = Entry(*copied(self._run / path, copy, size))
                self._remote.put(copy, path)
        except FileNotFoundError:
            self.whole = False
            return
        self._index.files[path] = entry
        self._count(path, entry.size)
        if time.monotonic() - self._written > INDEX_EVERY:
            self._commit()

    def head(self, name: str, content: bytes) -> None:
        """Send a file that is replaced as a whole."""
        entry = Entry(len(content), hashlib.sha256(content).hexdigest(), content.decode())
        if self._index.files.get(name) == entry:
            self.kept += 1
            return
        self._count(name, entry.size)
        if not self._dry:
            self._remote.write(name, content)
            self._index.files[name] = entry

    def conclude(self, taken: Snapshot) -> None:
        """Adopt what was sent, then remove the scores that it replaces."""
        scores = read_scores(self._run, taken.heads.get("results.json"))
        stale = [path for path in self._index.files if path.startswith("scores/") and not path.startswith(f"{scores}/")]
        if self._dry or not (self.sent or stale or self._index.leaving):
            return
        for path in stale:
            del self._index.files[path]
        self._index.leaving = sorted({*self._index.leaving, *stale} - self._index.files.keys())
        self._commit()
        if self._index.leaving:
            for path in self._index.leaving:
                self._remote.remove(path)
            self._index.leaving = []
            self._commit()

    def _commit(self) -> None:
        write_index(self._remote, self._index)
        self._written = time.monotonic()

    def _count(self, path: str, size: int) -> None:
        self.sent.append(path)
        self.size += size
