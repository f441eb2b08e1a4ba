"""VLMEvalKit's table of MME: columns index, image (base64), question, answer, category and mostly image_path."""

from __future__ import annotations

import base64
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from harness.task import Row
from tasks.readers.layout import LayoutError, RowError, need_file, readable, text_fault
from tasks.readers.parquet import check_columns
from tasks.readers.rows import failed

_COLUMNS = ("index", "image", "question", "answer", "category")
_LONGEST_INDEX = 64
"""VLMEvalKit: an image cell of at most this many characters is the index of the row that holds the image."""
_PREFIX = re.compile(r"data:[^,]*,")
_SPACE = re.compile(r"\s+")


class _Record(NamedTuple):
    line: int
    """Of its end, as a quoted cell may hold line ends."""
    cells: dict[str, str]
    fault: str


def read_tsv(table: Path) -> Iterator[Row]:
    """The table's rows with `image` as bytes; a row whose image cannot be had fails alone.

    Opened once and read twice: first to learn which images other rows refer to, so that only those are kept, and
    only as long as a row still needs them.
    """
    with need_file(table).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        images = _Images()
        for record in _records(file, table):
            images.announce(record.cells["index"], record.cells["image"])
        file.seek(0)
        for record in _records(file, table):
            yield _row(record, images, table)


def _row(record: _Record, images: _Images, table: Path) -> Row:
    index, cell, category = (record.cells[name] for name in ("index", "image", "category"))
    own_name = record.cells.get("image_path")
    holder = cell if cell and _is_reference(cell) else index
    row: Row = {
        "image": None,
        "question_id": own_name or f"{category}/{index}",
        "image_path": own_name or f"{category}/{readable(holder)}",
        "category": category,
        "question": record.cells["question"],
        "answer": record.cells["answer"],
    }
    fault = record.fault
    try:
        row["image"] = images.take(index, cell)
    except RowError as error:
        fault = fault or f"{table}:{record.line}: row {index}: {error}"
    return failed(row, fault) if fault else row


class _Images:
    """The images that rows refer to, each kept until the last row that refers to it."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._holders: Counter[str] = Counter()
        self._kept: dict[str, bytes | str] = {}

    def announce(self, index: str, cell: str) -> None:
        if _is_reference(cell):
            self._uses[cell] += 1
            return
        self._holders[index] += 1
        if index in self._uses:  # an earlier row refers to it
            self._kept[index] = cell

    def take(self, index: str, cell: str) -> bytes:
        """A row's image. Raises RowError."""
        if not cell:
            raise RowError("the image cell is empty; put the picture there in base64, or the index of its row")
        if not _is_reference(cell):
            content = _decoded(cell)
            if self._uses[index]:
                self._kept[index] = content
            return content
        name, holders = repr(readable(cell)), self._holders[cell]
        if holders != 1:
            has = f"an index that {holders} rows have" if holders else "which has none"
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


def _records(file: IO[str], table: Path) -> Iterator[_Record]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(file, delimiter="\t")
    header = next(reader, [])
    if any(text_fault(name) for name in header):
        raise LayoutError(f"{table}: not a table of UTF-8 text with tabs: its header is no text")
    check_columns(header, _COLUMNS, str(table))
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
