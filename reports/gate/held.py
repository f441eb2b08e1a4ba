"""A run held against a baseline by a gates file, from paths to exit code."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from harness.failures import Exit, UsageError
from harness.store import RunDir
from reports.gate import accepted, config
from reports.gate.baseline import open_baseline
from reports.gate.rules import Outcome, decide_all
from reports.gate.side import Side, side_of
from reports.runs import load


class Held(NamedTuple):
    outcomes: list[Outcome]
    run: str
    baseline: str
    exit: Exit


class Accepting(NamedTuple):
    """Gates to acknowledge, why, and until when (None: `accepted.DAYS` days)."""

    gates: Sequence[str]
    reason: str
    until: date | None


def hold(path: Path, baseline: Path | None, gates: Path, accepting: Accepting | None = None) -> Held:
    """Decide every gate. Raises UsageError for a file at fault, and where no gate could be evaluated."""
    rules = config.load(gates)
    opened = RunDir.open(path)
    if not opened.finished:
        return Held([], opened.name, "", Exit.INCOMPLETE)
    before = _before(baseline, rules)
    outcomes = decide_all(rules, side_of(load(path)), before)
    kept, today = accepted.read(accepted.beside(gates)), date.today()
    if accepting is not None:
        kept = _accepted(outcomes, kept, accepting, today)
        accepted.write(accepted.beside(gates), kept)
    outcomes = accepted.applied(outcomes, kept, today)
    if all(outcome.status == "skipped" for outcome in outcomes):
        told = "; ".join(f"{outcome.gate.name}: {outcome.reason}" for outcome in outcomes)
        raise UsageError(f"no gate was evaluated, so nothing passes: {told}")
    failed = any(outcome.status == "fail" for outcome in outcomes)
    return Held(outcomes, opened.name, before.name if before else "no baseline", Exit.GATE if failed else Exit.GOOD)


def _before(baseline: Path | None, rules: config.Gates) -> Side | None:
    """The baseline; None where none is named, or where its file is missing and the gates file says to warn."""
    if baseline is None or (rules.missing_baseline == "warn" and not baseline.exists()):
        return None
    return open_baseline(baseline)


def _accepted(
    outcomes: Sequence[Outcome], kept: Sequence[accepted.Acknowledgement], accepting: Accepting, today: date
) -> list[accepted.Acknowledgement]:
    by_name = {outcome.gate.name: outcome for outcome in outcomes}
    fresh = []
    for name in accepting.gates:
        if name not in by_name:
            raise UsageError(f"--accept {name}: there is no such gate; there are {', '.join(by_name)}")
        fresh.append(accepted.accept(by_name[name], accepting.reason, who(), today, accepting.until))
    return [one for one in kept if one.gate not in accepting.gates] + fresh


def day(text: str | None) -> date | None:
    """Raises UsageError for what is no day."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(f"--until {text!r} is no day; write it as 2026-12-31") from None


def who() -> str:
    """The name that git knows, else that of the account."""
    try:
        name = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        name = ""
    try:
        return name or getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
