"""Averages over benchmarks that a paper prints. VITA-1.5, table 2: nine benchmarks of pictures.

The paper's column is reproduced by MME / 23.74, that is MME / 2374 * 100: it divides by MME's number of questions
and not by its 2,800 points. Both forms are given; only the second is a mean of percentages.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reports.runs import Run, load

TABLE_2: dict[str, tuple[str, float]] = {
    "mmbench_en": ("accuracy", 1.0),
    "mmstar": ("accuracy", 1.0),
    "mmmu": ("accuracy", 1.0),
    "mathvista": ("accuracy", 1.0),
    "hallusionbench": ("average", 1.0),
    "ai2d": ("accuracy", 1.0),
    "ocrbench": ("score", 10.0),
    "mmvet": ("score", 1.0),
    "mme": ("total", 28.0),
}
"""Task -> (metric, what it is divided by to be 0..100)."""
MME_AS_PRINTED = 23.74
NOTE = (
    "table2_avg: mean of nine, OCRBench / 10, MME / 28. As printed in VITA-1.5, table 2, MME is divided by 23.74 "
    "(its 2,374 questions in place of its 2,800 points)"
)


class Averages(NamedTuple):
    """`sane` with MME / 28, `as_printed` with MME / 23.74; 0..100 (the latter can exceed it)."""

    sane: float
    as_printed: float


def table2(values: Mapping[str, float]) -> Averages:
    """The averages of the nine headline values by task. Raises KeyError for a task that is missing."""
    others = sum(values[task] / divisor for task, (_, divisor) in TABLE_2.items() if task != "mme")
    mme = values["mme"]
    return Averages((others + mme / TABLE_2["mme"][1]) / 9, (others + mme / MME_AS_PRINTED) / 9)


def of_run(run: Run) -> Averages | list[str]:
    """The averages of a run that has all nine, else the tasks that it lacks (or whose value it lacks)."""
    found: dict[str, float] = {}
    for task, (metric, _) in TABLE_2.items():
        entry = run.results.tasks.get(task)
        value = entry.headline.metrics[metric].value if entry is not None and metric in entry.headline.metrics else None
        if value is not None:
            found[task] = value
    return table2(found) if len(found) == len(TABLE_2) else [task for task in TABLE_2 if task not in found]


def told(run: Run) -> list[str]:
    """What a table says of them: both forms with the note, or what is missing where most are there."""
    match of_run(run):
        case Averages(sane, as_printed):
            ruled = [task for task in TABLE_2 if run.results.tasks[task].by_rule]
            without = f"; {', '.join(ruled)} by rule alone, where the paper had a judge" if ruled else ""
            return [f"table2_avg {sane:.1f} (as printed {as_printed:.1f}){without}", NOTE]
        case [*missing] if len(missing) <= 3:
            return [f"table2_avg needs {', '.join(missing)} too"]
    return []


def derived(path: Path) -> dict[str, Any]:
    """What `harness show --json` adds to a run's results: "averages" where it has all nine, else nothing."""
    match of_run(load(path)):
        case Averages(sane, as_printed):
            return {"averages": {"table2_avg": sane, "table2_avg_as_printed": as_printed, "note": NOTE}}
    return {}
