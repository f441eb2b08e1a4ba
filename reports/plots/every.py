"""All plots that runs have: what pages embed and `harness plot` writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reports import probe_figures
from reports.blind import is_blind
from reports.plots.baselines import baselines
from reports.plots.ecdf import ecdf
from reports.plots.errors import error_rates
from reports.plots.plot import KINDS, Kind, LeftOut, Plot, distinct, named
from reports.plots.radar import radar
from reports.plots.retention import retention
from reports.plots.subtasks import subtasks
from reports.plots.waterfall import waterfall
from reports.probes import load as load_probe
from reports.runs import Run


def plots_of(runs: Sequence[Run], kinds: Collection[Kind] = KINDS) -> Iterator[Plot]:
    """The plots of evaluation runs, none drawn yet; no two have a name."""
    return (plot for plot in distinct(gathered(runs, kinds)) if isinstance(plot, Plot))


def plots_of_task(run: Run, task: str, kinds: Collection[Kind] = KINDS) -> Iterator[Plot]:
    """The plots of one task of a run: its sub-scores, error rates and latencies. Raises KeyError for another task."""
    return (plot for plot in distinct(_of_task(run, task, kinds)) if isinstance(plot, Plot))


def plots_of_probe(run: Path) -> Iterator[Plot]:
    """The figures of a probe run, under names that hold the run's. Raises UsageError for what is no probe run."""
    for plot in probe_figures.figures_of(load_probe(run)):
        yield replace(plot, name=named("probe", run.resolve().name, plot.name))


def gathered(runs: Sequence[Run], kinds: Collection[Kind] = KINDS) -> Iterator[Plot | LeftOut]:
    """The same plots with those that are left out, and why; two may have a name.

    Runs with a blanked input stand in the plot that is made for them and beside no other run, unless there are only
    such runs.
    """
    seeing = [run for run in runs if not is_blind(run)] or list(runs)
    if seeing and "radar" in kinds:
        yield from radar(seeing)
    if "retention" in kinds:
        yield from retention(seeing)
    for run in seeing if "blind" in kinds else ():
        yield from baselines(run, runs)
    for run in runs:
        for task in run.results.tasks:
            yield from _of_task(run, task, [kind for kind in kinds if kind != "ecdf" or len(runs) == 1])
    if len(runs) > 1 and "ecdf" in kinds:
        for task in dict.fromkeys(task for run in seeing for task in run.results.tasks):
            yield from ecdf(seeing, task)


def _of_task(run: Run, task: str, kinds: Collection[Kind]) -> Iterator[Plot | LeftOut]:
    if "subtasks" in kinds:
        yield from subtasks(run, task)
    if "errors" in kinds:
        yield from error_rates(run, task)
    if "waterfall" in kinds:
        yield from waterfall(run, task)
    if "ecdf" in kinds:
        yield from ecdf([run], task)
