"""How runs are named in plots, and what has to be said of them in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reports.blind import is_blind
from reports.runs import Run, caveats


def labels(runs: Sequence[Run]) -> list[str]:
    """A name for each run: its model, with the run's own name where models are alike; no two are equal."""
    models = [_model(run) for run in runs]
    often = Counter(models)
    found = [model if often[model] == 1 else f"{model} {run.name}" for model, run in zip(models, runs, strict=True)]
    taken = Counter[str]()
    for place, label in enumerate(found):
        taken[label] += 1
        if taken[label] > 1:
            found[place] = f"{label} ({taken[label]})"
    return found


def _model(run: Run) -> str:
    return f"{run.model}, {run.manifest.config['ablate']} blanked" if is_blind(run) else run.model


def short(text: str, most: int = 40) -> str:
    """The text on one line, cut in its middle: names differ at both ends.

    >>> short("librispeech_test_clean", 11)
    'libri…clean'
    """
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[: most - 1 - half]}…{text[-half:]}"


def short_caveats(run: Run) -> list[str]:
    """The run's caveats without remedies and paths: "random weights", "mini world, not a benchmark number"."""
    said = []
    for caveat in caveats(run):
        head, _, rest = caveat.partition(": ")
        said.append(rest if rest and head in ("model", "weights", "ablation") else head)
    return said


def subtitle(runs: Sequence[Run], *more: str) -> str:
    """What limits the numbers of the runs: once where it is true of all, else with the run that it is true of."""
    whose: dict[str, list[str]] = {}
    for label, run in zip(labels(runs), runs, strict=True):
        for caveat in dict.fromkeys(short_caveats(run)):
            whose.setdefault(caveat, []).append(short(label))
    told = [caveat if len(by) == len(runs) else f"{', '.join(by)}: {caveat}" for caveat, by in whose.items()]
    return "; ".join([*filter(None, more), *told])


def of_task(run: Run, task: str) -> str:
    """What limits the numbers of one task: the run's caveats, and how much of the task was scored."""
    entry = run.results.tasks[task]
    said = [] if entry.valid else ["invalid"]
    if entry.n_scored < entry.n_expected:
        said.append(f"{entry.n_scored:,} of {entry.n_expected:,} scored, {entry.n_failed:,} failed")
    return subtitle([run], *said)
