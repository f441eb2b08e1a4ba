"""What a model scores without an input beside what it scores with it: bars in pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from reports.blind import belongs, is_blind
from reports.figures import measured, with_unit
from reports.labels import note, subtitle
from reports.plots import scale
from reports.plots.bars import Bar, Group, draw_bars
from reports.plots.plot import LeftOut, Plot, Words, named
from reports.runs import Run


def baselines(run: Run, runs: Sequence[Run]) -> Iterator[Plot | LeftOut]:
    """One plot of the run's tasks that have a blind baseline among the runs; of a blind run nothing."""
    if is_blind(run) or not any(is_blind(other) for other in runs):
        return
    found = [
        (task, one, blind, str(blind.manifest.config["ablate"]))
        for task, entry in run.results.tasks.items()
        for one in scale.scaled(task, entry)
        for blind in _firsts(run, task, runs)
        if one.name in blind.results.tasks[task].headline.metrics
    ]
    if not found:
        yield LeftOut("blind", run.name, "no run with --ablate differs from it in the blanked input alone")
        return
    rows, groups = [], []
    kinds = list(dict.fromkeys(kind for *_, kind in found))
    told = []
    for task, one, blind, kind in found:
        without = blind.results.tasks[task].headline.metrics[one.name]
        pair = [("all inputs", run, one.metric), (f"{kind} blanked", blind, without)]
        bars = []
        for what, whose, metric in pair:
            low, high = scale.share_interval(metric, one.limit)
            share = scale.share(metric.value, metric, one.limit)
            rows.append(
                {"run": whose.name, "model": whose.model, "task": task, "metric": one.name, "inputs": what}
                | {"value": metric.value, "low": metric.ci[0] if metric.ci else None}
                | {"high": metric.ci[1] if metric.ci else None, "unit": metric.unit, "n": metric.n, "share": share}
            )
            colour = 0 if whose is run else 1 + kinds.index(kind)
            bars.append(Bar(colour, share, low, high, f"{with_unit(metric.value, metric.unit)}  n = {metric.n:,}"))
        told.append(f"{task} {one.name} {measured(one.metric)}, {kind} blanked {measured(without)}")
        groups.append(Group(f"{task} {one.name}", bars))
    blinds = list({id(blind): blind for _, _, blind, _ in found}.values())
    notes = ("black line: 95 % interval; what is left without the input is what the model guesses", *note([run]))
    words = Words(f"{run.model}: with and without {', '.join(kinds)}", subtitle([run, *blinds]), notes)
    alt = f"Pairs of bars of {run.model} with all inputs and with one blanked: {'; '.join(told[:6])}."
    series = ["all inputs", *(f"{kind} blanked" for kind in kinds)]
    draw = partial(draw_bars, words, groups, series, "share of the best possible", (0.0, 1.0))
    yield Plot("blind", named("blind", run.name), words, alt, tuple(rows), draw)


def _firsts(run: Run, task: str, runs: Sequence[Run]) -> list[Run]:
    """The blind baselines of a task, the first for each input."""
    found: dict[str, Run] = {}
    for other in runs:
        if belongs(other, run, task):
            found.setdefault(str(other.manifest.config["ablate"]), other)
    return list(found.values())
