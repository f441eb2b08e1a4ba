"""A paper's table as a grid: the paper's rows in its order, then a row for each run (several for a probe run)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from harness.failures import UsageError
from harness.kinds import kind_of
from harness.store import RunDir
from reports import probes
from reports.grid.grid import MISSING, Arrow, Cell, Column, Grid, Notes, Row
from reports.labels import labels
from reports.papers.layout import Entry, Layout
from reports.papers.layouts import LAYOUTS
from reports.papers.measured import cell_of, has_any
from reports.papers.probed import MEASURED, chance_of_paper, not_comparable, rows_of
from reports.published import records
from reports.published.models import OWN
from reports.runs import Run, load

NOTHING = "No run was given that measured it."
Record = Mapping[str, Any]


def titles() -> dict[str, str]:
    """Every table's name and what it shows."""
    return {name: _title(layout) for name, layout in LAYOUTS.items()}


def paper_table(name: str, paths: Sequence[Path] = ()) -> Grid:
    """The table with the rows of the runs. Raises UsageError for an unknown name, and for what is no run."""
    layout = _layout(name)
    runs, probed = _loaded(paths)
    notes = Notes()
    mine = [record for record in records() if (record["source"], record["table"]) == (layout.source, layout.table)]
    printed = [*_printed(layout, mine, notes), *chance_of_paper(layout, notes)]
    rows = [*printed, *_measured(layout, mine, runs, notes), *rows_of(layout, probed, notes)]
    said = *layout.said, *not_comparable(layout, probed), *_useless(layout, runs, probed)
    return Grid(
        _title(layout),
        tuple(_columns(layout, mine)),
        tuple(rows),
        (*said, *([] if rows else [NOTHING])),
        notes.all(),
    )


def _layout(name: str) -> Layout:
    if name in LAYOUTS:
        return LAYOUTS[name]
    close = get_close_matches(name.lower(), LAYOUTS, n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join(close)}?" if close else ""
    raise UsageError(f"--table {name!r} is unknown.{guess} There are {', '.join(LAYOUTS)}; `list` tells what they show")


def _title(layout: Layout) -> str:
    return f"{layout.source}{f', {layout.table.lower()}' if layout.table else ''}: {layout.title}"


def _loaded(paths: Sequence[Path]) -> tuple[list[Run], list[tuple[RunDir, Record]]]:
    """Runs of answers, and probe runs with their results."""
    opened = [RunDir.open(Path(path)) for path in paths]
    probed = [run for run in opened if kind_of(run).instead is not None]
    return [load(run.path) for run in opened if run not in probed], [(run, probes.load(run.path)) for run in probed]


def _columns(layout: Layout, mine: Sequence[Record]) -> Iterator[Column]:
    yield Column("model", align="left")
    if layout.llm:
        yield Column(layout.llm, align="left")
    better = {_place(record): record["higher_is_better"] for record in mine}
    for entry in layout.entries:
        arrow: Arrow = "↑" if not entry.places or better[entry.places[0]] else "↓"
        yield Column(entry.heading, entry.over, entry.unit, arrow)


def _place(record: Record) -> tuple[str, str, str]:
    return record["benchmark"], record["split"], record["metric"]


def _printed(layout: Layout, mine: Sequence[Record], notes: Notes) -> Iterator[Row]:
    """The paper's rows. Raises ValueError where two records would stand in one cell, or one in none."""
    column = {place: at for at, entry in enumerate(layout.entries) for place in entry.places}
    found: dict[tuple[str, str, str], dict[int, Record]] = {}
    for record in mine:
        cells = found.setdefault((record["group"] or "", record["model"], record["llm"] or ""), {})
        at = column.get(_place(record))
        if at is None or at in cells:
            raise ValueError(f"{layout.source}, {layout.table}: {_place(record)} of {record['model']} has no own cell")
        cells[at] = record
    for (group, model, llm), cells in found.items():
        values = [_paper_cell(cells[at], notes) if at in cells else Cell() for at in range(len(layout.entries))]
        yield Row((Cell(model), *([Cell(llm or MISSING)] if layout.llm else []), *values), group)


def _paper_cell(record: Record, notes: Notes) -> Cell:
    marks = (notes.mark(f"paper: {record['note']}"),) if record["note"] else ()
    match record["value"]:
        case bool(yes):
            return Cell("yes" if yes else "no", marks=marks)
        case str(text):
            return Cell(text, marks=marks)
        case number:
            return Cell(str(number), float(number), marks=marks)


def _measured(layout: Layout, mine: Sequence[Record], runs: Sequence[Run], notes: Notes) -> Iterator[Row]:
    """A row for each run that has something of the table."""
    for run, label in zip(runs, labels(runs), strict=True):
        if has_any(run, layout.entries):
            values = [cell_of(run, label, entry, _own(run, entry, mine), notes) for entry in layout.entries]
            yield Row((Cell(label), *([Cell()] if layout.llm else []), *values), MEASURED)


def _own(run: Run, entry: Entry, mine: Sequence[Record]) -> float | None:
    """The value of the model's own row in its own paper, where it has one such row."""
    own = OWN.get(run.results.model.name)
    if own is None:
        return None
    values = [
        record["value"]
        for record in mine
        if record["source"] == own.source and record["model"] in own.names and _place(record) in entry.places
    ]
    return float(values[0]) if len(values) == 1 and isinstance(values[0], int | float) else None


def _useless(layout: Layout, runs: Sequence[Run], probed: Sequence[tuple[RunDir, Record]]) -> Iterator[str]:
    """Runs that have nothing of the table, with what would fill it."""
    names = [run.name for run in runs if not has_any(run, layout.entries)]
    names += [run.name for run, results in probed if not layout.stage or results["stage"] != layout.stage]
    if names:
        yield f"Nothing of this table was measured in {', '.join(names)}."
