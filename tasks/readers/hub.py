"""Rows from a data set on the Hugging Face hub, or from what earlier downloads left in its caches.

Two caches count: the files of the repository (`hf download`, $HF_HUB_CACHE) and the tables that
`datasets.load_dataset` made of them ($HF_DATASETS_CACHE). Without network both are tried; with neither filled the
error names the ways out. The one request that decides whether there is a network gives up after `PATIENCE_S`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

from harness.failures import UsageError
from harness.hub_cache import snapshot
from harness.needs import Need
from harness.task import Row
from tasks.readers import parquet
from tasks.readers.layout import LayoutError, only_one
from tasks.readers.media import with_files
from tasks.readers.rows import own_columns

PATIENCE_S = 3.0


def copies_of(id: str) -> tuple[str, str]:
    """The folders in which a local copy of a data set may lie: its id, or the repository's name alone."""
    return id, id.split("/")[-1]


@dataclass(frozen=True, slots=True)
class Hub:
    """A split of a hub data set. `columns` must be there; `adapt` turns its rows into the benchmark's own."""

    id: str
    split: str
    columns: tuple[str, ...]
    adapt: Callable[[Iterable[Row]], Iterator[Row]] = iter
    config: str | None = None
    revision: str = "main"
    """A commit where the protocol or common use pins one; "main" may change under the same name."""
    files: str | None = None
    """Where the split's files are in the repository, so that no other split is downloaded with it."""
    folder: Callable[[Path], Iterator[Row]] | None = None
    """Reads a download of the whole repository, where media lie beside the tables; takes the place of `adapt`."""

    @property
    def pinned(self) -> bool:
        return self.revision != "main"

    def __str__(self) -> str:
        config = f", config {self.config}" if self.config else ""
        return f"{self.id} (revision {self.revision}{config}, split {self.split})"

    @property
    def download_command(self) -> str:
        """The command that puts this split's files into the cache, from where they are read without network."""
        pin = f" --revision {self.revision}" if self.pinned else ""
        part = f" --include '{self.files}'" if self.files else ""
        return f"hf download {self.id} --repo-type dataset{pin}{part}"

    def need(self) -> Need:
        """What of the repository is read, as a value; asks nobody."""
        return Need("data", "dataset", self.id, self.revision, self._patterns, self._lacks)

    @property
    def _patterns(self) -> tuple[str, ...]:
        """Those of this split's files, as `parquet.split_files` knows them; () for a repository that is read whole."""
        if self.folder is not None:
            return ()
        if self.files:
            return (self.files,)
        named = (f"{self.split}.parquet", f"{self.split}[-._][0-9]*.parquet", f"{self.split}/*.parquet")
        heads = ("", "*/") if self.config is None else (f"{self.config}/", f"*/{self.config}/", f"{self.config}/*/")
        return tuple(head + name for head in heads for name in named)

    def _lacks(self, snapshot: Path) -> str:
        if self.folder is not None:
            return "" if any(path.is_file() for path in snapshot.rglob("*")) else "is empty"
        try:
            return "" if parquet.split_files(snapshot, self.config, self.split) else "has no parquet file"
        except LayoutError as error:
            return str(error).rstrip(".")

    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "source": "hub",
            "id": self.id,
            "revision": self.revision,
            "revision_pinned": self.pinned,
            "config": self.config,
            "split": self.split,
        }

    def local_files(self, folder: Path) -> list[Path]:
        """This split's parquet files in a local copy: FOLDER/<id>, FOLDER/<name of the repository>, or FOLDER.

        Raises LayoutError when they are in two of these places.
        """
        if self.folder is not None:
            return []
        named = [folder / copy for copy in copies_of(self.id) if (folder / copy).is_dir()]
        found = {place: files for place in named if (files := parquet.split_files(place, self.config, self.split))}
        if (place := only_one(list(found), f"split {self.split!r} of {self.id}")) is not None:
            return found[place]
        if any(folder.glob("*.parquet")) or any(folder.glob("data/*.parquet")):
            return parquet.split_files(folder, self.config, self.split)
        return []

    def fits(self, files: list[Path]) -> bool:
        """Whether the files have this data set's columns; FOLDER itself may hold another benchmark's."""
        try:
            parquet.check_files(files, self.columns)
        except LayoutError:
            return False
        return True

    def read_files(self, files: list[Path], root: Path) -> Iterator[Row]:
        """The rows of files below `root`, from where the media that they name may come."""
        return self.adapt(parquet.read(files, self.columns, root))

    def rows(self) -> Iterator[Row]:
        """Rows from the hub or its caches. Raises UsageError; the caller adds the remedies."""
        from huggingface_hub import constants

        fault = _network_fault()
        if self.folder is not None:
            return self.folder(self._download(fault))
        if fault is None:
            wanted = {"data_files": {self.split: self.files}} if self.files else {"name": self.config}
            return self.adapt(self._load(**wanted))
        snapshot, incomplete = self._snapshot(), ""
        if snapshot is not None:
            try:
                if files := parquet.split_files(snapshot, self.config, self.split):
                    return self.read_files(files, snapshot)
            except LayoutError as error:  # another split, or not all of its shards: `datasets` may have a table
                incomplete = f". {error}"
        with _datasets_offline():
            try:
                return self.adapt(self._load(name=self.config))
            except DataSetError:
                raise DataSetError(
                    f"data set {self} is not in the cache ({constants.HF_HOME}) and cannot be fetched: "
                    f"{fault}{incomplete}"
                ) from None

    def _download(self, fault: str | None) -> Path:
        """The folder of the whole repository, downloaded where there is a network."""
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import HfHubHTTPError

        if fault is None:
            try:
                return Path(snapshot_download(self.id, repo_type="dataset", revision=self.revision))
            except (HfHubHTTPError, OSError) as error:
                raise DataSetError(f"data set {self} cannot be downloaded: {type(error).__name__}: {error}") from error
        if (found := self._snapshot()) is None:
            raise DataSetError(
                f"data set {self} is not in the cache ({constants.HF_HOME}) and cannot be fetched: {fault}"
            )
        return found

    def _snapshot(self) -> Path | None:
        """The folder that `hf download` or `harness prefetch` left, None when there is none."""
        return snapshot("dataset", self.id, self.revision)

    def _load(self, **wanted: Any) -> Iterable[Row]:
        import datasets
        from huggingface_hub import constants

        try:
            table = datasets.load_dataset(self.id, split=self.split, revision=self.revision, **wanted)
        except Exception as error:  # its errors share no base: connection, missing repository, config, split
            raise DataSetError(f"data set {self} cannot be loaded: {type(error).__name__}: {error}") from error
        if self.pinned:
            _check_revision(table, self.revision)
        parquet.check_columns(table.column_names, self.columns, f"data set {self}")
        for name, feature in table.features.items():
            if hasattr(feature, "decode"):  # decoding audio would need torchcodec; the runner opens media itself
                table = table.cast_column(name, type(feature)(decode=False))
        caches = (Path(constants.HF_HUB_CACHE), Path(datasets.config.HF_DATASETS_CACHE))
        return with_files((own_columns(row) for row in table), f"data set {self}", (), caches)


class DataSetError(UsageError):
    """A hub data set could not be loaded."""


def _check_revision(table: Any, revision: str) -> None:
    """Offline, `datasets` takes the newest table it has whatever the revision; its folder is named by the commit."""
    for file in table.cache_files:
        commit = Path(file["filename"]).parent.name
        if len(commit) == 40 and commit != revision:
            raise LayoutError(f"the cache holds revision {commit} at {file['filename']}, the task pins {revision}")


@cache
def _network_fault() -> str | None:
    """Why the hub cannot be asked, None when it answers. Found out once in a process."""
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE or _is_true("HF_HUB_OFFLINE") or _is_true("HF_DATASETS_OFFLINE"):
        return "the hub is switched off (HF_HUB_OFFLINE or HF_DATASETS_OFFLINE is set)"
    outcome: list[str | None] = [f"no answer from {constants.ENDPOINT} within {PATIENCE_S:g} s"]

    def ask() -> None:
        try:
            get_session().head(constants.ENDPOINT, timeout=PATIENCE_S)
            outcome[0] = None
        except Exception as error:  # which error depends on the HTTP library below huggingface_hub
            outcome[0] = f"{constants.ENDPOINT} cannot be reached ({error})"

    thread = Thread(target=ask, daemon=True)  # a thread, as no timeout covers the look-up of the host's name
    thread.start()
    thread.join(PATIENCE_S)
    return outcome[0]


@contextmanager
def _datasets_offline() -> Iterator[None]:
    """Keep `datasets` from trying the network again, with its retries, when it is known to be absent."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _is_true(variable: str) -> bool:
    return os.environ.get(variable, "").upper() in {"1", "ON", "YES", "TRUE"}
