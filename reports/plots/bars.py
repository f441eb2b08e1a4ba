"""Bars that lie, in groups, each with its interval and with its number written in a column at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.schema import MetricResult
from reports.figures import MISSING, number
from reports.labels import keyed, short
from reports.plots.drawing import COLOURS, GREY, HATCHES, canvas
from reports.plots.plot import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Bar(NamedTuple):
    """A value (None: a gap) with the ends of its interval and what is written beside it. `series` gives the colour."""

    series: int
    value: float | None
    low: float | None
    high: float | None
    told: str


def measured_bar(series: int, metric: MetricResult) -> Bar:
    """A metric in its own unit, with its n."""
    low, high = metric.ci or (None, None)
    return Bar(series, metric.value, low, high, f"{number(metric.value, metric.unit)}  n = {metric.n:,}")


class Group(NamedTuple):
    label: str
    bars: Sequence[Bar]


def draw_bars(
    words: Words, groups: Sequence[Group], series: Sequence[str], axis: str, limits: tuple[float, float | None]
) -> Figure:
    """The first group on top. `series` names the colours (one needs no name); `limits` None ends where the bars do."""
    thick = 0.75 / max(len(group.bars) for group in groups)
    height = sum(max(0.24, 0.17 * len(group.bars)) for group in groups) + 0.75 + 0.2 * (len(series) > 1)
    figure = canvas(words, 7.2, height)
    ax = figure.subplots()
    for place, group in enumerate(groups):
        for n, bar in enumerate(group.bars):
            y = place + (n - (len(group.bars) - 1) / 2) * thick
            _bar(ax, y, bar, thick)
    ax.set_yticks(range(len(groups)), [short(group.label, 44) for group in groups])
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_xlim(*limits)
    if limits[1] is None and ax.get_xlim()[1] <= limits[0]:
        ax.set_xlim(limits[0], limits[0] + 1)
    ax.set_xlabel(axis, fontsize=8)
    if len(series) > 1:
        from matplotlib.patches import Patch

        marks = [Patch(facecolor=_colour(n), hatch=_hatch(n), edgecolor="white") for n in range(len(series))]
        names = [keyed(name, 46) for name in series]
        columns = max(1, 90 // (max(map(len, names)) + 8))
        ax.legend(marks, names, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False, fontsize=8)
    return figure


def _bar(ax: object, y: float, bar: Bar, thick: float) -> None:
    import matplotlib.axes

    assert isinstance(ax, matplotlib.axes.Axes)
    small = min(8.0, 44 * thick)
    if bar.value is None:
        ax.text(0, y, f" {MISSING}", va="center", fontsize=small, color=GREY, transform=ax.get_yaxis_transform())
    else:
        ax.barh(
            y, bar.value, thick * 0.92, color=_colour(bar.series), hatch=_hatch(bar.series), edgecolor="white", lw=0.4
        )
    if bar.low is not None and bar.high is not None:
        ax.hlines(y, bar.low, bar.high, color="white", lw=3)
        ax.plot([bar.low, bar.high], [y, y], "|-", color="black", lw=1, ms=4)
    ax.text(1.015, y, bar.told, va="center", fontsize=max(5.5, small), transform=ax.get_yaxis_transform())


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]


def _hatch(n: int) -> str:
    return HATCHES[n % len(HATCHES)]
