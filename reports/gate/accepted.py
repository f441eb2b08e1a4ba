"""Acknowledged regressions: a failing gate that somebody accepts, with a reason, until a day.

It covers a number as bad as it was then, not a worse one. The list lies beside the gates file, to be committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import msgspec

from harness.failures import UsageError
from harness.files import write_atomically
from reports.gate.rules import ROUNDING, Outcome

DAYS = 30


class Acknowledgement(msgspec.Struct, forbid_unknown_fields=True):
    """`value` is the number that was accepted; `until` the last day that it holds."""

    gate: str
    reason: str
    who: str
    when: date
    until: date
    value: float


def beside(gates: Path) -> Path:
    """Where the acknowledgements of a gates file are."""
    return gates.with_name(f"{gates.stem}.accepted.json")


def read(path: Path) -> list[Acknowledgement]:
    """Raises UsageError naming the file and the field at fault."""
    if not path.is_file():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Acknowledgement])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def write(path: Path, kept: Iterable[Acknowledgement]) -> None:
    write_atomically(path, msgspec.json.format(msgspec.json.encode(list(kept)), indent=1) + b"\n")


def accept(outcome: Outcome, reason: str, who: str, today: date, until: date | None) -> Acknowledgement:
    """Raises UsageError for a gate that does not fail by a worse number, and for a day that is past."""
    name = outcome.gate.name
    if outcome.status != "fail" or not outcome.regression or outcome.value is None:
        said = outcome.reason or outcome.status
        raise UsageError(f"--accept {name}: only a number that got worse can be accepted; here: {said}")
    if not reason.strip():
        raise UsageError(f"--accept {name} needs a --reason")
    last = until or today + timedelta(days=DAYS)
    if last < today:
        raise UsageError(f"--until {last}: that day is past")
    return Acknowledgement(name, reason, who, today, last, outcome.value)


def applied(outcomes: Iterable[Outcome], kept: Iterable[Acknowledgement], today: date) -> list[Outcome]:
    """Outcomes in which what is accepted passes, and an expired acknowledgement is told."""
    by_gate: Mapping[str, Acknowledgement] = {one.gate: one for one in kept}
    return [_applied(outcome, by_gate.get(outcome.gate.name), today) for outcome in outcomes]


def _applied(outcome: Outcome, found: Acknowledgement | None, today: date) -> Outcome:
    if found is None or outcome.status != "fail" or not outcome.regression:
        return outcome
    if today > found.until:
        return replace(outcome, reason=f"{outcome.reason}; its acknowledgement expired on {found.until}")
    if _beyond(outcome, found):
        return replace(outcome, reason=f"{outcome.reason}; worse than what {found.who} accepted on {found.when}")
    return replace(outcome, status="accepted", reason=f"accepted by {found.who} until {found.until}: {found.reason}")


def _beyond(outcome: Outcome, found: Acknowledgement) -> bool:
    """Whether the number is worse than the one that was accepted."""
    if outcome.value is None:
        return True
    worse = found.value - outcome.value if outcome.higher_is_better else outcome.value - found.value
    return not worse <= ROUNDING * max(1.0, abs(found.value))
