"""The table that a run prints: headline numbers with their interval, and under each task what they rest on.

A missing value is an en dash, never 0. The paper's value stands beside a number for orientation and is no rank; it
stands only beside the released weights, on the benchmark and split that the paper names.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TextIO

from harness.schema import MetricResult, TaskResult
from harness.texts import printable
from reports import averages, figures, subscores
from reports.figures import MISSING, measured
from reports.leaderboard import published
from reports.published import Published
from reports.runs import Run, caveats, conditions, load, not_run, speed_of_hearing
from reports.suites import heading_of, suite_of

PAPER = "paper: the value that the model's paper prints for the released weights on the whole set; not a rank"
_HEADINGS = ("task", "metric", "value [95 % CI]", "scored", "paper")
_RIGHT = ("scored", "paper")


def print_table(path: Path, *, stream: TextIO | None = None) -> None:
    """Print a run's table to `stream` (stdout), in colours on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream or sys.stdout, highlight=False, soft_wrap=True)
    width = shutil.get_terminal_size((80, 24)).columns
    for line in lines(load(path), width):
        console.print(Text(printable(line.text), style=line.style))


class _Line(NamedTuple):
    """A line of the table and how it is drawn."""

    text: str
    style: str = ""


def lines(run: Run, width: int = 80) -> Iterator[_Line]:
    """The table as lines of text with a rich style each; sub-scores are wrapped to `width` columns."""
    tasks = {
        task: [_cells(run, task, entry, *item) for item in figures.headline(entry.headline.metrics).items()]
        for task, entry in run.results.tasks.items()
    }
    every = [cells for found in tasks.values() for cells in found]
    widths = {h: max([len(h), *(len(cells[h]) for cells in every)]) for h in _HEADINGS}
    yield _Line(f"{run.model}  {run.name}", "bold")
    yield _Line(_aligned({h: h for h in _HEADINGS}, widths), "dim")
    suites = {task: suite_of(task, run.manifest.tasks[task].inputs) for task in tasks}
    before = ""
    for task, found in tasks.items():
        entry = run.results.tasks[task]
        if len(set(suites.values())) > 1 and suites[task] != before:
            yield _Line(heading_of(suites[task]), "bold")
        before = suites[task]
        for cells in found:
            yield _Line(_aligned(cells, widths), "" if entry.valid else "red")
        yield from (_Line(f"  {text}", "dim") for text in details(run, task))
        yield from (_Line(f"  {text}") for text in subscores.lines(entry.headline, width - 2))
        for problem in entry.problems:
            yield _Line(f"  ! {problem}", "red" if problem.startswith("invalid") else "yellow")
    yield from (_Line(text) for text in averages.told(run))
    yield from (_Line(f"! {told}", "yellow") for told in (*not_run(run), *caveats(run)))
    yield _Line(conditions(run), "dim")
    if heard := speed_of_hearing(run):
        yield _Line(heard, "dim")
    yield from _paper_notes(run)


def _cells(run: Run, task: str, entry: TaskResult, name: str, metric: MetricResult) -> dict[str, str]:
    paper = published(run, task, name)
    told = (
        task,
        name,
        measured(metric),
        f"{entry.n_scored}/{entry.n_expected}",
        MISSING if paper is None else _shown(paper),
    )
    return dict(zip(_HEADINGS, told, strict=True))


def _shown(paper: Published) -> str:
    """The paper's value, with a star where something is said of it below the table."""
    return f"{paper.value:g}{'*' if paper.note else ''}"


def _beside(paper: Published | None) -> str:
    return "" if paper is None else f" (paper {_shown(paper)})"


def _aligned(cells: Mapping[str, str], widths: Mapping[str, int]) -> str:
    gap = "  " if sum(widths.values()) + 2 * (len(widths) - 1) <= 80 else " "
    placed = (cells[h].rjust(widths[h]) if h in _RIGHT else cells[h].ljust(widths[h]) for h in _HEADINGS)
    return gap.join(placed).rstrip()


def details(run: Run, task: str) -> Iterator[str]:
    """What a task's numbers rest on, a line each: profile and counts, intervals, profiles, channels, repeats."""
    entry = run.results.tasks[task]
    channel = f", {entry.channel} channel" if entry.channel else ""
    said = [f"profile {entry.profile}{channel}", f"prompt {entry.prompt}"]
    if note := run.manifest.tasks[task].prompt_note:
        said[-1] += f" ({note})"
    said += [f"{entry.n_failed} failed", f"{entry.n_unscored} unscored"]
    if entry.coverage < 1:
        said.append(f"coverage {100 * entry.coverage:.1f} %")
    if entry.truncated:
        said.append(f"{entry.truncated} truncated")
    yield ", ".join(said)
    if signature := run.manifest.tasks[task].signatures.get(entry.profile):
        yield f"{entry.profile}: {signature}"
    shown = figures.headline(entry.headline.metrics)
    yield from _intervals(shown)
    for name in shown:
        if spread := figures.over_profiles(entry, name):
            yield f"{name}: {spread}"
    for name, gap in entry.gap.items():
        if name in shown:
            yield f"{name}: text minus speech {gap:+.2f} {shown[name].unit}".rstrip()
    for channel, scored in entry.scores[entry.profile].items():
        if channel != entry.channel:
            found = [
                f"{name} {measured(one)}{_beside(published(run, task, name, channel))}"
                for name, one in scored.metrics.items()
                if one.value is not None
            ]
            yield f"{channel} channel: {', '.join(found) or MISSING}, {scored.n_scored}/{entry.n_expected} scored"
    for name, values in entry.spread.items():
        if name in entry.headline.metrics:
            yield f"{name}: {figures.over_repeats(values, entry.headline.metrics[name].unit)}"
    if entry.pass_at:
        yield ", ".join(f"pass@{k} {value:.1f} %" for k, value in entry.pass_at.items())
    if constant := told_constant(entry):
        yield constant
    if entry.steps:
        yield "steps that changed answers: " + ", ".join(f"{step} {n}" for step, n in entry.steps.items())
    if entry.judges:
        yield "judges: " + "; ".join(told_judge(entry, role) for role in entry.judges)


def told_judge(entry: TaskResult, role: str) -> str:
    """A judge, how much it judged, its tokens in and out and what they cost, as far as that is known."""
    name, used = entry.judges[role], entry.judge_usage.get(role)
    told = name if name.startswith(f"{role} ") else f"{role} {name}"
    if used is None:
        return told
    told += f", {used.judgements:,} judgements"
    if used.prompt_tokens or used.new_tokens:
        told += f", {used.prompt_tokens:,} + {used.new_tokens:,} tokens"
    return told if used.cost is None else f"{told}, ${used.cost:.4g}"


def told_constant(entry: TaskResult) -> str:
    """What a constant answer would score: what a number of few possible answers is to be held against."""
    scores = entry.headline
    if scores.constant is None or scores.constant_metric not in scores.metrics:
        return ""
    answer, value = scores.constant
    unit = scores.metrics[scores.constant_metric].unit
    return f"answering {answer!r} to everything scores {scores.constant_metric} {figures.with_unit(value, unit)}"


def _intervals(metrics: Mapping[str, MetricResult]) -> Iterator[str]:
    """How the intervals were made, once where all are made alike: "Clopper-Pearson over images, n = 40 cognition"."""
    made: dict[str, dict[str, int]] = {}
    for name, metric in metrics.items():
        if metric.ci is not None:
            made.setdefault(f"{metric.ci_method} over {metric.ci_unit}s", {})[name] = metric.n
    for text, counts in made.items():
        whose = len(metrics) > 1
        yield f"interval: {text}, n = " + ", ".join(
            f"{n:,} {name}" if whose else f"{n:,}" for name, n in counts.items()
        )


def _paper_notes(run: Run) -> Iterator[_Line]:
    found = [
        (task, paper)
        for task, entry in run.results.tasks.items()
        for channel, scores in sorted(entry.scores[entry.profile].items(), key=lambda one: one[0] != entry.channel)
        for name in figures.headline(scores.metrics)
        if (paper := published(run, task, name, channel)) is not None
    ]
    if not found:
        return
    yield _Line(PAPER, "dim")
    for task, note in dict.fromkeys((task, paper.note) for task, paper in found if paper.note):
        yield _Line(f"* {task}: {note}", "dim")
