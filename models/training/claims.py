"""Papers' claims at small size: what a task lost or won between two runs on the same samples, with paired tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

SIGNIFICANT = 0.05
"""Of p-values that are corrected for all headline numbers of a comparison."""
_KEPT = ("name", "unit", "higher_is_better", "headline", "one", "other", "units", "unit_kind", "difference", "p_holm")


class ClaimError(RuntimeError):
    """Two runs cannot be compared; the message says why."""


class Change(NamedTuple):
    """One headline number before and after."""

    task: str
    metric: str
    before: str
    after: str
    difference: str
    """With its 95 % interval; a dash where there is no test."""
    p: str
    """Of the paired bootstrap, corrected for all headline numbers together (Holm)."""


def compare(before: Path, after: Path) -> dict[str, Any]:
    """What `harness compare --json` prints of two run directories, of it the headline numbers. Raises ClaimError."""
    command = [sys.executable, "-m", "harness", "compare", str(before), str(after), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClaimError(f"{before} and {after} cannot be compared: {done.stderr.strip()}")
    return headlines(json.loads(done.stdout))


def headlines(compared: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison without what no table needs: single answers, and numbers beside the headline's."""
    tasks = [
        {key: task[key] for key in ("task", "profile", "channel")}
        | {"metrics": [{key: one[key] for key in _KEPT} for one in task["metrics"] if one["headline"]]}
        for task in compared["tasks"]
    ]
    return {"one": compared["one"], "other": compared["other"], "refused": compared["refused"], "tasks": tasks}


def read(compared: Mapping[str, Any]) -> list[Change]:
    """Out of what `harness compare --json` prints. Raises ClaimError on a task that it would not compare."""
    if compared["refused"]:
        task, why = next(iter(compared["refused"].items()))
        raise ClaimError(f"{task} is not compared: {'; '.join(why)}")
    return [
        _change(task["task"], metric) for task in compared["tasks"] for metric in task["metrics"] if metric["headline"]
    ]


def verdict(compared: Mapping[str, Any]) -> str:
    """Which headline numbers became better and worse, as far as the paired tests show."""
    found: dict[str, list[str]] = {"better": [], "worse": []}
    tested = 0
    for task in compared["tasks"]:
        for metric in task["metrics"]:
            if not metric["headline"] or metric["difference"] is None:
                continue
            tested += 1
            if metric["p_holm"] < SIGNIFICANT:
                rose = metric["difference"]["value"] > 0
                found["better" if rose == metric["higher_is_better"] else "worse"].append(
                    f"{task['task']} {metric['name']}"
                )
    parts = [f"{len(names)} {which} ({', '.join(names)})" for which, names in found.items() if names]
    left = tested - sum(map(len, found.values()))
    return f"of {tested} numbers {', '.join([*parts, f'{left} undecided'])}"


def _change(task: str, metric: Mapping[str, Any]) -> Change:
    before, after = (f"{metric[side]:.1f}{_unit(metric['unit'])}" for side in ("one", "other"))
    found = metric["difference"]
    if found is None:
        return Change(task, metric["name"], before, after, "–", "–")
    interval = f"{found['value']:+.1f} [{found['low']:+.1f}, {found['high']:+.1f}]"
    return Change(task, metric["name"], before, after, interval, f"{metric['p_holm']:.2g}")


def _unit(unit: str) -> str:
    return f" {unit}" if unit == "%" else ""
