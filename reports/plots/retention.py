"""What is kept from stage to stage: each headline metric of runs of one model, relative to the first run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reports.blind import decides
from reports.figures import MISSING, number
from reports.labels import keyed, labels, short, subtitle, together
from reports.plots import scale
from reports.plots.drawing import canvas, line
from reports.plots.plot import LeftOut, Plot, Words, named
from reports.runs import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Kept(NamedTuple):
    """A metric over the stages: its values and each divided by the first, None where one of them is not there."""

    task: str
    metric: str
    unit: str
    higher_is_better: bool
    values: tuple[float | None, ...]
    relative: tuple[float | None, ...]


def retention(runs: Sequence[Run]) -> Iterator[Plot | LeftOut]:
    """One plot of all runs, in their order, or why there is none."""
    if len(runs) < 2:
        return
    of = ", ".join(run.name for run in runs)
    if len({run.results.model.name for run in runs}) > 1:
        yield LeftOut("retention", of, "the runs are of different models")
    elif len({_weights(run) for run in runs}) == 1:
        yield LeftOut("retention", of, "the runs are of the same weights")
    elif not (found := kept(runs)):
        yield LeftOut("retention", of, "the runs share no task that was asked and scored alike and has a value above 0")
    else:
        yield _plot(runs, found)


def _weights(run: Run) -> str:
    return str(run.manifest.model.fingerprint.get("digest", run.model))


def kept(runs: Sequence[Run]) -> list[Kept]:
    """The headline metrics with a limit of tasks in all runs that were asked and scored alike."""
    first, *others = runs
    found = []
    for task, entry in first.results.tasks.items():
        if any(task not in other.results.tasks or _differ(first, other, task) for other in others):
            continue
        for name, metric, _ in scale.scaled(task, entry):
            metrics = [run.results.tasks[task].headline.metrics.get(name) for run in runs]
            values = tuple(one.value if one else None for one in metrics)
            if values[0] is not None and values[0] > 0 and any(value is not None for value in values[1:]):
                relative = tuple(None if value is None else value / values[0] for value in values)
                found.append(Kept(task, name, metric.unit, metric.higher_is_better, values, relative))
    return found


def _differ(first: Run, other: Run, task: str) -> bool:
    return decides(first, task) != decides(other, task)


def _plot(runs: Sequence[Run], found: Sequence[Kept]) -> Plot:
    names = labels(runs)
    rows = tuple(
        {"stage": place, "run": run.name, "model": name, "task": one.task, "metric": one.metric}
        | {"value": one.values[place], "unit": one.unit, "higher_is_better": one.higher_is_better}
        | {"relative": one.relative[place]}
        for one in found
        for place, (run, name) in enumerate(zip(runs, names, strict=True))
    )
    notes = [f"each value divided by that of {names[0]}; runs in the order in which they were named"]
    shown = {one.task for one in found}
    if lacking := [task for run in runs for task in run.results.tasks if task not in shown]:
        told = ", ".join(list(dict.fromkeys(lacking))[:8])
        notes.append(f"left out (not in every run, asked or scored otherwise, without a limit, or 0 at first): {told}")
    if any(value is None for one in found for value in one.values):
        notes.append(f"{MISSING}, a gap: no value")
    if invalid := sorted({task for run in runs for task in shown if not run.results.tasks[task].valid}):
        notes.append(f"invalid in some run: {', '.join(invalid)}")
    words = Words(f"{names[0]} to {names[-1]}: what is kept", subtitle(runs), tuple(notes))
    ends = [
        f"{one.task} {one.metric} {number(one.values[0], one.unit)} to {number(one.values[-1], one.unit)} {one.unit}"
        for one in found
    ]
    alt = f"Lines of {len(found)} metrics over {len(runs)} runs relative to the first: {'; '.join(ends[:8])}."
    name = named("retention", together(runs))
    return Plot("retention", name, words, alt, rows, partial(_draw, words, found, names))


def _draw(words: Words, found: Sequence[Kept], names: Sequence[str]) -> Figure:
    panels = [part for higher in (True, False) if (part := [one for one in found if one.higher_is_better == higher])]
    width = max(7.2, 1.0 + 0.9 * len(names))
    height = sum(2.2 + 0.17 * -(-len(part) // 2) for part in panels) + 0.4
    figure = canvas(words, width, height)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    number_of = {one: n for n, one in enumerate(found)}
    for ax, part in zip(axes, panels, strict=True):
        _panel(ax, part, number_of, names)
    axes[-1].set_xticks(range(len(names)), [short(name, 22) for name in names], fontsize=8)
    if len(names) > 4 or max(map(len, names)) > 16:
        axes[-1].tick_params(axis="x", rotation=20)
        for label in axes[-1].get_xticklabels():
            label.set_horizontalalignment("right")
    return figure


def _panel(ax: Axes, part: Sequence[Kept], number_of: dict[Kept, int], names: Sequence[str]) -> None:
    ax.axhline(1, color="#888888", lw=1)
    for one in part:
        look = line(number_of[one])
        at = [math.nan if value is None else value for value in one.relative]
        ends = " → ".join(number(value, one.unit) for value in (one.values[0], one.values[-1]))
        label = f"{keyed(one.task, 26)} {one.metric}: {ends} {one.unit}".rstrip()
        style = {"color": look.color, "linestyle": look.linestyle, "marker": look.marker}
        ax.plot(range(len(names)), at, ms=4, lw=1.4, label=label, **style)
    ax.set_xlim(-0.2, len(names) - 0.8)
    better = "higher is better" if part[0].higher_is_better else "lower is better"
    ax.set_ylabel(f"× first run\n({better})", fontsize=8)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=7)
