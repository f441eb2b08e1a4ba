"""`harness compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def formats(incomplete: str) -> list[str]:
    from reports.grid.formats import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]


def compare(
    one: Annotated[Path, typer.Argument(help="Run directory: before.")],
    other: Annotated[Path, typer.Argument(help="Run directory: after.")],
    task: Annotated[
        list[str] | None, typer.Option(help="Task to compare; may be repeated. Default: all shared.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Scoring profile; default: the headline's.")] = None,
    effect: Annotated[
        float | None, typer.Option(min=1e-9, help="Say how many units show a difference of this size.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="terminal, markdown, latex or csv.", autocompletion=formats)
    ] = "terminal",
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Compare two runs of the same tasks, sample by sample."""
    import shutil

    from harness.failures import UsageError
    from harness.terminal import complain, print_json
    from reports.compare import grids
    from reports.compare.compared import compare
    from reports.grid.formats import written
    from reports.runs import caveats, load

    found = compare(load(one), load(other), task, profile)
    if not found.tasks:
        told = "\n  ".join(grids.refusals(found)) or "they have no task in common"
        raise UsageError(f"{one} and {other} cannot be compared:\n  {told}")
    if json:
        print_json(grids.content(found))
        return
    width = shutil.get_terminal_size((100, 24)).columns
    print(written(grids.numbers(found, effect), form, width))
    if form != "csv":
        print(written(grids.samples(found), form, width))
    for run in (found.one, found.other):
        for entry in found.tasks:
            for problem in run.results.tasks[entry.task].problems:
                if problem.startswith("invalid"):
                    complain(f"! {run.name}, {entry.task}: {problem}")
        for caveat in caveats(run):
            complain(f"! {run.name}: {caveat}")
    for line in (*grids.decoded(found), *grids.refusals(found)):
        complain(f"! {line}")
