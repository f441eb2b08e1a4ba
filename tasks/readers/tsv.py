"""VLMEvalKit's tables: tab-separated, a picture in base64 in each row's cell `image`, or what stands for it.

A cell may hold the index of another row, which has the picture; a list of pictures; a `data:` address; broken lines.
"""

from __future__ import annotations

import base64
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Literal, NamedTuple

from harness.task import Row
from tasks.readers.layout import IMAGE_SUFFIXES, LayoutError, RowError, need_file, readable, text_fault
from tasks.readers.locate import Locator
from tasks.readers.parquet import check_columns
from tasks.readers.rows import failed
from tasks.scoring.cells import absent, written_list

Pictureless = Literal["fails", "kept", "dropped"]
"""What becomes of a row whose image cell is empty."""

_LONGEST_INDEX = 64
"""VLMEvalKit: an image cell of at most this many characters is the index of the row that holds the image."""
_PREFIX = re.compile(r"data:[^,]*,")
_SPACE = re.compile(r"\s+")
_OPTION = re.compile(r"[A-Z]|hint")
"""Columns in which a table writes that something is absent."""


class _Record(NamedTuple):
    line: int
    """Of its end, as a quoted cell may hold line ends."""
    cells: dict[str, str]
    fault: str


def read_table(
    table: Path,
    columns: Sequence[str],
    *,
    pictureless: Pictureless = "fails",
    split: str | None = None,
    media: bool = True,
) -> Iterator[Row]:
    """The table's rows: its columns as text without absent options, `sample_id` (the index) and the picture.

    `image` is bytes, or a path where the table has only paths; a list of several is `images`. `image_row` is the index
    of the row whose picture it is. A row whose picture cannot be had fails alone. With `split` the rows of other splits
    are left out; without `media` the table has no pictures. Raises LayoutError for a table that cannot be read or lacks
    one of `columns`.

    Opened once and read twice: first to learn which images other rows refer to, so that only those are kept, and
    only as long as a row that is read still needs them.
    """
    with need_file(table).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        images = _Images()
        for record in _records(file, table, columns, media):
            parts = _parts(record.cells.get("image", ""))
            images.announce(record.cells["index"], parts, asked=not _is_elsewhere(record, split))
        file.seek(0)
        locate = Locator(IMAGE_SUFFIXES, table.parent, table.resolve().parent)
        for record in _records(file, table, columns, media):
            cells = record.cells
            if _is_elsewhere(record, split):
                images.keep(cells["index"], _parts(cells.get("image", "")))
                continue
            if "image" in cells and not cells["image"] and pictureless == "dropped" and not record.fault:
                continue
            yield _row(record, images, table, locate, pictureless) if media else _bare(record)


def _is_elsewhere(record: _Record, split: str | None) -> bool:
    """Whether a row is of another split; one that lost its cell for it is not."""
    found = record.cells.get("split", split)
    return split is not None and found != split and not (record.fault and not found)


def _bare(record: _Record) -> Row:
    """A row of a table without pictures."""
    row: Row = {**record.cells, "sample_id": record.cells["index"]}
    return failed(row, record.fault) if record.fault else row


def _row(record: _Record, images: _Images, table: Path, locate: Locator, pictureless: Pictureless) -> Row:
    cells, index = record.cells, record.cells["index"]
    row: Row = {name: cell for name, cell in cells.items() if not (_OPTION.fullmatch(name) and absent(cell))}
    cell = row.pop("image", None)
    row |= {"sample_id": index, "image": None, "image_row": index}
    fault = record.fault
    try:
        if cell is None:
            row |= _located(cells["image_path"], table, locate)
        elif parts := _parts(cell):
            row["image_row"] = parts[0] if _is_reference(parts[0]) else index
            pictures = images.take(index, parts)
            row |= {"image": pictures[0]} if len(pictures) == 1 else {"images": pictures}
        elif pictureless == "fails":
            raise RowError("the image cell is empty; put the picture there in base64, or the index of its row")
    except RowError as error:
        fault = fault or f"{table}:{record.line}: row {index}: {error}"
    if "images" in row:
        del row["image"]
    return failed(row, fault) if fault else row


def _located(cell: str, table: Path, locate: Locator) -> Row:
    """The picture that a path names, or the pictures of a list of paths."""
    paths = _parts(cell)
    if not paths:
        raise RowError("column image_path is empty; put the picture's path there")
    found = [locate(table.parent / path) for path in paths]
    return {"image": found[0]} if len(found) == 1 else {"images": found}


class _Images:
    """The images that rows refer to, each row's kept until the last row that refers to it."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._holders: Counter[str] = Counter()
        """Index -> how many rows of this index have pictures."""
        self._kept: dict[str, Sequence[bytes | str]] = {}

    def announce(self, index: str, parts: Sequence[str], asked: bool) -> None:
        """A row that is to come; what it refers to is kept for it where it is `asked`."""
        if asked:
            self._uses.update(part for part in parts if _is_reference(part))
        if _held(parts):
            self._holders[index] += 1
            self.keep(index, parts)  # where an earlier row refers to it

    def keep(self, index: str, parts: Sequence[str]) -> None:
        """Keep a row's pictures where another row refers to it."""
        if self._uses[index] and (held := _held(parts)):
            self._kept[index] = held

    def take(self, index: str, parts: Sequence[str]) -> list[bytes]:
        """A row's images; the index of another row stands for all of that row's. Raises RowError."""
        own = {part: _decoded(part) for part in _held(parts)}
        if own and self._uses[index]:
            self._kept[index] = list(own.values())
        return [picture for part in parts for picture in ([own[part]] if part in own else self._referred(part))]

    def _referred(self, index: str) -> list[bytes]:
        name, holders = repr(readable(index)), self._holders[index]
        if holders != 1:
            has = f"of which there are {holders}" if holders else "which has none"
            raise RowError(f"refers to the image of row {name}, {has}; put the picture there in base64")
        if index not in self._kept:
            raise RowError(f"refers to the image of row {name}, which cannot be read")
        found = [_decoded(one) if isinstance(one, str) else one for one in self._kept[index]]
        self._kept[index] = found
        self._uses[index] -= 1
        if not self._uses[index]:
            del self._kept[index]
        return found


def _held(parts: Sequence[str]) -> list[str]:
    """The pictures of a cell that are there and no index of another row."""
    return [part for part in parts if not _is_reference(part)]


def _is_reference(cell: str) -> bool:
    return len(cell) <= _LONGEST_INDEX


def _parts(cell: str) -> list[str]:
    """The pictures of a cell: one, or those of a Python or JSON list."""
    found = written_list(cell)
    if found is None:
        return [cell] if cell.strip() else []
    return [str(item) for item in found if not absent(item)]


def _records(file: IO[str], table: Path, columns: Sequence[str], media: bool) -> Iterator[_Record]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(file, delimiter="\t")
    header = next(reader, [])
    if any(text_fault(name) for name in header):
        raise LayoutError(f"{table}: not a table of UTF-8 text with tabs: its header is no text")
    check_columns(header, ("index", *columns), str(table))
    if media and "image" not in header:
        check_columns(header, ("image_path",), f"{table}, which has no image,")
    try:
        for cells in reader:
            if not cells:
                continue
            where, fault = f"{table}:{reader.line_num}", ""
            if len(cells) != len(header):
                help_ = "remove what is too much" if len(cells) > len(header) else "add what is missing"
                fault = f"{where}: {len(cells)} cells where the header names {len(header)}; {help_}"
            unsound = next((n for n, cell in zip(header, cells, strict=False) if n != "image" and text_fault(cell)), "")
            if unsound and not fault:
                fault = f"{where}: column {unsound}: not UTF-8 text; save the table as UTF-8"
            named = dict.fromkeys(header, "") | dict(zip(header, cells, strict=False))
            yield _Record(reader.line_num, {n: c if n == "image" else readable(c) for n, c in named.items()}, fault)
    except csv.Error as error:
        raise LayoutError(f"{table}:{reader.line_num}: not a table of text with tabs: {error}") from error


def _decoded(cell: str) -> bytes:
    """The picture's bytes, also out of a `data:` address and out of broken lines."""
    text = _SPACE.sub("", _PREFIX.sub("", cell, count=1) if cell.startswith("data:") else cell)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise RowError(f"the image is not base64 ({error}); write the cell again") from error
