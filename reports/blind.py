"""Blind baselines: what a model scores with an input blanked, beside what it scores with it.

A run with `--ablate image` stands beside the run that differs from it in nothing else that decides a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from reports.conditions import conditions_of, decoding_of
from reports.figures import measured, points, signed
from reports.runs import Run


class Blind(NamedTuple):
    """A score without an input: `kind` is what was blanked, `gain` what the input brings."""

    kind: str
    shown: str
    gain: str


def is_blind(run: Run) -> bool:
    return bool(run.manifest.config.get("ablate"))


def belongs(blind: Run, run: Run, task: str) -> bool:
    """Whether a blind run is the baseline of a run's task: it is valid, and all else that decides is equal."""
    if not is_blind(blind) or is_blind(run) or task not in blind.results.tasks:
        return False
    if blind.manifest.config["ablate"] not in blind.manifest.tasks[task].inputs:
        return False  # the run blanked an input of its other tasks
    alike = weights_of(blind) == weights_of(run) and decides(blind, task) == decides(run, task)
    return alike and blind.results.tasks[task].valid


def decides(run: Run, task: str) -> dict[str, Any]:
    """What decides a score besides weights and what is blanked: how it was asked and scored, on how many samples."""
    conditions = conditions_of(run, task)
    del conditions["ablation"]
    return conditions | decoding_of(run, task) | {"expected": run.results.tasks[task].n_expected}


def weights_of(run: Run) -> object:
    return run.manifest.model.fingerprint.get("digest", run.model)


def beside(run: Run, task: str, metric: str, runs: Sequence[Run]) -> list[Blind]:
    """The blind baselines of a metric among the runs that are reported, one for each input that was blanked."""
    own = run.results.tasks[task].headline.metrics[metric]
    found: dict[str, Blind] = {}
    for other in runs:
        theirs = other.results.tasks[task].headline.metrics.get(metric) if belongs(other, run, task) else None
        if theirs is None or theirs.value is None:
            continue
        kind = str(other.manifest.config["ablate"])
        if kind in found:  # the first of several that are alike
            continue
        gain = ""
        if own.value is not None:
            gain = f"{signed(own.value - theirs.value, own.unit)} {points(own.unit)}".rstrip()
        found[kind] = Blind(kind, measured(theirs), gain)
    return list(found.values())
