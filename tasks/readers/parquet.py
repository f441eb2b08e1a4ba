"""Parquet in the layout of a hub repository, read in batches so that memory does not grow with the data set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.media import sha256_of
from harness.task import Row
from tasks.readers.layout import LayoutError, OtherSplit, TwoSources, files_below, listing
from tasks.readers.media import with_files
from tasks.readers.rows import own_columns

_BATCH = 32
_COPY = re.compile(r"(?: ?\(\d+\)|[ _-]+copy(?: ?\d+)?)$", re.IGNORECASE)
"""What browsers and file managers append to the name of a second copy: `0000 (1)`, `0000 - Copy`."""
_OF = re.compile(r"(?P<set>.+?)-(?P<number>\d+)-of-(?P<total>\d+)(?:-[0-9a-f]+)?")


class _Shard(NamedTuple):
    """A file's place: which set of shards it is of, its number there, and how many that set declares."""

    path: Path
    set: str
    number: int | None
    total: int | None


def split_files(folder: Path, config: str | None, split: str) -> list[Path]:
    """The parquet files of one split, in shard order.

    The hub writes `[config/]split/0000.parquet` or `[config/]split-00000-of-00001[-hash].parquet`, at any depth.
    Raises LayoutError when there are parquet files but none of this split, when a shard is missing (naming it), and
    when one is there twice or beside those of another set (naming both).
    """
    files = [path for path in files_below(folder) if path.suffix.lower() == ".parquet"]
    chosen = [path for path in files if _is_of_split(path.relative_to(folder), config, split)]
    if files and not chosen:
        wanted = f"{f'config {config!r}, ' if config else ''}split {split!r}"
        names = listing(str(path.relative_to(folder)) for path in files)
        raise OtherSplit(f"no parquet file of {wanted} in {folder}, which holds {names}.")
    shards = [_shard(path) for path in chosen]
    _check_single(shards, split)
    _check_complete(shards, folder, split)
    return [shard.path for shard in sorted(shards, key=lambda shard: (shard.number or 0, str(shard.path)))]


def _is_of_split(path: Path, config: str | None, split: str) -> bool:
    if config and config not in path.parts[:-1]:
        return False
    stem = _COPY.sub("", path.stem)
    return split in path.parts[:-1] or stem == split or re.match(rf"{re.escape(split)}[-._]\d", stem) is not None


def _shard(path: Path) -> _Shard:
    stem = _COPY.sub("", path.stem)
    if match := _OF.fullmatch(stem):
        return _Shard(path, f"{match['set']}-of-{int(match['total'])}", int(match["number"]), int(match["total"]))
    if stem.isdecimal():
        return _Shard(path, "numbered", int(stem), None)
    return _Shard(path, "named", None, None)


def _check_single(shards: Sequence[_Shard], split: str) -> None:
    """One folder, one set of shards, each shard once: by its number, and by its content under whatever name."""
    by_number: dict[int, Path] = {}
    by_content: dict[tuple[int, str], Path] = {}
    sizes = [shard.path.stat().st_size for shard in shards]
    for shard, size in zip(shards, sizes, strict=True):
        first = shards[0]
        if (shard.path.parent, shard.set) != (first.path.parent, first.set):
            raise TwoSources(f"two sets of shards of split {split!r}: {first.path} and {shard.path}. Keep one of them")
        content = (size, sha256_of(shard.path) if sizes.count(size) > 1 else "")
        twin = by_content.setdefault(content, shard.path) if content[1] else shard.path
        if shard.number is not None and twin is shard.path:
            twin = by_number.setdefault(shard.number, shard.path)
        if twin is not shard.path:
            raise TwoSources(f"a shard of split {split!r} is there twice: {twin} and {shard.path}. Remove one of them")


def _check_complete(shards: Sequence[_Shard], folder: Path, split: str) -> None:
    numbers = {shard.number for shard in shards if shard.number is not None}
    declared = {shard.total for shard in shards if shard.total is not None}
    total = max(declared, default=max(numbers, default=-1) + 1)
    if missing := sorted(set(range(total)) - numbers) if numbers else []:
        raise LayoutError(
            f"{folder} holds {len(numbers)} of {total} shards of split {split!r}; "
            f"missing: {listing(_name(shards[0], number) for number in missing)}"
        )


def _name(example: _Shard, number: int) -> str:
    """The name of a shard that is not there, after that of one that is."""
    if example.total is None:
        return f"{number:0{len(_COPY.sub('', example.path.stem))}d}.parquet"
    return re.sub(r"-\d+(-of-\d+).*", rf"-{number:05d}\1", example.path.stem)


def check_columns(have: Sequence[str], need: Sequence[str], where: str) -> None:
    """Raise LayoutError naming the columns that are missing and those that are there."""
    if missing := [name for name in need if name not in have]:
        raise LayoutError(f"{where} has no column {', '.join(missing)}; its columns are {', '.join(have)}")


def check_files(files: Sequence[Path], columns: Sequence[str]) -> None:
    """Raise LayoutError naming the first file that is no parquet or lacks a column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in files:
        try:
            names = pq.read_schema(path).names
        except (pa.ArrowException, OSError) as error:
            raise LayoutError(f"not a readable parquet file: {path}: {error}") from error
        check_columns(names, columns, str(path))


def read(files: Sequence[Path], columns: Sequence[str], root: Path | None = None) -> Iterator[Row]:
    """The rows of the files as dicts; audio and images stay `{"bytes", "path"}`. All files are checked first.

    A row that has a file's name in place of bytes gets that file, counted from the table's folder or from `root`.
    """
    check_files(files, columns)
    for path in files:
        bases = [path.parent, *([root] if root else [])]
        yield from with_files(_rows(path), str(path), bases, [*reversed(bases), path.resolve().parent])


def _rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as table:  # else the whole file is read ahead
        try:
            number = 0
            for batch in table.iter_batches(batch_size=_BATCH):
                for row in _dicts(batch, f"{path}: row", number):
                    yield row
                    number += 1
        except (pa.ArrowException, OSError) as error:
            raise LayoutError(f"parquet file is damaged: {path}: {error}") from error


def _dicts(batch: Any, where: str, first: int) -> list[Row]:
    """The rows of a batch; one by one when a text in it is not UTF-8, so that only its own row fails."""
    try:
        rows: list[Row] = batch.to_pylist()
    except UnicodeDecodeError:
        return [_dict(batch.slice(i, 1), f"{where} {first + i}") for i in range(batch.num_rows)]
    return [own_columns(row) for row in rows]


def _dict(batch: Any, where: str) -> Row:
    import pyarrow as pa

    row: Row = {}
    fault = ""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            row[name] = column.to_pylist()[0]
        except UnicodeDecodeError:
            fault = fault or f"{where}: column {name} is not UTF-8 text; write it again as UTF-8"
            is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
            row[name] = column.cast(pa.large_binary()).to_pylist()[0].decode("utf-8", "replace") if is_text else None
    return own_columns(row) | ({"error": fault} if fault else {})
