"""The leaderboard's tables as files (CSV, JSON, LaTeX), and the cells of other scoring profiles for its script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.files import encoded
from reports.grid.formats import written
from reports.grid.grid import Cell as GridCell
from reports.grid.grid import Column as GridColumn
from reports.grid.grid import Grid, Notes, Row
from reports.page.board import OVERVIEW, Board, BoardRow, Group, Standing
from reports.page.cells import Cell
from reports.page.rows import script

RUN_COLUMNS = ("model", "run", "date", "commit", "precision, device")


def write_files(board: Board, data: Path) -> None:
    """Write `board-<group>.{csv,json,tex}` of each table, and `board.js`."""
    for key, grid in [(OVERVIEW, overview(board)), *((group.key, table(board, group)) for group in board.groups)]:
        (data / f"board-{key}.csv").write_text(written(grid, "csv"), encoding="utf-8", errors="replace", newline="")
        (data / f"board-{key}.tex").write_text(written(grid, "latex"), encoding="utf-8", errors="replace", newline="")
        (data / f"board-{key}.json").write_bytes(encoded(grid.content()))
    (data / "board.js").write_bytes(script("__board", [others(board)]))


def overview(board: Board) -> Grid:
    """Win rate and coverage of each run over all tasks, and in each group."""
    notes = Notes()
    columns = [GridColumn(name, align="left") for name in RUN_COLUMNS]
    columns += [GridColumn("mean win rate", unit="%", arrow="↑")]
    columns += [GridColumn(group.title, over="win rate", unit="%", arrow="↑") for group in board.groups]
    keys = [OVERVIEW, *(group.key for group in board.groups)]
    rows = [
        Row((*_about(row, notes), *(_standing(row.standings[key]) for key in keys)), _kind(row))
        for row in board.ordered(OVERVIEW)
    ]
    return Grid("Leaderboard: overview", tuple(columns), tuple(rows), notes=notes.all())


def table(board: Board, group: Group) -> Grid:
    """The numbers of a group's tasks."""
    notes = Notes()
    columns = [GridColumn(name, align="left") for name in RUN_COLUMNS]
    columns += [GridColumn("win rate", unit="%", arrow="↑")]
    columns += [GridColumn(one.task, unit=f"{one.metric} {one.unit}".strip(), arrow=one.arrow) for one in group.columns]
    rows = [
        Row(
            (
                *_about(row, notes),
                _standing(row.standings[group.key]),
                *(_number(row.cells[one.key], notes) for one in group.columns),
            ),
            _kind(row),
        )
        for row in board.ordered(group.key)
    ]
    return Grid(f"Leaderboard: {group.title}", tuple(columns), tuple(rows), notes=notes.all())


def _kind(row: BoardRow) -> str:
    return "ranked" if row.competes else "NOT A BENCHMARK NUMBER"


def _about(row: BoardRow, notes: Notes) -> list[GridCell]:
    marks = tuple(notes.mark(why) for why in row.why)
    others = (row.run, row.date, row.commit, row.conditions)
    return [GridCell(row.model, marks=marks), *(GridCell(text) for text in others)]


def _standing(found: Standing) -> GridCell:
    counts = {"done": float(found.done), "needed": float(found.needed)}
    if found.rank is not None:
        counts["rank"] = float(found.rank)
    if found.wins is None:
        return GridCell(more=counts)
    return GridCell(f"{found.wins:.0f}", found.wins, (f"{found.done}/{found.needed} tasks",), counts)


def _number(cell: Cell, notes: Notes) -> GridCell:
    if cell.value is None:
        return GridCell(cell.text)
    said = [*cell.remarks, *cell.blind]
    if cell.place == "tied":
        said.append("tied: its interval overlaps the best one's")
    more: dict[str, float] = {"n": float(cell.n)}
    if cell.ci is not None:
        more |= {"low": cell.ci[0], "high": cell.ci[1]}
    if cell.paper is not None:
        more["paper"] = cell.paper.value
        said += [f"paper: {cell.paper.note}"] if cell.paper.note else []
    marks = tuple(dict.fromkeys(notes.mark(one) for one in said))
    lines = tuple(part for part in (cell.interval, f"n = {cell.n:,}") if part)
    return GridCell(cell.text, cell.value, lines, more, marks)


def others(board: Board) -> dict[str, dict[str, list[Any]]]:
    """Profile -> "run|column" -> [shown, value, interval, n, place, remarks], what the page's script puts in cells."""
    return {
        profile: {
            f"{n}|{key}": [
                cell.text,
                cell.value if cell.state == "ok" else None,
                cell.interval,
                cell.n,
                cell.place,
                list(cell.remarks),
            ]
            for (n, key), cell in cells.items()
        }
        for profile, cells in board.others.items()
    }


def notes_of(board: Board) -> list[str]:
    """Why values of papers are doubtful, each reason once."""
    papers = (cell.paper for row in board.rows for cell in row.cells.values())
    return list(dict.fromkeys(paper.note for paper in papers if paper is not None and paper.note))
