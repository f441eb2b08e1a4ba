"""The table that a run prints: headline numbers with their interval, their counts and what limits them.

A missing value is an en dash, never 0. The paper's value stands beside a number for orientation and is no rank.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from reports.published import find
from reports.runs import MINI, Run, caveats, invalid_reason, load_all

MISSING = "–"
PAPER = "paper: the value that the model's paper prints for the released weights on the whole set; not a rank"
_HEADINGS = ("task", "metric", "value [95 % CI]", "scored", "paper")
_RIGHT = ("scored", "paper")


def print_table(run_dirs: Sequence[Path], *, stream: TextIO | None = None) -> None:
    """Print one table a run to `stream` (stdout), in colours on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream or sys.stdout, highlight=False, soft_wrap=True)
    for number, run in enumerate(load_all(run_dirs)):
        if number:
            console.print()
        for line in lines(run):
            console.print(Text(line.text, style=line.style))


def summary(run_dirs: Sequence[Path]) -> list[dict[str, Any]]:
    """Every metric of every task of every run, for machines: one flat mapping each."""
    return [row for run in load_all(run_dirs) for row in rows(run, headline_only=False)]


def rows(run: Run, *, headline_only: bool) -> Iterator[dict[str, Any]]:
    """The run's metrics with their counts and caveats. A task without a headline metric shows all it has."""
    for task, entry in run.tasks.items():
        metrics = entry["metrics"]
        chosen = {name: m for name, m in metrics.items() if m.get("headline")} if headline_only else metrics
        for name, metric in (chosen or metrics).items():
            paper = find(run.model, task, name)
            yield {
                "run": run.name,
                "model": run.model,
                "task": task,
                "metric": name,
                "value": metric.get("value"),
                "ci": metric.get("ci"),
                "ci_unit": metric.get("ci_unit"),
                "n_clusters": metric.get("n_clusters"),
                "unit": metric.get("unit", ""),
                "higher_is_better": metric.get("higher_is_better"),
                "headline": bool(metric.get("headline")),
                "profile": entry["profile"],
                "prompt": entry["prompt"],
                **{key: entry[key] for key in ("n_expected", "n_scored", "n_failed", "n_unscored")},
                "truncated": entry.get("truncated", 0),
                "coverage": entry.get("coverage"),
                "valid": bool(entry.get("valid")),
                "finished": run.finished,
                "benchmark": not run.is_mini,
                "caveats": caveats(run) + ([reason] if (reason := invalid_reason(entry)) else []),
                "published": None if paper is None else asdict(paper),
            }


class _Line(NamedTuple):
    """A line of the table and how it is drawn."""

    text: str
    style: str


def lines(run: Run) -> Iterator[_Line]:
    """The table as lines of text with a rich style each."""
    found = list(rows(run, headline_only=True))
    table = [dict(zip(_HEADINGS, _cells(row), strict=True)) for row in found]
    widths = {h: max([len(h), *(len(cells[h]) for cells in table)]) for h in _HEADINGS}
    yield _Line(f"{run.model}  {run.name}", "bold")
    yield _Line(_aligned({h: h for h in _HEADINGS}, widths), "dim")
    previous = None
    for row, cells in zip(found, table, strict=True):
        if row["task"] != previous and previous is not None:
            yield from _details(run, previous)
        yield _Line(_aligned(cells, widths), "" if row["valid"] else "red")
        previous = row["task"]
    if previous is not None:
        yield from _details(run, previous)
    yield from (_Line(f"! {caveat}", "yellow") for caveat in caveats(run))
    yield from _paper_notes(run, found)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    paper = row["published"]
    return (
        row["task"],
        row["metric"],
        measured(row),
        f"{row['n_scored']}/{row['n_expected']}",
        MISSING if paper is None else f"{paper['value']:g}{'*' if paper['note'] else ''}",
    )


def measured(row: Mapping[str, Any]) -> str:
    """Value, unit and interval: "4.21 % [3.90, 4.55]"."""
    if row["value"] is None:
        return MISSING
    text = f"{_number(row['value'], row['unit'])} {row['unit']}".rstrip()
    if row["ci"] is None:
        return text
    low, high = (_number(bound, row["unit"]) for bound in row["ci"])
    return f"{text} [{low}, {high}]"


def _number(value: float, unit: str) -> str:
    """Rates with two decimals, anything else with one; a plain factor (RTF) with three digits."""
    match unit:
        case "%":
            return f"{value:.2f}"
        case "":
            return f"{value:.3g}"
        case _:
            return f"{value:.1f}"


def _aligned(cells: Mapping[str, str], widths: Mapping[str, int]) -> str:
    gap = "  " if sum(widths.values()) + 2 * (len(widths) - 1) <= 80 else " "
    placed = (cells[h].rjust(widths[h]) if h in _RIGHT else cells[h].ljust(widths[h]) for h in _HEADINGS)
    return gap.join(placed).rstrip()


def _details(run: Run, task: str) -> Iterator[_Line]:
    entry = run.tasks[task]
    said = [f"profile {entry['profile']}", f"prompt {entry['prompt']}"]
    said += [f"{entry['n_failed']} failed", f"{entry['n_unscored']} unscored"]
    if entry.get("truncated"):
        said.append(f"{entry['truncated']} truncated")
    yield _Line("  " + ", ".join(said), "dim")
    if reason := invalid_reason(entry):
        yield _Line(f"  ! {reason}", "red")


def _paper_notes(run: Run, found: Sequence[Mapping[str, Any]]) -> Iterator[_Line]:
    printed = [row for row in found if row["published"]]
    if not printed:
        return
    yield _Line(PAPER + (f"; this run: {MINI}" if run.is_mini else ""), "dim")
    for row in printed:
        if note := row["published"]["note"]:
            yield _Line(f"* {row['task']}: {note}", "dim")
