"""Tables of text with a header, comma- or tab-separated, row by row: a bad row fails alone."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.readers.layout import LayoutError, need_file, readable, text_fault
from tasks.readers.parquet import check_columns


class Commas(csv.excel):
    """A cell with a comma, a quote or a line end stands in quotes."""


class Tabs(csv.Dialect):
    """As CoVoST writes its tables: quotes are plain text, a backslash escapes."""

    delimiter = "\t"
    quoting = csv.QUOTE_NONE
    escapechar = "\\"
    lineterminator = "\n"


class Record(NamedTuple):
    line: int
    """Of its end, as a cell may hold line ends."""
    cells: dict[str, str]
    fault: str
    """Why it cannot be used, "" when it can."""


def records(table: Path, dialect: type[csv.Dialect], columns: Sequence[str] = ()) -> Iterator[Record]:
    """The rows below the header, without those that are blank. Raises LayoutError for a table that cannot be read or
    lacks one of `columns`."""
    csv.field_size_limit(2**31 - 1)
    with need_file(table).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, dialect)
        try:
            header = [name.strip() for name in next(reader, [])]
            if any(text_fault(name) for name in header):
                raise LayoutError(f"{table}: not a table of UTF-8 text: its header is no text")
            check_columns(header, columns, str(table))
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _record(f"{table}:{reader.line_num}", reader.line_num, header, cells)
        except csv.Error as error:
            raise LayoutError(f"{table}:{reader.line_num}: not a readable table: {error}") from error


def _record(where: str, line: int, header: Sequence[str], cells: Sequence[str]) -> Record:
    named = dict.fromkeys(header, "") | dict(zip(header, cells, strict=False))
    fault = ""
    if len(cells) != len(header):
        fault = f"{where}: {len(cells)} cells where the header names {len(header)} ({', '.join(header)}); correct it"
    elif unsound := next((name for name, cell in named.items() if text_fault(cell)), ""):
        fault = f"{where}: column {unsound}: {text_fault(named[unsound])}"
    return Record(line, {name: readable(cell) for name, cell in named.items()}, fault)
