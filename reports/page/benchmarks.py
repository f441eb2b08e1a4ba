"""A page a task, over all runs of a site: what is measured and how, every run's numbers, and the hardest samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import registry
from harness.failures import UsageError
from harness.task import Aggregate, Combined, Metric, Quantile, Ratio, Task
from reports import figures
from reports.blind import is_blind
from reports.conditions import conditions_of
from reports.labels import labels, short_caveats, told
from reports.leaderboard import published
from reports.page.comparisons import Comparisons
from reports.page.hardest import MOST, Hard, hardest, said_of
from reports.page.heatmap import heatmaps
from reports.page.pages import benchmark_page, model_page, sample_page, task_page, write_page
from reports.runs import Run


def write_benchmarks(runs: Mapping[int, Run], comparisons: Comparisons, site: Path) -> None:
    """Write the page of each task that a run of the site has. `runs` are by their numbers in the site."""
    for task in dict.fromkeys(task for run in runs.values() for task in run.results.tasks):
        own = {n: run for n, run in runs.items() if task in run.results.tasks}
        _write(task, own, comparisons, site)


def _write(task: str, runs: Mapping[int, Run], comparisons: Comparisons, site: Path) -> None:
    names = dict(zip(runs, labels(list(runs.values())), strict=True))
    alike = same_samples(task, runs)
    hard = hardest([said_of(runs[n], task) for n in alike]) if len(alike) > 1 else []
    first = next(iter(runs.values()))
    write_page(
        site / benchmark_page(task),
        "benchmark.html",
        task=task,
        caveats=told(list(runs.values()), [short_caveats(run, task) for run in runs.values()]),
        described=first.manifest.tasks[task],
        metrics=list(measured(task, runs)),
        profiles=list(profiles(task, runs)),
        prompts=prompts(task, runs, names),
        rows=[row for n, run in runs.items() for row in _rows(task, n, run, names[n])],
        heatmaps=heatmaps(task, list(runs.values())),
        names=[(f"../{model_page(n)}", name) for n, name in names.items()],
        hard=[_hard(one, task, alike) for one in hard],
        whole=sum(one.wrong == one.judged for one in hard),
        most=MOST,
        alike=[names[n] for n in alike],
        others=[names[n] for n in runs if n not in alike],
        several=len(runs) > 1,
        compared=[
            (page.names, f"../{page.page}") for page in comparisons.pages if page.one in runs and page.other in runs
        ],
    )


def same_samples(task: str, runs: Mapping[int, Run]) -> list[int]:
    """The runs whose samples are counted together: those of the data, version and repeats that most runs have (the
    first of as many), none with an input blanked, unless there are only such runs."""
    seeing = {n: run for n, run in runs.items() if not is_blind(run)} or dict(runs)
    groups: list[tuple[Any, list[int]]] = []
    for n, run in seeing.items():
        made = conditions_of(run, task)
        own = [made[name] for name in ("data", "task version", "repeats")]
        for known, members in groups:
            if known == own:
                members.append(n)
                break
        else:
            groups.append((own, [n]))
    return max((members for _, members in groups), key=len)


def measured(task: str, runs: Mapping[int, Run]) -> Iterator[tuple[str, str, bool, bool, str]]:
    """(metric, unit, whether higher is better, whether it is shown first, how it is made of parts where that is
    known)."""
    known = _known(task)
    versions = {run.results.tasks[task].version for run in runs.values()}
    made = {metric.name: defined(metric) for metric in known.metrics} if known and versions == {known.version} else {}
    found = {name: metric for run in runs.values() for name, metric in run.results.tasks[task].headline.metrics.items()}
    for name, metric in found.items():
        yield name, metric.unit, metric.higher_is_better, metric.headline, made.get(name, "")


def _known(task: str) -> Task | None:
    try:
        return registry.get_task(task)
    except UsageError:
        return None


def defined(metric: Metric) -> str:
    """How a metric is made of the samples' parts.

    >>> defined(Ratio("wer", "%", False, "errors", "words"))
    '100 × the sum of errors / the sum of words, over all samples'
    """
    match metric:
        case Ratio():
            made = f"{metric.scale:g} × the sum of {metric.part} / the sum of {metric.whole}, over all samples"
            return f"what is missing to {metric.upper:g}: {made}" if metric.complement else made
        case Combined():
            weights = set(metric.weights.values())
            how = "the sum" if weights == {1.0} else "the mean" if _mean(metric) else "the weighted sum"
            return f"{how} of {metric.of} over {metric.tag}: {', '.join(metric.weights)}"
        case Quantile():
            return "the largest " + metric.part if metric.q == 1 else f"the {metric.q:.4g} quantile of {metric.part}"
        case Aggregate():
            return "a function of what every sample gives, by the benchmark's own code"
    return f"a function of parts that are summed over the samples that have {metric.over}"


def _mean(metric: Combined) -> bool:
    return all(math.isclose(weight * len(metric.weights), 1.0) for weight in metric.weights.values())


def profiles(task: str, runs: Mapping[int, Run]) -> Iterator[tuple[str, str, str]]:
    """(profile, its signature, for which runs it is the headline) of all that a run was scored by."""
    names = dict(zip(runs, labels(list(runs.values())), strict=True))
    signatures: dict[str, str] = {}
    heads: dict[str, list[str]] = {}
    for n, run in runs.items():
        entry = run.results.tasks[task]
        for profile in entry.scores:
            heads.setdefault(profile, [])
            signatures.setdefault(profile, run.manifest.tasks[task].signatures.get(profile, ""))
        heads[entry.profile].append(names[n])
    for profile, whose in sorted(heads.items(), key=lambda item: -len(item[1])):
        yield profile, signatures[profile], "all runs" if len(whose) == len(runs) else ", ".join(whose)


def prompts(task: str, runs: Mapping[int, Run], names: Mapping[int, str]) -> list[tuple[str, str, str]]:
    """(preset, what is said of it, whose)."""
    found: dict[tuple[str, str], list[str]] = {}
    for n, run in runs.items():
        described = run.manifest.tasks[task]
        found.setdefault((run.results.tasks[task].prompt, described.prompt_note), []).append(names[n])
    return [(*key, "all runs" if len(whose) == len(runs) else ", ".join(whose)) for key, whose in found.items()]


def _rows(task: str, n: int, run: Run, name: str) -> Iterator[dict[str, Any]]:
    """A line of the table of runs for each headline metric."""
    entry = run.results.tasks[task]
    for metric_name, metric in figures.headline(entry.headline.metrics).items():
        yield {
            "name": name,
            "model": f"../{model_page(n)}",
            "page": f"../{task_page(n, task)}",
            "entry": entry,
            "metric_name": metric_name,
            "metric": metric,
            "paper": published(run, task, metric_name),
        }


def _hard(one: Hard, task: str, alike: list[int]) -> dict[str, Any]:
    cells = [
        None if said is None else {"said": said, "page": f"../{sample_page(n, task, one.name)}"}
        for n, said in zip(alike, one.said, strict=True)
    ]
    return {"name": one.name, "wrong": one.wrong, "judged": one.judged, "cells": cells}
