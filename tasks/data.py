"""Where a benchmark's rows come from: the hub, a folder with the published archives, or the shipped mini data.

The mini data is a folder in the archives' own layout, so the same readers serve it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from harness.contracts import DataChoice
from harness.failures import UsageError
from harness.media import sha256_of
from harness.needs import Need
from harness.task import Row
from tasks.readers.download import Download
from tasks.readers.hub import DataSetError, Hub
from tasks.readers.layout import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    LayoutError,
    OtherSplit,
    TwoSources,
    files_below,
    found_instead,
    is_hidden,
    names_of,
    text_fault,
)
from tasks.readers.media import media_name as media_name
from tasks.readers.media import media_part as media_part
from tasks.readers.rows import MEDIA_COLUMNS, sound

MINI = Path(__file__).parent / "mini" / "data"
_TABLES = (".txt", ".tsv", ".csv", ".jsonl", ".json", ".scp", ".lst", ".parquet")
"""Files whose content is in the fingerprint; of media it has path and size, as a run hashes each that it opens."""
_OTHER_SPLITS = ("train", "dev", "validation")
"""Folders that archives unpack beside the split which is read; their media are no strays."""


@dataclass(frozen=True, slots=True)
class Source:
    """A benchmark's data.

    `folder` reads the published archive below a folder; `files` are the paths below it that hold this task's
    files (their first folder may have the archive's other name); `layout` is how they are laid out, as shown to a
    user. `hub` is None where neither the hub nor an address has the data set. `published` is how many rows the
    benchmark has, None where that is not known. `pooled` are media that other lists name too: that no row has one of
    them means nothing.
    """

    folder: Callable[[Path], Iterator[Row]]
    files: tuple[str, ...]
    layout: str
    hub: Hub | Download | None = None
    published: int | None = None
    pooled: bool = False

    def rows(self, data: DataChoice) -> Iterable[Row]:
        """Rows in the benchmark's order. The first is read at once, so that a wrong layout shows here.

        A row with `error` cannot be used; the text says where it is and what mends it. Raises UsageError naming what
        is missing, what was found instead and what is expected.
        """
        if data.kind == "hub":
            return self._from_hub()
        root = _folder_of(data)
        try:
            return _started(sound(self._below(root)), root)
        except LayoutError as error:
            raise UsageError(f"{_clause(error)}. Expected in {root}: {self._expected}.") from error

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        """What identifies the data: on the hub its id and revision, in a folder a hash over its files.

        Of tables the content counts, of media path and size. Paths count from the folder, so a copy is the same.
        """
        if data.kind == "hub":
            return self._need_hub().fingerprint()
        root = _folder_of(data)
        return {"source": data.kind, **_hash_of_files(self._local_files(root) or self._files(root), root)}

    def needs(self) -> tuple[Need, ...]:
        """What `--data hub` reads, as a value."""
        if self.hub is not None:
            return (self.hub.need(),)
        remedy = f"It is on no hub: give `--data DIR`, where DIR holds {self.layout}"
        return (Need("data", "nowhere", self.files[0], lacks=lambda _: "is on no hub", remedy=remedy),)

    def strays(self, data: DataChoice) -> tuple[str, ...]:
        """Media files of this layout that no row has: paths below the data folder, sorted; () for tables with media.

        () also where the media are pooled.

        Raises UsageError as `rows` does.
        """
        if data.kind == "hub" or self.pooled:
            return ()
        root = _folder_of(data)
        suffixes = AUDIO_SUFFIXES + IMAGE_SUFFIXES
        media = [] if self._local_files(root) else [f for f in self._files(root) if f.suffix.lower() in suffixes]
        if not media:
            return ()
        of_rows = {path for row in self.rows(data) for path in _files_of(row)}
        paths = (file.relative_to(root) for file in media if of_rows.isdisjoint((str(file), str(file.parent))))
        return tuple(sorted(path.as_posix() for path in paths if not set(_OTHER_SPLITS) & set(path.parts[2:-1])))

    @property
    def _expected(self) -> str:
        if self.hub is None or isinstance(self.hub, Download) or self.hub.folder is not None:
            return self.layout
        return f"{self.layout}; or the hub's parquet files in {self.hub.id.split('/')[-1]}/"

    def _below(self, root: Path) -> Iterator[Row]:
        """The rows of the hub's files or of the archive. Raises LayoutError when both are there, naming them."""
        files = self._local_files(root)
        return self.hub.read_files(files, root) if self.hub and files else self.folder(root)

    def _local_files(self, root: Path) -> list[Path]:
        """The hub's files in a local copy, [] where the archive is to be read."""
        if self.hub is None:
            return []
        try:
            files = self.hub.local_files(root)
        except OtherSplit:  # which does not matter when the archive is there
            if self._has_archive(root):
                return []
            raise
        if files and self._has_archive(root):
            if not self.hub.fits(files):
                return []
            place = next(iter(self._places(root)), root)
            raise TwoSources(f"two sources of the same rows: {place} and {files[0]}. Keep one of them")
        return files

    def _has_archive(self, root: Path) -> bool:
        try:
            return next(self.folder(root), None) is not None
        except TwoSources:
            raise
        except LayoutError:
            return False

    def _places(self, root: Path) -> list[Path]:
        """What is there of `files`, under each of their names."""
        parts = (part.partition("/") for part in self.files)
        named = (name + slash + rest for first, slash, rest in parts for name in names_of(first))
        return [place for pattern in named for place in sorted(root.glob(pattern))]

    def _files(self, root: Path) -> list[Path]:
        found = (files_below(place) if place.is_dir() else [place] for place in self._places(root))
        return sorted({file for files in found for file in files if file.is_file() and not is_hidden(file.name)})

    def _need_hub(self) -> Hub | Download:
        if self.hub is None:
            raise UsageError(
                f"this data set is not on the hub. Give `--data DIR`, where DIR holds {self.layout}; "
                "or `--data mini` for the small data that ships with the harness."
            )
        return self.hub

    def _from_hub(self) -> Iterable[Row]:
        hub = self._need_hub()
        try:
            return _started(sound(hub.rows()), hub)
        except (DataSetError, LayoutError) as error:
            raise UsageError(
                f"{_clause(error)}. Three ways to give the data: "
                f"(1) fill the cache where there is a network: `{hub.download_command}`; "
                f"(2) `--data DIR`, where DIR holds {self._expected}; "
                "(3) `--data mini`, the small data that ships with the harness."
            ) from error


def _folder_of(data: DataChoice) -> Path:
    """The data folder, absolute, so that a run goes on from any folder."""
    root = (MINI if data.folder is None else data.folder).absolute()
    if text_fault(str(root)):
        raise UsageError(f"the path of the data folder is not UTF-8 text: {str(root)!r}. Rename the folder.")
    if not root.is_dir():
        raise UsageError(f"data folder not found: {root}. {found_instead(root)}")
    return root


def _started(rows: Iterator[Row], where: object) -> Iterator[Row]:
    """The same rows, after the first has been read. What the system refuses to read is told as what it is."""

    def told() -> Iterator[Row]:
        try:
            yield from rows
        except OSError as error:
            raise LayoutError(f"cannot be read: {error.filename or where}: {error.strerror or error}") from error

    safe = told()
    first = next(safe, None)
    if first is None:
        raise LayoutError(f"no rows in {where}.")
    return chain([first], safe)


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")


def _files_of(row: Row) -> set[str]:
    """The media file that a row is of, also when it fails, and the folder of frames that it was made of."""
    file = next((row[name] for name in MEDIA_COLUMNS if row.get(name)), row.get("media_path", ""))
    return {str(file), str(row["frames"])} if "frames" in row else {str(file)}


def _hash_of_files(files: Sequence[Path], root: Path) -> dict[str, Any]:
    digest, total = hashlib.sha256(), 0
    for file in sorted(files):
        size = file.stat().st_size
        total += size
        content = sha256_of(file) if file.suffix.lower() in _TABLES else ""
        digest.update(f"{file.relative_to(root).as_posix()}\t{size}\t{content}\n".encode(errors="surrogateescape"))
    return {"files": len(files), "bytes": total, "sha256": digest.hexdigest()}
