"""A grid for a terminal: blocks of columns that fit the width, each of which repeats the first column."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.texts import printable, wide
from reports.grid.grid import Cell, Column, Grid

GAP = 2
LONGEST = 28
"""Columns of a text cell, before it is broken."""
_RAISED = str.maketrans("0123456789,", "⁰¹²³⁴⁵⁶⁷⁸⁹˒")


class _Tall(NamedTuple):
    """A cell as lines, and which way they stand."""

    lines: list[str]
    column: Column

    @property
    def width(self) -> int:
        return max((wide(line) for line in self.lines), default=0)


def terminal(grid: Grid, width: int = 80) -> str:
    """Blocks of at most `width` columns (a cell that alone is wider makes its block so), then the notes."""
    out = [line for text in (grid.title, *grid.said) for line in _wrapped(text, width)]
    heads = [_Tall(_heading(column), column) for column in grid.columns]
    rows = [[_tall(cell, column) for cell, column in zip(row.cells, grid.columns, strict=True)] for row in grid.rows]
    widths = [max(tall.width for tall in tower) for tower in zip(heads, *rows, strict=True)] if heads else []
    for block in _blocks(widths, width):
        out.append("")
        bottom = max(len(heads[place].lines) for place in block)
        out += _drawn([_raised(heads[place], bottom) for place in block], [widths[place] for place in block])
        out.append("─" * (sum(widths[place] for place in block) + GAP * (len(block) - 1)))
        for group, found in itertools.groupby(zip(grid.rows, rows, strict=True), key=lambda pair: pair[0].group):
            if group:
                out += _wrapped(f"{group}:", width)
            for _, talls in found:
                out += _drawn([talls[place] for place in block], [widths[place] for place in block])
    if grid.notes:
        out.append("")
    for mark, note in enumerate(grid.notes, start=1):
        out += _wrapped(note, width, f"{_superscript([mark])} ")
    return "\n".join(line.rstrip() for line in out) + "\n"


def _blocks(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Places of the columns of each block, the first column in every one."""
    if not widths:
        return
    block, taken = [0], widths[0]
    for place in range(1, len(widths)):
        if len(block) > 1 and taken + GAP + widths[place] > width:
            yield block
            block, taken = [0], widths[0]
        block.append(place)
        taken += GAP + widths[place]
    yield block


def _heading(column: Column) -> list[str]:
    parts = (column.over, column.heading, column.below)
    return [line for part in parts if part for line in _wrapped(part, 18)]


def _raised(tall: _Tall, height: int) -> _Tall:
    return _Tall([""] * (height - len(tall.lines)) + tall.lines, tall.column)


def _tall(cell: Cell, column: Column) -> _Tall:
    lines = _wrapped(cell.text, LONGEST) or [""]
    lines[-1] += _superscript(cell.marks)
    return _Tall([*lines, *(_line(line) for line in cell.lines)], column)


def _superscript(marks: Sequence[int]) -> str:
    return ",".join(map(str, marks)).translate(_RAISED)


def _drawn(cells: Sequence[_Tall], widths: Sequence[int]) -> Iterator[str]:
    """The lines of one row of the table."""
    for height in range(max(len(cell.lines) for cell in cells)):
        yield (" " * GAP).join(
            _placed(cell.lines[height] if height < len(cell.lines) else "", width, cell.column)
            for cell, width in zip(cells, widths, strict=True)
        )


def _placed(text: str, width: int, column: Column) -> str:
    fill = " " * (width - wide(text))
    return text + fill if column.align == "left" else fill + text


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _wrapped(text: str, width: int, before: str = "") -> list[str]:
    """Lines of at most `width` columns; what follows the first stands under the text after `before`."""
    return textwrap.wrap(_line(text), width, initial_indent=before, subsequent_indent=" " * len(before))
