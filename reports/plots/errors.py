"""How the errors of a speech task lie over its utterances, with the corpus rate and the mean of utterances marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reports.labels import counted, note, of_task, told
from reports.plots.drawing import COLOURS, HATCHES, canvas
from reports.plots.plot import LeftOut, Plot, Words, named
from reports.runs import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES = ("wer", "cer")
WIDTHS = (1.0, 2.0, 5.0, 10.0)
"""Widths of a bin in %."""
MOST_BINS = 40
TOP = WIDTHS[-1] * MOST_BINS
"""%; rates above it are in one last bin, which is open."""


class Bin(NamedTuple):
    """Utterances with `low` < rate <= `high`, in %; the first has those without an error, the last may be open."""

    low: float
    high: float | None
    n: int


class Spread(NamedTuple):
    """The utterance error rates of a task, in %."""

    rate: str
    """ "wer" or "cer"."""
    rates: Sequence[float]
    corpus: float
    """Errors of all utterances over words (characters) of all."""
    wordless: int
    """Utterances whose reference has no word: their errors count in the corpus rate alone."""

    @property
    def mean(self) -> float:
        """Mean of the utterances' rates, each with the same weight."""
        return sum(self.rates) / len(self.rates)


def spread(run: Run, task: str) -> Spread | None:
    """The rates under the headline's profile and channel; None where answers are not scored by error rates."""
    entry = run.results.tasks[task]
    rate, rates, errors, units, wordless = "", list[float](), 0.0, 0.0, 0
    for _, scored in run.counted(task):
        score = scored.scores.get(entry.profile, {}).get(entry.channel)
        if score is None or score.name not in RATES or "units" not in score.parts or "errors" not in score.parts:
            continue
        rate = rate or score.name
        errors, units = errors + score.parts["errors"], units + score.parts["units"]
        if score.parts["units"] > 0:
            rates.append(100 * score.parts["errors"] / score.parts["units"])
        else:
            wordless += 1
    return Spread(rate, rates, 100 * errors / units, wordless) if rates else None


def bins(rates: Sequence[float]) -> list[Bin]:
    """At most `MOST_BINS` of one width, that of no error before them, and an open one behind where some are higher."""
    top = min(max(rates), TOP)
    width = next(width for width in WIDTHS if top <= width * MOST_BINS)
    counts = [0] * max(1, math.ceil(top / width - 1e-9))
    none, above = 0, 0
    for rate in rates:
        if rate <= 0:
            none += 1
        elif rate > width * len(counts) + 1e-9:
            above += 1
        else:
            counts[max(0, math.ceil(rate / width - 1e-9) - 1)] += 1
    found = [Bin(0.0, 0.0, none), *(Bin(n * width, (n + 1) * width, count) for n, count in enumerate(counts))]
    return [*found, Bin(len(counts) * width, None, above)] if above else found


def error_rates(run: Run, task: str) -> Iterator[Plot | LeftOut]:
    """The histogram of a task, or why there is none."""
    found = spread(run, task)
    if found is None:
        yield LeftOut("errors", task, "no sample is scored by a word or character error rate")
        return
    name, entry = found.rate.upper(), run.results.tasks[task]
    parts = bins(found.rates)
    marks = {f"corpus {name}": found.corpus, "mean of utterances": found.mean}
    rows = tuple(
        {"run": run.name, "model": run.model, "task": task, "profile": entry.profile, "what": what}
        | {"low": low, "high": high, "utterances": n}
        for what, low, high, n in [
            *(("bin", one.low, one.high, one.n) for one in parts),
            *((what, value, value, len(found.rates)) for what, value in marks.items()),
        ]
    )
    notes = [
        f"{counted(len(found.rates), 'utterance')}; hatched: without an error; corpus {name}: all errors over all "
        f"{'words' if name == 'WER' else 'characters'}; mean of utterances: each counts the same",
    ]
    if parts[-1].high is None:
        notes.append(f"the last bar: all above {parts[-1].low:g} %, up to {max(found.rates):,.0f} %")
    if found.wordless:
        notes.append(f"without a word in the reference and in no bar: {counted(found.wordless, 'utterance')}")
    notes += note([run])
    words = Words(f"{run.model}: {name} of the utterances of {task}", told([run], [of_task(run, task)]), tuple(notes))
    alt = (
        f"Histogram of the {name} of {counted(len(found.rates), 'utterance')} of {task} by {run.model} "
        f"({entry.profile}): {parts[0].n:,} without an error, corpus {name} {found.corpus:.2f} %, "
        f"mean of utterances {found.mean:.2f} %, highest {max(found.rates):.2f} %."
    )
    axis = f"{name} of an utterance, % ({entry.profile})"
    yield Plot("errors", named("errors", task, run.name), words, alt, rows, partial(_draw, words, parts, marks, axis))


def _draw(words: Words, parts: Sequence[Bin], marks: dict[str, float], axis: str) -> Figure:
    figure = canvas(words, 7.2, 3.6)
    ax = figure.subplots()
    width = parts[1].high or 1.0
    none, *rest = parts
    if none.n:
        ax.bar(-width, none.n, width, align="edge", color="#cfe3f0", hatch=HATCHES[1], edgecolor=COLOURS[0], lw=0.5)
        ax.text(-width / 2, none.n * 1.05, f"{none.n:,}", ha="center", va="bottom", fontsize=7)
    full = [one for one in rest if one.n]
    ax.bar(
        [one.low for one in full],
        [one.n for one in full],
        width,
        align="edge",
        color=COLOURS[0],
        edgecolor="white",
        lw=0.5,
    )
    last = rest[-1]
    if last.high is None:
        ax.text(last.low + width / 2, last.n * 1.08, f"> {last.low:g}", ha="center", va="bottom", fontsize=7)
    end = max(last.low + width, 10 * width)
    for (what, value), colour, dash in zip(marks.items(), ("#000000", COLOURS[1]), ("-", "--"), strict=True):
        ax.axvline(min(value, end), color=colour, linestyle=dash, lw=1.6, label=f"{what} {value:.2f} %")
    ax.set_yscale("log")
    most = max(one.n for one in parts)
    ax.set_ylim(0.7, most * 1.6)
    decades = [10**n for n in range(len(str(most)))]
    ax.set_yticks(decades, [f"{n:,}" for n in decades])
    ax.minorticks_off()
    ax.set_xlim(-width * 1.3, end + width * 0.3)
    ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= end])
    ax.set_xlabel(axis, fontsize=8)
    ax.set_ylabel("utterances (log)", fontsize=8)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=8)
    return figure
