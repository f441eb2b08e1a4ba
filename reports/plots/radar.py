"""One axis a task, one polygon a run: each task by the metric that stands for it, from 0 to 1 on the shared scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.figures import MISSING, number, with_unit
from reports.labels import counted, keyed, labels, note, short, subtitle, together
from reports.plots import scale
from reports.plots.bars import Bar, Group, draw_bars
from reports.plots.drawing import GREY, below, canvas, line, wrapped
from reports.plots.plot import LeftOut, Plot, Words, named
from reports.runs import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 3
"""Axes of a radar; of fewer tasks there are bars."""
PRINTED = 4
"""Runs whose values stand at an axis; of more their range does."""


class Cell(NamedTuple):
    """A run's value on an axis: in its own unit and on the scale, both None where the run has none."""

    value: float | None
    share: float | None
    low: float | None = None
    high: float | None = None


class Axis(NamedTuple):
    task: str
    metric: str
    unit: str
    limit: float
    higher_is_better: bool
    cells: tuple[Cell, ...]
    """One a run."""


def axes_of(runs: Sequence[Run]) -> list[Axis]:
    """The tasks of the runs that have a scale and a value in one of them, in the runs' order."""
    found = []
    for task in dict.fromkeys(task for run in runs for task in run.results.tasks):
        entries = [run.results.tasks.get(task) for run in runs]
        stands = next((one for entry in entries if entry and (one := scale.stands_for(task, entry))), None)
        if stands is None:
            continue
        cells = []
        for entry in entries:
            metric = entry.headline.metrics.get(stands.name) if entry else None
            if metric is None or metric.value is None:
                cells.append(Cell(None, None))
            else:
                within = scale.share_interval(metric, stands.limit)
                cells.append(Cell(metric.value, scale.share(metric.value, metric, stands.limit), *within))
        if any(cell.value is not None for cell in cells):
            own = stands.metric
            found.append(Axis(task, stands.name, own.unit, stands.limit, own.higher_is_better, tuple(cells)))
    return found


def radar(runs: Sequence[Run]) -> Iterator[Plot | LeftOut]:
    """One plot for all runs, or why there is none."""
    axes = axes_of(runs)
    if not axes:
        yield LeftOut("radar", ", ".join(run.name for run in runs), "no task has a value with a limit")
        return
    names = labels(runs)
    rows = tuple(
        {
            "run": run.name,
            "model": name,
            "task": axis.task,
            "metric": axis.metric,
            "value": cell.value,
            "unit": axis.unit,
            "limit": axis.limit,
            "higher_is_better": axis.higher_is_better,
            "share": cell.share,
            "share_low": cell.low,
            "share_high": cell.high,
        }
        for axis in axes
        for run, name, cell in zip(runs, names, axis.cells, strict=True)
    )
    notes = [
        "outside is better: the value divided by its limit (100 of a rate in %, MME 2800, OCRBench 1000), 1 - x where "
        "lower is better"
    ]
    if gaps := [
        f"{axis.task} of {short(name)}"
        for axis in axes
        for name, cell in zip(names, axis.cells, strict=True)
        if cell.value is None
    ]:
        notes.append(f"{MISSING}, a gap: no value of {_some(gaps)}")
    if invalid := [
        f"{axis.task} of {short(name)}"
        for axis in axes
        for name, run in zip(names, runs, strict=True)
        if axis.task in run.results.tasks and not run.results.tasks[axis.task].valid
    ]:
        notes.append(f"invalid: {_some(invalid)}")
    if len(runs) > PRINTED:
        notes.append("at each axis: the range of the runs; the CSV has every value")
    elif len(runs) > 1 and len(axes) >= LEAST:
        notes.append("at each axis: the runs' values in the order of the legend")
    notes += note(runs)
    title = names[0] if len(runs) == 1 else f"{len(runs)} runs"
    words = Words(f"{title}: {counted(len(axes), 'task')}", subtitle(runs), tuple(notes))
    draw = partial(_radar, words, axes, names) if len(axes) >= LEAST else partial(_bars, words, axes, names)
    yield Plot("radar", named("radar", together(runs)), words, _alt(axes, names), rows, draw)


def _some(texts: Sequence[str], most: int = 8) -> str:
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _alt(axes: Sequence[Axis], names: Sequence[str]) -> str:
    kind = "Radar" if len(axes) >= LEAST else "Bars"
    told = "; ".join(
        f"{axis.task} {axis.metric} {_values(axis)}{f' {axis.unit}' if axis.unit else ''}" for axis in axes[:8]
    )
    more = f" and {len(axes) - 8} more" if len(axes) > 8 else ""
    return f"{kind} of {len(axes)} tasks for {_some(names, 4)}: {told}{more}."


def _values(axis: Axis) -> str:
    """ "2.04 / 3.10", the range of more than `PRINTED`."""
    if len(axis.cells) <= PRINTED:
        return " / ".join(number(cell.value, axis.unit) for cell in axis.cells)
    known = [cell.value for cell in axis.cells if cell.value is not None]
    return f"{number(min(known), axis.unit)}–{number(max(known), axis.unit)}"


_RADIUS, _ACROSS, _LABEL = 1.95, 1.85, 0.62
"""Inches: of the circle, of the labels beside it, of those above and below it."""
UPRIGHT, _AROUND = 14, 40
"""Axes whose labels stand upright; labels of more lie along their axes. Axes above which the circle grows."""


def _radar(words: Words, axes: Sequence[Axis], names: Sequence[str]) -> Figure:
    key = 0.21 * -(-len(names) // 2) if len(names) > 1 else 0.0
    upright = len(axes) <= UPRIGHT
    label = _LABEL if upright else _ACROSS
    radius = _RADIUS * max(1.0, len(axes) / _AROUND)
    width, tall = 2 * (radius + _ACROSS), 2 * (radius + label) + key
    figure = canvas(words, width, tall)
    figure.set_layout_engine("none")
    whole, foot = figure.get_figheight(), below(words, width)
    left, bottom = _ACROSS / width, (foot + label) / whole
    ax = figure.add_axes((left, bottom, 2 * radius / width, 2 * radius / whole), projection="polar")
    ax.set_theta_offset(math.pi / 2)  # type: ignore[attr-defined]
    ax.set_theta_direction(-1)  # type: ignore[attr-defined]
    angles = [2 * math.pi * n / len(axes) for n in range(len(axes))]
    ax.set_xticks(angles, [""] * len(axes))
    ax.set_ylim(0, 1)
    ax.set_yticks([0.25, 0.5, 0.75, 1], ["", "0.5", "", "1"], fontsize=7, color=GREY)
    ax.set_rlabel_position(180 / len(axes))  # type: ignore[attr-defined]
    ax.spines["polar"].set_visible(False)
    for place, name in enumerate(names):
        found = [axis.cells[place].share for axis in axes]
        shares = [math.nan if one is None else one for one in found]
        look = line(place)
        style: dict[str, Any] = {"color": look.color, "linestyle": look.linestyle, "marker": look.marker}
        style |= {"label": keyed(name, 46), "clip_on": False}
        ax.plot([*angles, angles[0]], [*shares, shares[0]], ms=4, lw=1.5, **style)
        if len(names) <= 2 and None not in found:
            ax.fill(angles, shares, color=look.color, alpha=0.08, lw=0)
    for axis, angle in zip(axes, angles, strict=True):
        side, up = round(math.sin(angle), 6), math.cos(angle)
        across = "left" if side >= 0 else "right"
        how: dict[str, Any] = {"ha": across, "va": "center", "rotation_mode": "anchor", "fontsize": 7.5}
        if upright:
            along = "bottom" if up > 0.8 else "top" if up < -0.8 else "center"
            how |= {"ha": "center" if abs(side) < 0.05 else across, "va": along}
        else:
            how["rotation"] = 90 - math.degrees(angle) - (180 if side < 0 else 0)
        ax.text(angle, 1.07, _label(axis), **how)
    if key:
        top = (foot + tall) / whole
        figure.legend(loc="upper left", bbox_to_anchor=(0.0, top), ncols=2, frameon=False, fontsize=8)
    return figure


def _label(axis: Axis) -> str:
    of = "%" if axis.unit == "%" else f"of {axis.limit:g} {axis.unit}".rstrip()
    return "\n".join([short(axis.task, 28), *wrapped(f"{axis.metric} {_values(axis)} {of}", 30)])


def _bars(words: Words, axes: Sequence[Axis], names: Sequence[str]) -> Figure:
    groups = [
        Group(
            f"{axis.task} {axis.metric}",
            [
                Bar(n, cell.share, cell.low, cell.high, with_unit(cell.value, axis.unit))
                for n, cell in enumerate(axis.cells)
            ],
        )
        for axis in axes
    ]
    return draw_bars(words, groups, names, "share of the best possible", (0.0, 1.0))
