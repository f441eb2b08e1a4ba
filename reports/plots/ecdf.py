"""The share of answers whose first token, and first sound, came within a time: one line a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from reports.labels import keyed, labels, note, of_task, short, together, told
from reports.plots.drawing import GREY, canvas, line
from reports.plots.plot import LeftOut, Plot, Words, named
from reports.plots.timed import limits, timed
from reports.runs import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHAT = {"TTFT": "time to the first text token", "TTFA": "time to the first sound"}
Lines = Mapping[str, Mapping[str, Sequence[float]]]
"""TTFT or TTFA -> run's label -> seconds, ascending."""


def quantile(ordered: Sequence[float], q: float) -> float:
    """The smallest of the values that a share of `q` does not exceed (nearest rank): a point of the curve."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def ecdf(runs: Sequence[Run], task: str) -> Iterator[Plot | LeftOut]:
    """The plot of a task for the runs that have it, or why there is none."""
    having = [run for run in runs if task in run.results.tasks]
    names = labels(having)
    found: dict[str, dict[str, list[float]]] = {what: {} for what in WHAT}
    said = []
    for run, name in zip(having, names, strict=True):
        answers = timed(run, task)
        said.append([*limits(run, task, answers.without), *of_task(run, task)])
        for what in WHAT:
            moments = [getattr(one.timings, what.lower()) for one in answers.answers]
            if known := sorted(moment for moment in moments if moment is not None):
                found[what][name] = known
    lines = {what: by for what, by in found.items() if by}
    if not lines:
        yield LeftOut("ecdf", task, "no answer has the time of its first token or first sound in this run")
        return
    rows = tuple(
        {"run": run.name, "model": name, "task": task, "what": what, "seconds": value, "share": (n + 1) / len(values)}
        for what, by in lines.items()
        for run, name in zip(having, names, strict=True)
        if (values := by.get(name))
        for n, value in enumerate(values)
    )
    parts = [
        f"{what} of {name} p50 {quantile(values, 0.5):.3g} s, p95 {quantile(values, 0.95):.3g} s (n = {len(values):,})"
        for what, by in lines.items()
        for name, values in by.items()
    ]
    notes = ["dots: p50 and p95 (nearest rank)"]
    if absent := [f"{what} of {short(name)}" for what, by in lines.items() for name in names if name not in by]:
        notes.append(f"not known: {', '.join(absent)}")
    notes += note(having)
    title = f"{names[0]}: " if len(having) == 1 else ""
    words = Words(f"{title}{' and '.join(lines)} of {task}", told(having, said), tuple(notes))
    alt = f"Share of the answers of {task} by time: {'; '.join(parts[:8])}{' and more' if len(parts) > 8 else ''}."
    name = named("ecdf", task, together(having))
    yield Plot("ecdf", name, words, alt, rows, partial(_draw, words, lines, names))


def _draw(words: Words, lines: Lines, names: Sequence[str]) -> Figure:
    figure = canvas(words, 7.2, 3.3 + 0.3 * len(names))
    axes = figure.subplots(1, len(lines), sharey=True, squeeze=False)[0]
    for ax, (what, by) in zip(axes, lines.items(), strict=True):
        slowest = max(values[-1] for values in by.values())
        scale, unit = (1000.0, "ms") if slowest < 1 else (1.0, "s")
        for place, name in enumerate(names):
            if name not in by:
                continue
            values = [value * scale for value in by[name]]
            shares = [(n + 1) / len(values) for n in range(len(values))]
            look = line(place)
            p50, p95 = quantile(values, 0.5), quantile(values, 0.95)
            points = f"p50 {p50:.3g}, p95 {p95:.3g} {unit}, n = {len(values):,}"
            label = points if len(names) == 1 else f"{keyed(name, 34)}\n{points}"
            ax.step(
                [values[0], *values],
                [0.0, *shares],
                where="post",
                color=look.color,
                linestyle=look.linestyle,
                label=label,
            )
            ax.plot([p50, p95], [0.5, 0.95], look.marker, color=look.color, ms=5)
        ax.set_xlim(0, slowest * scale * 1.05 or 1)
        ax.set_ylim(0, 1.02)
        ax.set_yticks([0, 0.25, 0.5, 0.75, 0.95])
        ax.set_xlabel(f"{what}, {unit}: {WHAT[what]}", fontsize=8)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, fontsize=7.5, labelcolor=GREY)
    axes[0].set_ylabel("share of the answers", fontsize=8)
    return figure
