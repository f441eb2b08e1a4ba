"""How runs are named in plots, and what has to be said of them in short."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from harness.texts import wide
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
    """The text on one line, cut in its middle (names differ at both ends) to that many columns.

    >>> short("librispeech_test_clean", 11)
    'libri…clean'
    """
    text = " ".join(text.split())
    if wide(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{_fitting(text, most - 1 - half)}…{_fitting(text[::-1], half)[::-1]}"


def keyed(text: str, most: int) -> str:
    """The same in a legend, which would leave out what begins with an underscore."""
    return f" {short(text, most)}" if text.startswith("_") else short(text, most)


def _fitting(text: str, columns: int) -> str:
    """The longest beginning that is not wider."""
    taken = 0
    for n, c in enumerate(text):
        taken += wide(c)
        if taken > columns:
            return text[:n]
    return text


def counted(n: int, what: str) -> str:
    """ "1 task", "1,000 tasks"."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def short_caveats(run: Run, task: str | None = None) -> list[str]:
    """The run's caveats without remedies and paths: "random weights", "mini world, not a benchmark number".

    With a task those that hold for it: an input that it does not have is not blanked in it.
    """
    said = []
    blanked = task is None or run.manifest.config.get("ablate") in run.manifest.tasks[task].inputs
    for caveat in caveats(run):
        head, _, rest = caveat.partition(": ")
        if head.startswith("not ablated") or (head == "ablation" and not blanked):
            continue
        said.append(rest if rest and head in ("model", "weights", "ablation") else head)
    return said


def of_task(run: Run, task: str) -> list[str]:
    """What limits the numbers of one task: how much of it was scored, and the run's caveats."""
    entry = run.results.tasks[task]
    said = [] if entry.valid else ["invalid"]
    if entry.n_scored < entry.n_expected:
        said.append(f"{entry.n_scored:,} of {entry.n_expected:,} scored, {entry.n_failed:,} failed")
    return said + short_caveats(run, task)


def subtitle(runs: Sequence[Run]) -> str:
    """The caveats of runs that stand in one plot."""
    return told(runs, [short_caveats(run) for run in runs])


def told(runs: Sequence[Run], facts: Sequence[Sequence[str]]) -> str:
    """What is said of each run: once where it is said of all, else with the runs that it is said of.

    Of several runs the label says already what is blanked.
    """
    whose: dict[str, list[str]] = {}
    for run, label, said in zip(runs, labels(runs), facts, strict=True):
        for fact in dict.fromkeys(said):
            if len(runs) > 1 and label.startswith(f"{run.model}, {fact}"):
                continue
            whose.setdefault(fact, []).append(short(label, 30))
    return "; ".join(fact if len(by) == len(runs) else f"{', '.join(by)}: {fact}" for fact, by in whose.items())


def note(runs: Sequence[Run]) -> list[str]:
    """The name of the run that a plot is of, where it is of one: its label there is the model's."""
    return [f"run {short(runs[0].name, 80)}"] if len(runs) == 1 else []


def together(runs: Sequence[Run]) -> str:
    """What the name of a file says of the runs in it: the run's name, or how many there are and a digest of theirs."""
    if len(runs) == 1:
        return runs[0].name
    digest = hashlib.sha256("/".join(run.name for run in runs).encode(errors="replace")).hexdigest()
    return f"{len(runs)}-runs-{digest[:8]}"
