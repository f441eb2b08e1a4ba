"""`sync.json` at the remote place: which files make the run there, each with size and checksum.

It is written after the files that it names, in one step. What replaces a file at its name (the numbers, the manifest)
is held in it whole, so that a kill between two files leaves a state that can be fetched.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

from harness.failures import UsageError
from harness.files import encoded
from harness.schema import decoded
from harness.sync.remote import Remote
from harness.sync.snapshot import INDEX as NAME

FORMAT = 1


class Entry(msgspec.Struct, frozen=True):
    size: int
    sha256: str
    content: str | None = None
    """Of a file that is replaced as a whole."""


class Index(msgspec.Struct):
    run: str
    """`snapshot.identity` of the run."""
    files: dict[str, Entry] = msgspec.field(default_factory=dict)
    leaving: list[str] = msgspec.field(default_factory=list)
    """Files that no longer belong to the run and are being removed."""
    format: int = FORMAT


def read_index(remote: Remote) -> Index | None:
    """None where nothing was synced yet. Raises UsageError for an index that is damaged or of a later version."""
    content = remote.read(NAME)
    if content is None:
        return None
    where = f"{remote.url}/{NAME}"
    index = decoded(content, Index, where)
    if index.format > FORMAT:
        raise UsageError(f"{where} is of format {index.format}, which a later version wrote; upgrade omni-harness")
    for path in (*index.files, *index.leaving):
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or ":" in path or str(pure) != path:
            raise UsageError(f"{where} names a file outside the run: {path!r}; it was not written by `harness sync`")
    return index


def write_index(remote: Remote, index: Index) -> None:
    remote.write(NAME, encoded(index))
