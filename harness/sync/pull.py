"""`harness sync URL RUN`: fetch a run, or what a copy of it lacks, every file held to its checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from harness.failures import UsageError
from harness.files import told, write_atomically
from harness.store import RunDir
from harness.sync.index import Entry, Index, read_index
from harness.sync.remote import Remote
from harness.sync.snapshot import copied, hashed, identity, is_log, whole_lines


class Pulled(NamedTuple):
    fetched: list[str]
    """Paths that were fetched, or with `dry_run` would be."""
    size: int
    kept: int


def pull(remote: Remote, run: Path, dry_run: bool = False) -> Pulled:
    """Fetch a synced run into `run`; killed, it goes on when it is called again.

    Raises UsageError where nothing was synced, where `run` is another run or has answers that the remote place lacks,
    and where a file there is not what its checksum says.
    """
    index = read_index(remote)
    if index is None or "manifest.json" not in index.files:
        raise UsageError(f"{remote.url} holds no run whose first sync came to its end; `harness sync RUN URL` goes on")
    if run.exists() and not run.is_dir():
        raise UsageError(f"{run} is a file; name a folder")
    if (run / "manifest.json").exists() and identity(run) != index.run:
        raise UsageError(f"{run} is another run than {remote.url}; name another folder")
    lacking = [path for path in index.files if _lacks(run / path, path, index.files[path], remote.url)]
    made = Pulled(lacking, sum(index.files[path].size for path in lacking), len(index.files) - len(lacking))
    if dry_run or not lacking:
        return made
    with told(run):
        run.mkdir(parents=True, exist_ok=True)
    with RunDir(run).lock():
        for path in sorted(lacking, key=_order):
            _fetch(remote, index, path, run / path)
    return made


def _order(path: str) -> int:
    """The manifest last: without it the folder is no run yet."""
    return ("judges.json", "results.json", "finished.json", "manifest.json").index(path) if _is_head(path) else -1


def _is_head(path: str) -> bool:
    return path in ("judges.json", "results.json", "finished.json", "manifest.json")


def _lacks(local: Path, path: str, there: Entry, url: str) -> bool:
    if not local.is_file():
        return True
    if not is_log(path):
        return local.stat().st_size != there.size or hashed(local) != there.sha256
    size = whole_lines(local)
    if size > there.size:
        raise UsageError(f"{local} has lines that {url} lacks; `harness sync` them there, or name another folder")
    return size < there.size or hashed(local, size) != there.sha256


def _fetch(remote: Remote, index: Index, path: str, target: Path) -> None:
    entry = index.files[path]
    if entry.content is not None:
        content = entry.content.encode()
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise _damaged(remote, path)
        write_atomically(target, content)
        return
    with told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    arrived, cut = target.with_name(f"{target.name}.arrived.part"), target.with_name(f"{target.name}.part")
    try:
        if not remote.get(path, arrived):
            raise UsageError(f"{remote.url}/{path} is missing; sync the run there again")
        if (
            target.is_file()
            and is_log(path)
            and hashed(target, whole_lines(target)) != hashed(arrived, whole_lines(target))
        ):
            raise UsageError(f"{target} is no beginning of {remote.url}/{path}: the two went apart")
        with told(target):
            found = copied(arrived, cut, entry.size)  # a log may have grown since the index was written
            if found != (entry.size, entry.sha256):
                raise _damaged(remote, path)
            cut.replace(target)
    finally:
        arrived.unlink(missing_ok=True)
        cut.unlink(missing_ok=True)


def _damaged(remote: Remote, path: str) -> UsageError:
    return UsageError(
        f"{remote.url}/{path} is not what its checksum says: it is being written, or was changed. Fetch again, or "
        "remove it there and sync the run there again"
    )
