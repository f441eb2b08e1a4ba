"""Cells of a run for a paper's table: value, interval, count, the difference to the paper, and what limits them."""

from __future__ import annotations

from dataclasses import replace

from harness.schema import MetricResult, ScoreResult, TaskResult
from reports import figures
from reports.grid.grid import Cell, Notes
from reports.labels import of_task
from reports.papers.layout import Aligned, Derived, Entry, Measure
from reports.runs import Run


def cell_of(run: Run, label: str, entry: Entry, theirs: float | None, notes: Notes) -> Cell:
    """The first of the column's fills that the run has. `theirs` is the value of the model's own row in the paper.

    A task that was run and has no value is missing with the marks that say why.
    """
    missing = Cell()
    for fill in entry.fills:
        match fill:
            case Measure():
                found = _measured(run, label, fill, theirs, notes)
            case Derived():
                found = _derived(run, label, fill, theirs, notes)
            case Aligned():
                continue
        if not found.missing:
            return found
        missing = missing if missing.marks else found
    return missing


def has_any(run: Run, entries: tuple[Entry, ...]) -> bool:
    """Whether a task of the run stands in one of the columns."""
    tasks = {fill.task for entry in entries for fill in entry.fills if isinstance(fill, Measure)}
    return not tasks.isdisjoint(run.results.tasks)


def _measured(run: Run, label: str, measure: Measure, theirs: float | None, notes: Notes) -> Cell:
    found = _numbers(run, measure)
    if found is None:
        return Cell()
    entry, scores, metric = found
    marks = tuple(sorted({notes.mark(reason) for reason in _reasons(run, label, measure, entry, scores)}))
    if metric is None or metric.value is None:
        return Cell(marks=marks)
    lines, more = list[str](), dict[str, float]()
    if metric.ci is not None:
        lines.append(figures.interval(metric))
        more |= {"low": metric.ci[0], "high": metric.ci[1]}
    if entry.n_published is None or entry.n_rows != entry.n_published or scores.n_scored != entry.n_expected:
        lines.append(f"n = {scores.n_scored:,}")
    more["n"] = scores.n_scored
    cell = Cell(figures.number(metric.value, metric.unit), metric.value, tuple(lines), more, marks)
    return _with_difference(run, cell, metric.unit, theirs if measure.comparable and not entry.by_rule else None)


def _derived(run: Run, label: str, derived: Derived, theirs: float | None, notes: Notes) -> Cell:
    """The value where all members have one, with the marks of them all."""
    cells = [_measured(run, label, member, None, notes) for member in derived.members]
    numbers = [cell.number for cell in cells if cell.number is not None]
    if len(numbers) < len(cells):
        return Cell()
    value = derived.value(numbers)
    marks = {mark for cell in cells for mark in cell.marks}
    if derived.note:
        marks.add(notes.mark(f"measured: {derived.note}"))
    cell = Cell(figures.number(value, derived.unit), value, (), {}, tuple(sorted(marks)))
    ruled = any(run.results.tasks[member.task].by_rule for member in derived.members)
    return _with_difference(run, cell, derived.unit, theirs if derived.comparable and not ruled else None)


def _with_difference(run: Run, cell: Cell, unit: str, theirs: float | None) -> Cell:
    """Ours minus the paper's, of the released weights on the benchmark itself with every input."""
    if theirs is None or cell.number is None:
        return cell
    if not run.as_released or run.manifest.config.get("ablate"):
        return cell
    by = cell.number - theirs
    sign = "−" if by < 0 else "+"
    return replace(
        cell,
        lines=(*cell.lines, f"{sign}{figures.number(abs(by), unit)} to paper"),
        more={**cell.more, "difference to paper": by},
    )


def _numbers(run: Run, measure: Measure) -> tuple[TaskResult, ScoreResult, MetricResult | None] | None:
    """The task's entry, its numbers in the channel, and the metric; None where the run does not have them."""
    entry = run.results.tasks.get(measure.task)
    if entry is None:
        return None
    scores = entry.scores[entry.profile].get(measure.channel or entry.channel)
    return None if scores is None else (entry, scores, scores.metrics.get(measure.metric))


def _reasons(run: Run, label: str, measure: Measure, entry: TaskResult, scores: ScoreResult) -> list[str]:
    """What has to be said of a number: one note for what limits it, one for how the task differs from the paper's."""
    said = of_task(run, measure.task)
    if entry.valid and not scores.valid:
        said.insert(0, "invalid")
    if any(problem.startswith("invalid") for problem in entry.problems):
        said = [fact for fact in said if fact != "invalid"]
    if entry.by_rule:
        said.append("by rule alone, where the paper had a judge")
    reasons = [f"{label}: {'; '.join(said)}"] if said else []
    reasons += [f"{label}, {measure.task}: {problem}" for problem in entry.problems]
    if measure.note:
        reasons.append(f"measured: {measure.note}")
    return reasons
