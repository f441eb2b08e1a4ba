"""A grid as text: Markdown, LaTeX (booktabs) and CSV; `reports.grid.terminal` lays it out for a terminal.

Every text is made harmless where it is written: control characters go, and what the format would obey is escaped.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from harness.failures import UsageError
from harness.texts import printable
from reports.grid.grid import Cell, Column, Grid, Row
from reports.grid.terminal import terminal

Format = Literal["terminal", "markdown", "latex", "csv"]


def written(grid: Grid, form: str, width: int = 80) -> str:
    """The grid in a format, with a newline at its end. Raises UsageError for an unknown format."""
    if form == "terminal":
        return terminal(grid, width)
    if form not in _WRITERS:
        raise UsageError(f"--format {form!r} is unknown; there are {', '.join(FORMATS)}")
    return _WRITERS[form](grid)


def one_line(text: str) -> str:
    """The text on one line, without characters that a reader would obey."""
    return " ".join(printable(text).split())


# Markdown

_MARKDOWN = re.compile(r"[\\`*_\[\]|~$@#]|^[-+=]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What is markup within a line, or opens a block at its start, and the two ways in which GitHub sees a link."""
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def markdown_escaped(text: str) -> str:
    """The text as Markdown (GitHub's too) that shows it: no markup, no HTML, no link, no cell border."""
    text = _MARKDOWN.sub(r"\\\g<0>", one_line(text)).translate(_ENTITIES)
    return _NUMBERED.sub(r"\1\\\2", text)


def markdown(grid: Grid) -> str:
    lines = [f"**{markdown_escaped(grid.title)}**", ""]
    for said in grid.said:
        lines += [markdown_escaped(said), ""]
    lines.append(_pipes(markdown_escaped(column.title) for column in grid.columns))
    lines.append(_pipes("---" if column.align == "left" else "---:" for column in grid.columns))
    for group, rows in groups(grid):
        if group:
            lines.append(_pipes([f"**{markdown_escaped(group)}**", *("" for _ in grid.columns[1:])]))
        lines += [_pipes(_markdown_cell(cell) for cell in row.cells) for row in rows]
    if grid.notes:
        lines.append("")
        lines += [f"{mark}. {markdown_escaped(note)}" for mark, note in enumerate(grid.notes, start=1)]
    return "\n".join(lines) + "\n"


def _pipes(cells: Iterator[str] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(cell: Cell) -> str:
    marks = f"<sup>{','.join(map(str, cell.marks))}</sup>" if cell.marks else ""
    return "<br>".join([markdown_escaped(cell.text) + marks, *(markdown_escaped(line) for line in cell.lines)])


# LaTeX

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "−": "$-$",
    "±": r"$\pm$",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
"""Brackets and stars stand in braces: after a line break LaTeX would read them as its arguments."""


def latex_escaped(text: str) -> str:
    """The text as LaTeX that prints it (UTF-8, T1 fonts)."""
    return "".join(_LATEX.get(c, c) for c in one_line(text))


def latex(grid: Grid) -> str:
    """A `table` that needs booktabs; notes stand below it in small type."""
    lines = [r"% \usepackage{booktabs}", r"\begin{table}", r"\centering", rf"\caption{{{latex_escaped(grid.title)}}}"]
    lines.append(rf"\begin{{tabular}}{{{''.join(column.align[0] for column in grid.columns)}}}")
    lines.append(r"\toprule")
    lines += _latex_over(grid.columns)
    for texts in ([column.heading for column in grid.columns], [column.below for column in grid.columns]):
        if any(texts):
            lines.append(_ampersands([latex_escaped(text) for text in texts]))
    lines.append(r"\midrule")
    for place, (group, rows) in enumerate(groups(grid)):
        if place:
            lines.append(r"\addlinespace")
        if group:
            lines.append(rf"\multicolumn{{{len(grid.columns)}}}{{l}}{{\textit{{{latex_escaped(group)}}}}} \\")
        lines += [_ampersands([_latex_cell(cell, column) for cell, column in _cells(grid, row)]) for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par\smallskip{{\footnotesize {latex_escaped(said)}}}" for said in grid.said]
    for mark, note in enumerate(grid.notes, start=1):
        lines.append(rf"\par{{\footnotesize \textsuperscript{{{mark}}}~{latex_escaped(note)}}}")
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _cells(grid: Grid, row: Row) -> Iterator[tuple[Cell, Column]]:
    return zip(row.cells, grid.columns, strict=True)


def _latex_over(columns: tuple[Column, ...]) -> Iterator[str]:
    """The shared headings, each with a rule below it."""
    if not any(column.over for column in columns):
        return
    cells, rules, place = list[str](), list[str](), 1
    for over, found in itertools.groupby(columns, key=lambda column: column.over):
        n = len(list(found))
        cells.append(rf"\multicolumn{{{n}}}{{c}}{{{latex_escaped(over)}}}" if over else " & ".join([""] * n))
        if over:
            rules.append(rf"\cmidrule(lr){{{place}-{place + n - 1}}}")
        place += n
    yield _ampersands(cells)
    yield " ".join(rules)


def _latex_cell(cell: Cell, column: Column) -> str:
    marks = rf"\textsuperscript{{{','.join(map(str, cell.marks))}}}" if cell.marks else ""
    first, rest = latex_escaped(cell.text) + marks, [latex_escaped(line) for line in cell.lines]
    stacked = r" \\ ".join([first, *rest])
    return rf"\shortstack[{column.align[0]}]{{{stacked}}}" if rest else first


def _ampersands(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


# CSV

_FORMULA = re.compile(r"^[=+\-@＝＋－＠]")


def csv_safe(text: str) -> str:
    """The text on one line, and no formula for a program that opens it."""
    text = one_line(text)
    return f"'{text}" if _FORMULA.match(text) else text


def as_csv(grid: Grid) -> str:
    """Plain numbers, nothing where a value is missing; beside a column what belongs to its numbers (low, high, n).

    The last columns have each row's marks ("MME 1; AI2D 2") and the notes that they stand for.
    """
    more = [_names_of_more(grid, place) for place in range(len(grid.columns))]
    grouped, marked = any(row.group for row in grid.rows), bool(grid.notes)
    heading = ["group"] if grouped else []
    for column, names in zip(grid.columns, more, strict=True):
        heading += [column.title, *(f"{column.title} {name}" for name in names)]
    heading += ["marks", "notes"] if marked else []
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_safe(text) for text in heading])
    for row in grid.rows:
        line = [csv_safe(row.group)] if grouped else []
        for cell, names in zip(row.cells, more, strict=True):
            line += [_plain(cell), *(_number(cell.more.get(name)) for name in names)]
        writer.writerow(line + (_csv_marks(grid, row) if marked else []))
    return out.getvalue()


def _names_of_more(grid: Grid, place: int) -> list[str]:
    return list(dict.fromkeys(name for row in grid.rows for name in row.cells[place].more))


def _plain(cell: Cell) -> str:
    if cell.missing:
        return ""
    return csv_safe(cell.text) if cell.number is None else _number(cell.number)


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _csv_marks(grid: Grid, row: Row) -> list[str]:
    marked = [f"{column.title} {' '.join(map(str, cell.marks))}" for cell, column in _cells(grid, row) if cell.marks]
    used = sorted({mark for cell in row.cells for mark in cell.marks})
    return [csv_safe("; ".join(marked)), csv_safe(" ".join(f"{mark}: {grid.notes[mark - 1]}" for mark in used))]


def groups(grid: Grid) -> Iterator[tuple[str, list[Row]]]:
    """Rows that stand together, with the name of their group."""
    for group, rows in itertools.groupby(grid.rows, key=lambda row: row.group):
        yield group, list(rows)


_WRITERS: Mapping[str, Callable[[Grid], str]] = {"markdown": markdown, "latex": latex, "csv": as_csv}
FORMATS = ("terminal", *_WRITERS)
