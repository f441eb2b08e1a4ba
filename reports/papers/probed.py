"""Rows of probe runs in a paper's table, each with the chance level of what it was measured on.

At the model's input (NEXUS-O's table 7) both variants stand there, and chance is a row of its own; layer by layer
(its figure 3) the profile's variant alone, with chance below each value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from harness.store import RunDir
from reports.grid.grid import Cell, Notes, Row
from reports.papers.layout import Aligned, Entry, Layout
from reports.probe_figures import AVERAGE, VARIANTS, conditions

MEASURED = "Measured here"
CHANCE = "Chance"
Record = Mapping[str, Any]
Probed = Sequence[tuple[RunDir, Record]]


def chance_of_paper(layout: Layout, notes: Notes) -> Iterator[Row]:
    """The level of the paper's own rows; what a formula gives is cut after 5 decimals as they are."""
    if (chance := layout.chance) is None:
        return
    mark = (notes.mark(chance.note),)
    exact = {name: Cell(_cut(value), value, marks=mark) for name, value in chance.exact.items()}
    about = {name: Cell(f"≈ {value:g}", value, marks=mark) for name, value in chance.about.items()}
    values = [(exact | about).get(entry.heading, Cell(marks=mark)) for entry in layout.entries]
    yield Row((Cell(f"chance at n = {chance.n:,}, k = {chance.k}"), *values), CHANCE)


def rows_of(layout: Layout, probed: Probed, notes: Notes) -> Iterator[Row]:
    """A row for each comparison (and layer) of the probe runs of the layout's stage."""
    for label, run, results in _labelled(layout, probed):
        marks = (notes.mark(f"{label}: {conditions(results)}{'' if run.finished else '; incomplete run'}"),)
        for scored in sorted(results["scores"], key=lambda scored: not scored["headline"]):
            if layout.sides and scored["comparison"] not in layout.sides:
                continue
            if results["stage"] == "unembedding":
                name = f"{label} ({scored['comparison']}, {VARIANTS[scored['variant']]})"
                cells = [_value(scored, entry, marks) for entry in layout.entries]
                yield Row((Cell(name), *cells), MEASURED)
                name = f"chance: shuffled pairs, n = {scored['n']:,}, k = {scored['k']}"
                yield Row((Cell(name), *(_chance(scored, entry, marks) for entry in layout.entries)), MEASURED)
            elif scored["headline"]:
                name = f"{label} ({scored['comparison']}, layer {scored['layer']})"
                cells = [_value(scored, entry, marks, chance=True) for entry in layout.entries]
                yield Row((Cell(name), *cells), MEASURED)


def not_comparable(layout: Layout, probed: Probed) -> Iterator[str]:
    """What sets a run apart from the paper's rows, of each run that something does."""
    for label, _, results in _labelled(layout, probed):
        apart = ["the data are the mini world"] if results["data"] == "mini" else []
        if layout.chance is not None:
            for name, ours, theirs in (("n", results["n"], layout.chance.n), ("k", results["k"], layout.chance.k)):
                apart += [f"{name} = {ours:,}, the paper's {theirs:,}"] if ours != theirs else []
        if results["clamp"] is not None:
            apart.append(f"features clamped at q {results['clamp']:g}")
        if apart:
            yield f"{label} is not comparable with the paper: {'; '.join(apart)}."


def _labelled(layout: Layout, probed: Probed) -> Iterator[tuple[str, RunDir, Record]]:
    """The runs of the layout's stage, by the model's name where no other run of the stage has it."""
    mine = [(run, results) for run, results in probed if results["stage"] == layout.stage]
    often = [results["model"]["name"] for _, results in mine]
    for run, results in mine:
        model = results["model"]["name"]
        yield model if often.count(model) == 1 else f"{model} {run.name}", run, results


def _value(scored: Record, entry: Entry, marks: tuple[int, ...], chance: bool = False) -> Cell:
    """A metric of one comparison with its interval, and with its chance level if that has no row of its own."""
    found = _metric(scored, entry)
    if found is None or found["value"] is None:
        return Cell(marks=marks if found else ())
    lines, more = list[str](), dict[str, float]()
    if found["ci"] is not None:
        low, high = found["ci"]
        lines.append(f"[{low:.3f}, {high:.3f}]")
        more |= {"low": low, "high": high}
    if found["chance"] is not None:
        lines += [f"chance {found['chance']['mean']:.3f}"] if chance else []
        more["chance"] = found["chance"]["mean"]
    return Cell(found["printed"] or f"{found['value']:.5f}", found["value"], tuple(lines), more, marks)


def _chance(scored: Record, entry: Entry, marks: tuple[int, ...]) -> Cell:
    found = _metric(scored, entry)
    if found is None or found["chance"] is None:
        return Cell(marks=marks if found else ())
    level = found["chance"]["mean"]
    return Cell(_cut(level), level, marks=marks)


def _metric(scored: Record, entry: Entry) -> Record | None:
    """What a column shows of a comparison, the mean of the metrics in the same form as one of them."""
    aligned = next((fill.metric for fill in entry.fills if isinstance(fill, Aligned)), "")
    if aligned != AVERAGE:
        found: Record | None = scored["metrics"].get(aligned)
        return found
    level = scored["average"]["chance"]
    chance = None if level is None else {"mean": level}
    return {"value": scored["average"]["value"], "printed": None, "ci": None, "chance": chance}


def _cut(value: float) -> str:
    """Cut, not rounded, as the paper prints its table 7.

    >>> _cut(0.027085590465872156)
    '0.02708'
    """
    return str(Decimal(repr(value)).quantize(Decimal("0.00001"), rounding=ROUND_FLOOR))
