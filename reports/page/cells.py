"""A number of a run as a cell of the leaderboard, and which cells may be held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from harness.files import encoded
from harness.schema import TaskResult
from reports import figures
from reports.labels import counted
from reports.leaderboard import published
from reports.published import Published
from reports.runs import Run

State = Literal["ok", "invalid", "failed", "missing"]
Place = Literal["", "best", "tied"]


@dataclass(frozen=True)
class Column:
    """A headline metric of a task."""

    task: str
    metric: str
    unit: str
    higher: bool
    group: str

    @property
    def key(self) -> str:
        return f"{self.task}.{self.metric}"

    @property
    def arrow(self) -> Literal["↑", "↓"]:
        return "↑" if self.higher else "↓"


@dataclass(frozen=True)
class Cell:
    """What stands in a column of a run. `scored` says how it was made: only cells that agree in it are compared."""

    state: State = "missing"
    text: str = figures.MISSING
    value: float | None = None
    ci: tuple[float, float] | None = None
    interval: str = ""
    n: int = 0
    profile: str = ""
    scored: str = ""
    remarks: tuple[str, ...] = ()
    """Short words on what else has to be known: "3 failed", "by rule"."""
    blind: tuple[str, ...] = ()
    paper: Published | None = None
    place: Place = ""

    @property
    def difference(self) -> str:
        """Ours minus the paper's, signed: "+0.31", or nothing."""
        if self.paper is None or not self.paper.comparable or self.value is None:
            return ""
        apart = self.value - self.paper.value
        return f"{'+' if apart >= 0 else '−'}{abs(apart):.2f}"


def cell_of(run: Run, column: Column, profile: str | None = None) -> Cell | None:
    """The run's number in a column, under another scoring profile than its headline's if one is named.

    Missing where the run does not have the task. None where the task does not have that profile.
    """
    entry = run.results.tasks.get(column.task)
    if entry is None:
        return Cell() if profile is None else None
    if profile is not None and (profile == entry.profile or profile not in entry.scores):
        return None
    name = profile or entry.profile
    scores = entry.scores[name].get(entry.channel)
    metric = None if scores is None else scores.metrics.get(column.metric)
    if scores is None or metric is None:
        return Cell() if profile is None else None
    if metric.value is None:
        if scores.n_failed:
            return Cell("failed", f"error ({scores.n_failed:,})", profile=name)
        return Cell(profile=name) if entry.valid else Cell("invalid", "invalid", profile=name)
    valid = entry.valid and scores.valid
    remarks = [] if valid else ["invalid"]
    remarks += [f"{scores.n_failed:,} failed"] if scores.n_failed else []
    remarks += [told] if (told := figures.counted(entry)) else []
    remarks += ["by rule, no judge"] if entry.by_rule and profile is None else []
    return Cell(
        "ok" if valid else "invalid",
        figures.number(metric.value, metric.unit),
        metric.value,
        metric.ci,
        figures.interval(metric),
        scores.n_scored,
        name,
        encoded(_scored(run, entry, column, name)).decode(),
        tuple(remarks),
        paper=published(run, column.task, column.metric) if profile is None else None,
    )


def _scored(run: Run, entry: TaskResult, column: Column, profile: str) -> list[Any]:
    """What has to agree before two numbers are compared: how they were scored, on how many rows, and for a latency
    the machine too."""
    machine = [run.manifest.device, run.manifest.dtype, run.manifest.platform] if column.group == "latency" else []
    judged = [entry.by_rule, dict(sorted(entry.judges.items()))]
    counted = [entry.n_counted, entry.scores[profile][entry.channel].n_unscored]  # some profiles leave silence out
    return [entry.version, profile, entry.channel, *counted, entry.repeats, *judged, *machine]


def comparable(one: Cell, other: Cell) -> bool:
    return one.state == other.state == "ok" and one.scored == other.scored


def outcome(one: Cell, other: Cell, higher: bool) -> float:
    """1 where `one` is better, 0.5 where both are equal, else 0. Both have values."""
    assert one.value is not None and other.value is not None
    if one.value == other.value:
        return 0.5
    return float((one.value > other.value) == higher)


def placed(cells: Sequence[Cell], higher: bool) -> list[Cell]:
    """The cells with the best among them marked, and those whose interval overlaps its interval.

    Those that were scored as most of them are compete; none is best where fewer than two do.
    """
    ways = [cell.scored for cell in cells if cell.state == "ok"]
    common = max(ways, key=ways.count, default="")
    competing = [cell for cell in cells if cell.state == "ok" and cell.scored == common]
    if len(competing) < 2:
        return list(cells)
    values = [cell.value for cell in competing if cell.value is not None]
    top = max(values) if higher else min(values)
    best = next(cell for cell in competing if cell.value == top)
    return [replace(cell, place=_place(cell, best)) if cell in competing else cell for cell in cells]


def _place(cell: Cell, best: Cell) -> Place:
    if cell.value == best.value:
        return "best"
    if cell.ci is None or best.ci is None:
        return ""
    return "tied" if cell.ci[0] <= best.ci[1] and best.ci[0] <= cell.ci[1] else ""


def limits_of(run: Run, task: str) -> str:
    """Why a task of the run is no whole and valid one: "mme: 3 of 2,374 published rows", or nothing."""
    entry = run.results.tasks[task]
    if not entry.valid:
        return f"{task}: invalid"
    told = figures.counted(entry)
    return f"{task}: {told}" if told else ""


def is_done(run: Run, task: str) -> bool:
    """Whether the run has a valid number of the whole task."""
    entry = run.results.tasks.get(task)
    if entry is None or limits_of(run, task):
        return False
    return all(metric.value is not None for metric in figures.headline(entry.headline.metrics).values())


def wins(own: Mapping[str, Cell], other: Mapping[str, Cell], columns: Sequence[Column]) -> dict[str, float]:
    """Task -> the share of its metrics in which `own` is better, of the tasks in which both can be compared.

    >>> wins({}, {}, [])
    {}
    """
    found: dict[str, list[float]] = {}
    for column in columns:
        one, two = own.get(column.key, Cell()), other.get(column.key, Cell())
        if comparable(one, two):
            found.setdefault(column.task, []).append(outcome(one, two, column.higher))
    return {task: sum(shares) / len(shares) for task, shares in found.items()}


def told_of(cell: Cell) -> str:
    """What a cell rests on, on one line: "n = 2,620 samples, 3 failed"."""
    if cell.value is None:
        return ""
    return ", ".join([f"n = {counted(cell.n, 'sample')}", *cell.remarks])
