"""The kinds of runs: what prints one, and what its answers can be used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.failures import UsageError
from harness.store import RunDir


@dataclass(frozen=True, slots=True)
class Kind:
    """`table` is the address of the function that prints a run's table from its path; `instead` is the command that
    stands for resuming and scoring where there are no answers; `derived` that of the function that gives what
    `show --json` adds to the results."""

    table: str
    instead: str | None = None
    derived: str | None = None


KINDS: Mapping[str, Kind] = {
    "evaluation": Kind("reports.tables:print_table", derived="reports.averages:derived"),
    "probe": Kind("reports.probes:print_table", "`harness probe --from-features {path}` scores its features anew"),
}


def kind_of(run: RunDir) -> Kind:
    """Raises UsageError for a kind that this version does not know."""
    if run.kind not in KINDS:
        raise UsageError(f"{run.path} is a run of kind {run.kind!r}; this version knows {', '.join(KINDS)}")
    return KINDS[run.kind]


def need_finished(path: Path) -> RunDir:
    """A finished run of answers. Raises UsageError with the command that finishes it."""
    run = need_answers(path)
    if not run.finished:
        raise UsageError(f"{path} is not finished; `harness resume {path}` goes on with it")
    return run


def need_answers(path: Path) -> RunDir:
    """A run that can be resumed and scored. Raises UsageError naming the command for one that cannot."""
    run = RunDir.open(path)
    if instead := kind_of(run).instead:
        raise UsageError(f"{path} is a {run.kind} run: {instead.format(path=path)}")
    return run
