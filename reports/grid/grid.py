"""A table as a value: columns, rows of cells, and numbered notes below. `reports.grid.formats` writes it.

Texts stand in it as they came, labels of runs too: each format makes them harmless for where it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MISSING = "–"
Align = Literal["left", "right"]
Arrow = Literal["", "↑", "↓"]


@dataclass(frozen=True)
class Column:
    """A heading; `over` is a heading that neighbouring columns share, `arrow` says which way is better."""

    heading: str
    over: str = ""
    unit: str = ""
    arrow: Arrow = ""
    align: Align = "right"

    @property
    def below(self) -> str:
        """Unit and arrow: "WER % ↓"."""
        return f"{self.unit} {self.arrow}".strip()

    @property
    def title(self) -> str:
        """Everything on one line: "LibriSpeech test-clean WER % ↓"."""
        return " ".join(part for part in (self.over, self.heading, self.below) if part)


@dataclass(frozen=True)
class Cell:
    """A text, or a number and how it is shown.

    `lines` are shown below it (an interval, a count), `more` are the numbers behind them by name (low, high, n), and
    `marks` are numbers of the grid's notes. A cell without a value is MISSING; it is never 0.
    """

    text: str = MISSING
    number: float | None = None
    lines: tuple[str, ...] = ()
    more: Mapping[str, float] = field(default_factory=dict)
    marks: tuple[int, ...] = ()

    @property
    def missing(self) -> bool:
        return self.text == MISSING


@dataclass(frozen=True)
class Row:
    """Cells, one a column; rows of one `group` stand together below its name."""

    cells: tuple[Cell, ...]
    group: str = ""


@dataclass(frozen=True)
class Grid:
    """`said` stands below the title, `notes` below the table: the first is note 1."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    said: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a row of another width, and a mark without a note."""
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"{self.title}: a row of {len(row.cells)} cells in {len(self.columns)} columns")
            for cell in row.cells:
                if absent := [mark for mark in cell.marks if not 1 <= mark <= len(self.notes)]:
                    raise ValueError(f"{self.title}: mark {absent[0]} has no note")

    def content(self) -> dict[str, Any]:
        """As JSON: a cell without a value has the text None."""
        return {
            "title": self.title,
            "said": list(self.said),
            "columns": [
                {"over": column.over, "heading": column.heading, "unit": column.unit, "arrow": column.arrow}
                for column in self.columns
            ],
            "rows": [{"group": row.group, "cells": [_content(cell) for cell in row.cells]} for row in self.rows],
            "notes": {str(mark): note for mark, note in enumerate(self.notes, start=1)},
        }


def _content(cell: Cell) -> dict[str, Any]:
    return {
        "text": None if cell.missing else cell.text,
        "number": cell.number,
        "more": dict(cell.more),
        "marks": list(cell.marks),
    }


class Notes:
    """Gives each note a number, the same one when it comes again.

    >>> notes = Notes(); notes.mark("a"), notes.mark("b"), notes.mark("a")
    (1, 2, 1)
    """

    def __init__(self) -> None:
        self._marks: dict[str, int] = {}

    def mark(self, note: str) -> int:
        return self._marks.setdefault(note, len(self._marks) + 1)

    def all(self) -> tuple[str, ...]:
        return tuple(self._marks)
