"""Parquet in the layout of a hub repository, read in batches so that memory does not grow with the data set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.readers.layout import LayoutError, listing

_BATCH = 32
_SHARD = re.compile(r"-of-(\d+)")


def split_files(folder: Path, config: str | None, split: str) -> list[Path]:
    """The parquet files of one split, in shard order.

    The hub writes `[config/]split/0000.parquet` or `[config/]split-00000-of-00001[-hash].parquet`, at any depth.
    Raises LayoutError when there are parquet files but none of this split, or when a shard is missing.
    """
    files = sorted(folder.rglob("*.parquet"))
    chosen = [f for f in files if _is_of_split(f.relative_to(folder), config, split)]
    if files and not chosen:
        wanted = f"{f'config {config!r}, ' if config else ''}split {split!r}"
        names = listing(str(f.relative_to(folder)) for f in files)
        raise LayoutError(f"no parquet file of {wanted} in {folder}, which holds {names}.")
    declared = [int(match[1]) for f in chosen if (match := _SHARD.search(f.name))]
    if declared and len(declared) < max(declared):
        raise LayoutError(
            f"{folder} holds {len(declared)} of {max(declared)} shards of split {split!r}: "
            f"{listing(str(f.relative_to(folder)) for f in chosen)}"
        )
    return chosen


def _is_of_split(path: Path, config: str | None, split: str) -> bool:
    if config and config not in path.parts[:-1]:
        return False
    return split in path.parts[:-1] or path.stem == split or path.name.startswith((f"{split}-", f"{split}."))


def check_columns(have: Sequence[str], need: Sequence[str], where: str) -> None:
    """Raise LayoutError naming the columns that are missing and those that are there."""
    if missing := [name for name in need if name not in have]:
        raise LayoutError(f"{where} has no column {', '.join(missing)}; its columns are {', '.join(have)}")


def read(files: Sequence[Path], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of the files as dicts; audio and images stay `{"bytes", "path"}`. All files are checked first."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in files:
        try:
            names = pq.read_schema(path).names
        except (pa.ArrowException, OSError) as error:
            raise LayoutError(f"not a readable parquet file: {path}: {error}") from error
        check_columns(names, columns, str(path))
    for path in files:
        with pq.ParquetFile(path, pre_buffer=False) as table:  # else the whole file is read ahead
            try:
                for batch in table.iter_batches(batch_size=_BATCH):
                    yield from batch.to_pylist()
            except (pa.ArrowException, OSError) as error:
                raise LayoutError(f"parquet file is damaged: {path}: {error}") from error
