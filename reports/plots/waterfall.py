"""Where an answer's time goes: the stages of the p50, the p95 and the slowest answer, step by step, and the mean."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reports.labels import counted, note, of_task, short, told
from reports.plots.drawing import COLOURS, HATCHES, canvas
from reports.plots.plot import LeftOut, Plot, Words, named
from reports.plots.timed import STAGES, Answered, limits, timed
from reports.runs import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUANTILES = {"p50": 0.5, "p95": 0.95, "max": 1.0}


class Fall(NamedTuple):
    """An answer, or the mean, as its stages: moment -> (from, to) in seconds."""

    label: str
    sample: str
    stages: Mapping[str, tuple[float, float]]

    @property
    def whole(self) -> float:
        return max(to for _, to in self.stages.values())


def falls(answers: Sequence[Answered]) -> list[Fall]:
    """The answers at the quantiles of the whole time (nearest rank), then the mean of each stage.

    A mean of stages adds up only over answers that have the same ones: it is over those with the commonest set.
    """
    ordered = sorted(answers, key=lambda one: (one.whole, one.id, one.repeat))
    found = []
    for label, q in QUANTILES.items():
        one = ordered[max(0, math.ceil(q * len(ordered)) - 1)]
        found.append(Fall(label, one.id, one.stages))
    alike = alike_of(answers)
    at, mean = 0.0, {}
    for name in alike[0].stages:
        lasts = sum(to - start for start, to in (one.stages[name] for one in alike)) / len(alike)
        mean[name] = (at, at + lasts)
        at += lasts
    return [*found, Fall("mean", "", mean)]


def alike_of(answers: Sequence[Answered]) -> list[Answered]:
    """The answers with the commonest set of moments, in the commonest order."""
    commonest, _ = Counter(tuple(one.stages) for one in answers).most_common(1)[0]
    return [one for one in answers if tuple(one.stages) == commonest]


def waterfall(run: Run, task: str) -> Iterator[Plot | LeftOut]:
    """The plot of a task, or why there is none."""
    found = timed(run, task)
    if not found.answers:
        yield LeftOut("waterfall", task, "no answer has timings of this run")
        return
    every = falls(found.answers)
    rows = tuple(
        {"run": run.name, "model": run.model, "task": task, "answer": fall.label, "sample": fall.sample}
        | {"stage": STAGES[name], "from_s": start, "to_s": to, "seconds": to - start}
        for fall in every
        for name, (start, to) in fall.stages.items()
    )
    n, of_mean = len(found.answers), len(alike_of(found.answers))
    notes = ["each stage begins where the one before it ends", f"n = {counted(n, 'answer')}"]
    if of_mean < n:
        notes[-1] += f"; the mean is over the {of_mean:,} with the same stages"
    notes += note([run])
    said = told([run], [[*limits(run, task, found.without), *of_task(run, task)]])
    words = Words(f"{run.model}: time of an answer of {task}", said, tuple(notes))
    scale, unit = (1000.0, "ms") if every[2].whole < 1 else (1.0, "s")
    alt = (
        f"Waterfall of the stages of {counted(n, 'answer')} of {task} by {run.model}: whole time "
        + ", ".join(f"{fall.label} {fall.whole * scale:.3g} {unit}" for fall in every)
        + "."
    )
    draw = partial(_draw, words, every, scale, unit)
    yield Plot("waterfall", named("waterfall", task, run.name), words, alt, rows, draw)


def _draw(words: Words, every: Sequence[Fall], scale: float, unit: str) -> Figure:
    from matplotlib.patches import Patch

    *cascades, mean = every
    steps = sum(len(fall.stages) for fall in cascades) + 0.6 * len(cascades) + 1.4
    figure = canvas(words, 7.2, 0.17 * steps + 0.95)
    ax = figure.subplots()
    y, ticks = 0.0, []
    for fall in cascades:
        top = y
        for name, (start, to) in fall.stages.items():
            _stage(ax, y, name, start * scale, to * scale, 0.86)
            ax.text(to * scale, y, f" {(to - start) * scale:.3g}", va="center", fontsize=7)
            y += 1
        ticks.append(((top + y - 1) / 2, f"{fall.label}  {fall.whole * scale:.3g} {unit}\n{short(fall.sample, 24)}"))
        ax.axhline(y - 0.2, color="#bbbbbb", lw=0.6)
        y += 0.6
    for name, (start, to) in mean.stages.items():
        _stage(ax, y + 0.2, name, start * scale, to * scale, 1.2)
    ticks.append((y + 0.2, f"mean  {mean.whole * scale:.3g} {unit}"))
    ax.set_yticks([at for at, _ in ticks], [text for _, text in ticks], fontsize=8)
    ax.set_ylim(y + 1.1, -0.8)
    ax.set_xlim(0, max(max(fall.whole for fall in every) * scale * 1.07, 1e-9))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"{unit} since the request was handed over", fontsize=8)
    shown = [name for name in STAGES if any(name in fall.stages for fall in every)]
    marks = [Patch(facecolor=_look(name)[0], hatch=_look(name)[1], edgecolor="white") for name in shown]
    names = [STAGES[name] for name in shown]
    ax.legend(marks, names, loc="lower left", bbox_to_anchor=(-0.12, 1.0), ncols=3, frameon=False, fontsize=8)
    return figure


def _stage(ax: object, y: float, name: str, start: float, to: float, thick: float) -> None:
    from matplotlib.axes import Axes

    assert isinstance(ax, Axes)
    colour, hatch = _look(name)
    ax.barh(y, to - start, thick, left=start, color=colour, hatch=hatch, edgecolor="white", lw=0.4)


def _look(name: str) -> tuple[str, str]:
    place = list(STAGES).index(name)
    return COLOURS[place], HATCHES[place]
