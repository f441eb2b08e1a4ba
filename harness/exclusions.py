"""Samples that are left out of a run's numbers: `exclusions.jsonl`, of which no line is ever changed.

A line leaves a sample out, with the reason, or takes it back. The file is replaced whole, so that a command is in it or
is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.files import encoded, write_atomically
from harness.store import RunDir, lines_of

NAME = "exclusions.jsonl"


class Exclusion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of `exclusions.jsonl`."""

    task: str
    id: str
    reason: str
    when: str
    """UTC, as ISO 8601."""
    source: str = ""
    """The file that listed the id."""
    undone: bool = False
    """The sample counts again from here on."""

    @property
    def told(self) -> str:
        """The reason, and where the ids are: what stands beside the numbers."""
        return f"{self.reason} ({self.source})" if self.source else self.reason


@dataclass(frozen=True, slots=True)
class Excluded:
    """What is left out now: task -> id -> the line that says so."""

    by_task: dict[str, dict[str, Exclusion]]

    def reasons(self, task: str) -> dict[str, str]:
        """Id -> why, as it is told."""
        return {identity: line.told for identity, line in self.by_task.get(task, {}).items()}


def path_of(run: RunDir) -> Path:
    return run.path / NAME


def lines(run: RunDir) -> list[Exclusion]:
    """All that was ever left out or taken back, in order. Raises UsageError naming the line at fault."""
    return list(lines_of(path_of(run), Exclusion))


def excluded(run: RunDir) -> Excluded:
    """What is left out now."""
    found: dict[str, dict[str, Exclusion]] = {}
    for line in lines(run):
        if line.undone:
            found.get(line.task, {}).pop(line.id, None)
        else:
            found.setdefault(line.task, {})[line.id] = line
    return Excluded({task: by_id for task, by_id in found.items() if by_id})


def append(run: RunDir, more: Sequence[Exclusion]) -> None:
    """Put lines to the end, all of them or none."""
    path = path_of(run)
    before = path.read_bytes() if path.is_file() else b""
    whole = before[: before.rfind(b"\n") + 1]
    write_atomically(path, whole + b"".join(encoded(line) + b"\n" for line in more))
