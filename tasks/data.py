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

from harness.contracts import DataChoice, Row
from harness.failures import UsageError
from harness.media import intern, reference
from harness.types import Media, MediaKind
from tasks.readers.hub import DataSetError, Hub
from tasks.readers.layout import LayoutError, found_instead

MINI = Path(__file__).parent / "mini" / "data"


@dataclass(frozen=True, slots=True)
class Source:
    """A benchmark's data.

    `folder` reads the published archive below a folder; `files` are the paths below it that hold this task's
    files; `layout` is how they are laid out, as shown to a user. `hub` is None where the hub has no such data set.
    """

    folder: Callable[[Path], Iterator[Row]]
    files: tuple[str, ...]
    layout: str
    hub: Hub | None = None

    def rows(self, data: DataChoice) -> Iterable[Row]:
        """Rows in the benchmark's order. The first is read at once, so that a wrong layout shows here.

        Raises UsageError naming what is missing, what was found instead and what is expected.
        """
        if data.kind == "hub":
            return self._from_hub()
        root = _folder_of(data)
        try:
            return _started(self._below(root), root)
        except LayoutError as error:
            raise UsageError(f"{_clause(error)}. Expected in {root}: {self._expected}.") from error

    def fingerprint(self, data: DataChoice) -> Mapping[str, Any]:
        """What identifies the data: on the hub its id and revision, in a folder a hash over paths and sizes."""
        if data.kind == "hub":
            return self._need_hub().fingerprint()
        root = _folder_of(data)
        listed = self.hub.local_files(root) if self.hub else []
        return {"source": data.kind, **_hash_of_list(listed or _files_below(root, self.files), root)}

    @property
    def _expected(self) -> str:
        if self.hub is None:
            return self.layout
        return f"{self.layout}; or the hub's parquet files in {self.hub.id.split('/')[-1]}/"

    def _below(self, root: Path) -> Iterator[Row]:
        if self.hub and (files := self.hub.local_files(root)):
            return self.hub.read_files(files)
        return self.folder(root)

    def _need_hub(self) -> Hub:
        if self.hub is None:
            raise UsageError(
                f"this data set is not on the hub. Give `--data DIR`, where DIR holds {self.layout}; "
                "or `--data mini` for the small data that ships with the harness."
            )
        return self.hub

    def _from_hub(self) -> Iterable[Row]:
        hub = self._need_hub()
        try:
            return _started(hub.rows(), hub)
        except (DataSetError, LayoutError) as error:
            raise UsageError(
                f"{_clause(error)}. Three ways to give the data: "
                f"(1) fill the cache where there is a network: `{hub.download_command}`; "
                f"(2) `--data DIR`, where DIR holds {self._expected}; "
                "(3) `--data mini`, the small data that ships with the harness."
            ) from error


def media_part(kind: MediaKind, value: object) -> Media:
    """A row's media as a reference: a path, bytes out of a table, or the hub's `{"bytes", "path"}`.

    Raises ValueError when the row has none.
    """
    match value:
        case Path():
            return reference(kind, value)
        case bytes():
            return intern(kind, value)
        case {"bytes": bytes(content)}:
            return intern(kind, content)
        case {"path": str(path)}:
            return reference(kind, Path(path))
    raise ValueError(f"the row has no {kind}")


def media_name(value: object) -> str:
    """The file name of a hub row's media, "" when it has none."""
    path = value.get("path") if isinstance(value, Mapping) else None
    return Path(path).name if path else ""


def _folder_of(data: DataChoice) -> Path:
    root = MINI if data.folder is None else data.folder
    if not root.is_dir():
        raise UsageError(f"data folder not found: {root}. {found_instead(root)}")
    return root


def _started(rows: Iterator[Row], where: object) -> Iterator[Row]:
    """The same rows, after the first has been read."""
    first = next(rows, None)
    if first is None:
        raise LayoutError(f"no rows in {where}.")
    return chain([first], rows)


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")


def _files_below(root: Path, parts: Sequence[str]) -> list[Path]:
    places = [place for part in parts for place in root.glob(part)]
    files = (file for place in places for file in ([place] if place.is_file() else place.rglob("*")))
    return sorted({file for file in files if file.is_file()})


def _hash_of_list(files: Sequence[Path], root: Path) -> dict[str, Any]:
    """Sizes instead of contents: a run records the hash of every media file that it opens anyway."""
    digest, total = hashlib.sha256(), 0
    for file in sorted(files):
        size = file.stat().st_size
        total += size
        digest.update(f"{file.relative_to(root).as_posix()}\t{size}\n".encode())
    return {"files": len(files), "bytes": total, "list_sha256": digest.hexdigest()}
