"""The leaderboard as a value: runs -> columns in groups, rows with their cells, win rates and ranks.

Runs that cannot stand for a benchmark (mini world, random weights, limited, incomplete) are rows without a rank, with
the reasons. Numbers of different units are never averaged: runs are ranked by how often they are better, in pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.registry import SUITES
from reports import blind, figures
from reports.labels import short_caveats
from reports.page.cells import Cell, Column, cell_of, is_done, limits_of, placed, wins
from reports.runs import Run, conditions
from reports.suites import TITLES, suite_of

OVERVIEW = "all"


@dataclass(frozen=True)
class Standing:
    """A run among the others, in a group of tasks or in all of them."""

    done: int
    needed: int
    wins: float | None = None
    """Mean win rate in percent, None where there is nobody to compare with."""
    rank: int | None = None
    compared: int = 0
    """Pairs of this run and another on a task that the rate is made of."""

    @property
    def shown(self) -> str:
        return figures.MISSING if self.wins is None else f"{self.wins:.0f} %"


@dataclass(frozen=True)
class BoardRow:
    """A run. `why` says why it is no benchmark number: empty for one that competes."""

    n: int
    """Its place among the runs that were named."""
    model: str
    run: str
    date: str
    commit: str
    conditions: str
    why: tuple[str, ...]
    cells: Mapping[str, Cell]
    pages: Mapping[str, str]
    """Task -> its page."""
    standings: Mapping[str, Standing]
    """Group -> where it stands; `OVERVIEW` for all."""

    @property
    def competes(self) -> bool:
        return not self.why


@dataclass(frozen=True)
class Group:
    key: str
    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Board:
    """`rows` that compete come first, best first; the others as they were named."""

    groups: tuple[Group, ...]
    rows: tuple[BoardRow, ...]
    profiles: tuple[str, ...]
    """Scoring profiles that show another number somewhere."""
    others: Mapping[str, Mapping[tuple[int, str], Cell]]
    """Profile -> (run, column) -> the cell under it."""

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for group in self.groups for column in group.columns)

    @property
    def reasons(self) -> list[str]:
        """Why runs are no benchmark numbers, each reason once."""
        return list(dict.fromkeys(why for row in self.rows for why in row.why))

    @property
    def contested(self) -> bool:
        """Whether any two runs can be compared; without that the overview has nothing to say."""
        return any(row.standings[OVERVIEW].compared for row in self.rows)

    def ordered(self, group: str) -> list[BoardRow]:
        """The rows as a group ranks them."""
        return sorted(self.rows, key=lambda row: _order(row, group))


def board_of(runs: Sequence[tuple[int, Run]], pages: Mapping[tuple[int, str], str]) -> Board:
    """The board of runs (each with its place among all that were named); blind runs stand in others' cells only.

    `pages` has the page of each (run, task).
    """
    every = [run for _, run in runs]
    shown = [(n, run) for n, run in runs if not blind.is_blind(run)]
    groups = _groups([run for _, run in shown])
    columns = [column for group in groups for column in group.columns]
    rows = [_row(n, run, columns, every, pages) for n, run in shown]
    rows = _marked(rows, columns)
    by_number = dict(shown)
    rows = [
        replace(row, standings=_standings(row, rows, groups, columns, {r.n: by_number[r.n] for r in rows}))
        for row in rows
    ]
    rows = _ranked(rows, [OVERVIEW, *(group.key for group in groups)])
    rows.sort(key=lambda row: _order(row, OVERVIEW))
    others = _others(shown, rows, columns)
    return Board(tuple(groups), tuple(rows), tuple(others), others)


def _groups(runs: Sequence[Run]) -> list[Group]:
    """The headline metrics of all runs, in the order of the suites and of the tasks in them."""
    found: dict[str, Column] = {}
    for run in runs:
        for task, entry in run.results.tasks.items():
            group = suite_of(task, run.manifest.tasks[task].inputs)
            for name, metric in figures.headline(entry.headline.metrics).items():
                column = Column(task, name, metric.unit, metric.higher_is_better, group)
                found.setdefault(column.key, column)
    made = []
    for key in [*SUITES, "other"]:
        suite = list(SUITES.get(key, ()))
        own = [column for column in found.values() if column.group == key]
        own.sort(key=lambda column: suite.index(column.task) if column.task in suite else len(suite))
        if own:
            made.append(Group(key, TITLES.get(key, key), tuple(own)))
    return made


def why_not(run: Run) -> tuple[str, ...]:
    """Why the run's numbers are no benchmark numbers; nothing for complete, valid ones of published data."""
    told = [f"weights: {line}" for line in run.manifest.model.fingerprint.get("told", [])]
    notices = {line.removeprefix("weights: ") for line in told}
    said = [line.removesuffix(", not a benchmark number") for line in short_caveats(run) if line not in notices]
    return tuple(said + [line for task in run.results.tasks if (line := limits_of(run, task))])


def _row(
    n: int, run: Run, columns: Sequence[Column], every: Sequence[Run], pages: Mapping[tuple[int, str], str]
) -> BoardRow:
    cells = {column.key: _with_blind(run, column, every) for column in columns}
    harness = run.manifest.harness
    commit = str(harness.get("commit") or "")[:7] or figures.MISSING
    return BoardRow(
        n,
        run.model,
        run.name,
        run.manifest.created[:10],
        f"{commit}+" if harness.get("dirty") else commit,
        conditions(run),
        why_not(run),
        cells,
        {task: page for (place, task), page in pages.items() if place == n},
        {},
    )


def _with_blind(run: Run, column: Column, every: Sequence[Run]) -> Cell:
    cell = cell_of(run, column) or Cell()
    if cell.value is None:
        return cell
    beside = blind.beside(run, column.task, column.metric, every)
    told = (f"{one.kind} blanked: {one.shown}{f' ({one.gain} by it)' if one.gain else ''}" for one in beside)
    return replace(cell, blind=tuple(told))


def _marked(rows: Sequence[BoardRow], columns: Sequence[Column]) -> list[BoardRow]:
    """Best and tied, among the rows that compete."""
    competing = [row for row in rows if row.competes]
    marked: dict[int, dict[str, Cell]] = {row.n: dict(row.cells) for row in rows}
    for column in columns:
        found = placed([row.cells[column.key] for row in competing], column.higher)
        for row, cell in zip(competing, found, strict=True):
            marked[row.n][column.key] = cell
    return [replace(row, cells=marked[row.n]) for row in rows]


def _standings(
    row: BoardRow, rows: Sequence[BoardRow], groups: Sequence[Group], columns: Sequence[Column], runs: Mapping[int, Run]
) -> dict[str, Standing]:
    """Coverage and win rate in each group and in all. What is needed is what some run that competes has; for a run
    that does not compete, what any has."""
    peers = [other for other in rows if other.competes or not row.competes]
    rivals = [other for other in rows if other.competes and other.n != row.n] if row.competes else []
    had = {task for other in peers for task in runs[other.n].results.tasks}
    found = {}
    for key, own in [(OVERVIEW, columns), *((group.key, group.columns) for group in groups)]:
        needed = {column.task for column in own} & had
        done = sum(is_done(runs[row.n], task) for task in needed)
        shares = [share for other in rivals for share in wins(row.cells, other.cells, own).values()]
        rate = 100 * sum(shares) / len(shares) if shares else None
        found[key] = Standing(done, len(needed), rate, None, len(shares))
    return found


def _ranked(rows: Sequence[BoardRow], keys: Sequence[str]) -> list[BoardRow]:
    """Ranks by win rate within each group, of the runs that have all of its tasks; equal rates share a rank."""
    made = {row.n: dict(row.standings) for row in rows}
    for key in keys:
        able = [row.n for row in rows if row.competes and made[row.n][key].done == made[row.n][key].needed > 0]
        rates = {n: made[n][key].wins for n in able}
        for n in able:
            own = rates[n]
            if own is not None:
                better = sum(1 for rate in rates.values() if rate is not None and rate > own)
                made[n][key] = replace(made[n][key], rank=better + 1)
    return [replace(row, standings=made[row.n]) for row in rows]


def _order(row: BoardRow, group: str) -> tuple[bool, bool, float, int]:
    """Those that compete first, the ranked before the others, and as they were named."""
    standing = row.standings[group]
    return not row.competes, standing.rank is None, float(standing.rank or 0), row.n


def _others(
    shown: Sequence[tuple[int, Run]], rows: Sequence[BoardRow], columns: Sequence[Column]
) -> dict[str, dict[tuple[int, str], Cell]]:
    """The cells under profiles that are not the headline's, best and tied marked anew among those that have it."""
    runs, competing = dict(shown), {row.n for row in rows if row.competes}
    names = [profile for _, run in shown for entry in run.results.tasks.values() for profile in entry.scores]
    found: dict[str, dict[tuple[int, str], Cell]] = {}
    for profile in dict.fromkeys(names):
        for column in columns:
            cells = {row.n: cell for row in rows if (cell := cell_of(runs[row.n], column, profile)) is not None}
            kept = {row.n: row.cells[column.key] for row in rows if row.cells[column.key].profile == profile}
            contest = {n: cell for n, cell in (cells | kept).items() if n in competing}
            places = dict(zip(contest, placed(list(contest.values()), column.higher), strict=True))
            for n, cell in cells.items():
                found.setdefault(profile, {})[n, column.key] = places.get(n, cell)
    return found
