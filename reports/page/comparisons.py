"""Pages of two runs side by side: `compare/<a>-<b>.html`, with the samples that changed from one to the other.

The samples themselves are those of the runs' own pages: a page of a comparison has a line for each that changed and
where its details lie in both runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from harness.differences import changes
from reports.compare.compared import Comparison, MetricChange, TaskChange, compare, measurable
from reports.compare.joined import Change
from reports.conditions import conditions_of
from reports.figures import MISSING, number, p_value, points, signed, with_unit
from reports.labels import labels
from reports.page.pages import benchmark_page, comparison_page, model_page, slug_of, task_page, write_page
from reports.page.rows import CHUNK, script, shown_name
from reports.runs import Run, caveats, conditions

MOST = 10
"""Pairs of runs that have a page."""
RESAMPLES = 2000
LISTED = 5000
"""Samples of a kind that a page lists, the largest changes first."""


class Compared(NamedTuple):
    """A page of a comparison: the numbers of its runs."""

    one: int
    other: int
    names: tuple[str, str]
    page: str


class Comparisons(NamedTuple):
    """The pages that were written, and how many more pairs might have had one."""

    pages: list[Compared]
    left_out: int

    def of(self, n: int) -> list[Compared]:
        return [page for page in self.pages if n in (page.one, page.other)]


def pairs(runs: Mapping[int, Run]) -> list[tuple[int, int]]:
    """The pairs of runs that have a task in common whose conditions agree, in the order of the runs."""
    made = {
        (n, task): conditions_of(run, task)
        for n, run in runs.items()
        for task in run.results.tasks
        if measurable(run, task)
    }
    return [
        (a, b)
        for a, b in combinations(runs, 2)
        if any(
            (b, task) in made and not changes(made[a, task], made[b, task])
            for task in runs[a].results.tasks
            if (a, task) in made
        )
    ]


def write_comparisons(runs: Mapping[int, Run], site: Path) -> Comparisons:
    """Write a page for each of the first `MOST` pairs that can be compared. `runs` are by their numbers in the site."""
    names = dict(zip(runs, labels(list(runs.values())), strict=True))
    places: dict[tuple[int, str], dict[tuple[str, int], int]] = {}
    written: list[Compared] = []
    candidates = pairs(runs)
    for tried, (a, b) in enumerate(candidates):
        if len(written) == MOST:
            return Comparisons(written, len(candidates) - tried)
        found = compare(runs[a], runs[b], resamples=RESAMPLES)
        if not found.tasks:
            continue
        written.append(Compared(a, b, (names[a], names[b]), comparison_page(a, b)))
        for change in found.tasks:
            for n in (a, b):
                if (n, change.task) not in places:
                    places[n, change.task] = places_of(runs[n], change.task)
        _write(found, written[-1], places, site)
    return Comparisons(written, 0)


def places_of(run: Run, task: str) -> dict[tuple[str, int], int]:
    """Sample and repeat -> its place on the run's page of the task; of one that the log has twice the first."""
    found: dict[tuple[str, int], int] = {}
    for place, record in enumerate(run.directory.records(task)):
        found.setdefault((record.id, record.repeat), place)
    return found


def _write(
    found: Comparison,
    pair: Compared,
    places: Mapping[tuple[int, str], Mapping[tuple[str, int], int]],
    site: Path,
) -> None:
    numbers = pair.one, pair.other
    folder = site / "data" / "compare" / f"{pair.one}-{pair.other}"
    folder.mkdir(parents=True)
    tasks = []
    for k, change in enumerate(found.tasks):
        entry = found.one.results.tasks[change.task]
        listed = listed_of(change.joined.changes)
        rows = [
            [shown_name(one.id, one.repeat, entry), one.kind, one.gain]
            + [places[n, change.task][one.id, one.repeat] for n in numbers]
            for one in listed
        ]
        (folder / f"{k}.js").write_bytes(script("__changed", [k, rows]))
        tasks.append(
            {
                "task": change.task,
                "counts": change.joined.counts,
                "data": [f"data/{slug_of(n, change.task)}/" for n in numbers],
                "pages": [f"../{task_page(n, change.task)}" for n in numbers],
            }
        )
    about = {"runs": pair.names, "chunk": CHUNK, "data": f"data/compare/{folder.name}/", "tasks": tasks}
    (folder / "index.js").write_bytes(script("__compared", [about]))
    write_page(
        site / pair.page,
        "compare.html",
        pair=pair,
        runs=[_side(run, n, name) for run, n, name in zip((found.one, found.other), numbers, pair.names, strict=True)],
        metrics=[_metric_row(change, metric) for change in found.tasks for metric in _headline(change.metrics)],
        samples=[_sample_row(change) for change in found.tasks],
        refused=found.refused,
        alone=[(task, pair.names[task in found.other.results.tasks]) for task in found.alone],
        resamples=RESAMPLES,
        data=about["data"],
    )


def listed_of(changes: list[Change]) -> Iterator[Change]:
    """The first `LISTED` of each kind."""
    seen: Counter[str] = Counter()
    for one in changes:
        seen[one.kind] += 1
        if seen[one.kind] <= LISTED:
            yield one


def _side(run: Run, n: int, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "run": run.name,
        "page": f"../{model_page(n)}",
        "conditions": conditions(run),
        "caveats": caveats(run),
    }


def _headline(metrics: list[MetricChange]) -> list[MetricChange]:
    return [metric for metric in metrics if metric.headline] or metrics


def _metric_row(change: TaskChange, metric: MetricChange) -> dict[str, Any]:
    """A line of the table of metrics, as texts."""
    unit, found = metric.unit, metric.difference
    gap = None if metric.one is None or metric.other is None else metric.other - metric.one
    return {
        "task": change.task,
        "page": f"../{benchmark_page(change.task)}",
        "profile": f"{change.profile}{f', {change.channel}' if change.channel else ''}",
        "metric": metric.name,
        "higher": metric.higher_is_better,
        "values": [with_unit(metric.one, unit), with_unit(metric.other, unit)],
        "difference": MISSING if gap is None else f"{signed(gap, unit)} {points(unit)}".rstrip(),
        "interval": f"[{signed(found.low, unit)}, {signed(found.high, unit)}]" if found else MISSING,
        "p": p_value(found.p) if found else MISSING,
        "holm": MISSING if metric.p_holm is None else p_value(metric.p_holm),
        "units": f"{metric.units:,} {metric.kind}{'' if metric.units == 1 else 's'}",
        "detectable": f"{number(metric.detectable, unit)} {points(unit)}".rstrip() if metric.detectable else MISSING,
        "verdict": verdict(metric),
    }


def verdict(metric: MetricChange) -> str:
    """In a word what the difference says: "better", "worse", "no difference", "within chance", "not tested"."""
    if metric.one is None or metric.other is None:
        return "no value"
    if metric.difference is None:
        return "not tested"
    if metric.better is None:
        return "no difference"
    if not metric.difference.significant:
        return "within chance"
    return "better" if metric.better else "worse"


def _sample_row(change: TaskChange) -> dict[str, Any]:
    return {
        "task": change.task,
        "counts": change.joined.counts,
        "alone": change.joined.alone,
        "shared": change.joined.shared,
        "mcnemar": MISSING if change.mcnemar is None else p_value(change.mcnemar),
        "cut": [kind for kind, n in change.joined.counts.items() if kind != "same" and n > LISTED],
    }
