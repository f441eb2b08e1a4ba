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
    only as long as a row still needs them.
    """
    with need_file(table).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        images = _Images()
        for record in _records(file, table, columns, media):
            for cell in _parts(record.cells.get("image", "")):
                images.announce(record.cells["index"], cell)
        file.seek(0)
        locate = Locator(IMAGE_SUFFIXES, table.parent, table.resolve().parent)
        for record in _records(file, table, columns, media):
            cells = record.cells
            if split is not None and cells.get("split", split) != split:
                continue
            if "image" in cells and not cells["image"] and pictureless == "dropped":
                continue
            yield _row(record, images, table, locate, pictureless) if media else _bare(record)


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
            pictures = [images.take(index, part) for part in parts]
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
    """The images that rows refer to, each kept until the last row that refers to it."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._holders: dict[str, int] = {}
        """Index -> how many pictures rows of this index have."""
        self._kept: dict[str, bytes | str] = {}

    def announce(self, index: str, cell: str) -> None:
        if _is_reference(cell):
            self._uses[cell] += 1
            return
        self._holders[index] = self._holders.get(index, 0) + 1
        if index in self._uses:  # an earlier row refers to it
            self._kept[index] = cell

    def take(self, index: str, cell: str) -> bytes:
        """A row's image. Raises RowError."""
        if not _is_reference(cell):
            content = _decoded(cell)
            if self._uses[index]:
                self._kept[index] = content
            return content
        name, holders = repr(readable(cell)), self._holders.get(cell, 0)
        if holders != 1:
            has = f"where there are {holders}" if holders else "which has none"
            raise RowError(f"refers to the image of row {name}, {has}; put the picture there in base64")
        found = self._kept.get(cell)
        if found is None:
            raise RowError(f"refers to the image of row {name}, which cannot be read")
        content = self._kept[cell] = _decoded(found) if isinstance(found, str) else found
        self._uses[cell] -= 1
        if not self._uses[cell]:
            del self._kept[cell]
        return content


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
            if len(cells) > len(header):
                fault = f"{where}: {len(cells)} cells where the header names {len(header)}; remove what is too much"
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
