"""Papers' claims at small size: what a task lost or won between two runs on the same samples, with paired tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


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


def changes(before: Path, after: Path) -> list[Change]:
    """The headline numbers of all tasks that two run directories share. Raises ClaimError."""
    command = [sys.executable, "-m", "harness", "compare", str(before), str(after), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClaimError(f"{before} and {after} cannot be compared: {done.stderr.strip()}")
    return read(json.loads(done.stdout))


def read(compared: Mapping[str, Any]) -> list[Change]:
    """Out of what `harness compare --json` prints. Raises ClaimError on a task that it would not compare."""
    if compared["refused"]:
        task, why = next(iter(compared["refused"].items()))
        raise ClaimError(f"{task} is not compared: {'; '.join(why)}")
    return [
        _change(task["task"], metric) for task in compared["tasks"] for metric in task["metrics"] if metric["headline"]
    ]


def _change(task: str, metric: Mapping[str, Any]) -> Change:
    before, after = (f"{metric[side]:.1f}{_unit(metric['unit'])}" for side in ("one", "other"))
    found = metric["difference"]
    if found is None:
        return Change(task, metric["name"], before, after, "–", "–")
    interval = f"{found['value']:+.1f} [{found['low']:+.1f}, {found['high']:+.1f}]"
    return Change(task, metric["name"], before, after, interval, f"{metric['p_holm']:.2g}")


def _unit(unit: str) -> str:
    return f" {unit}" if unit == "%" else ""
