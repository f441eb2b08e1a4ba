"""`harness report --table`: what it prints and writes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from harness.failures import UsageError
from harness.terminal import print_json
from reports.grid.formats import written
from reports.grid.place import write_text
from reports.papers.table import paper_table, titles


def report_table(
    name: str, runs: Sequence[Path], form: str | None, out: Path | None, force: bool = False, json: bool = False
) -> None:
    """Print a table, or the list of them, or write the table to a file.

    `form` is terminal unless named. With `json` the table itself is printed as JSON, or where it was written. Raises
    UsageError for an unknown table or format, what is no run, and a file that is there.
    """
    if name == "list":
        _print_list(runs, form, out, json)
        return
    if json and form is not None and out is None:
        raise UsageError("--json prints the table as JSON; leave --format away, or write to a file with -o")
    grid = paper_table(name, runs)
    if out is not None:
        write_text(out, written(grid, form or "terminal"), force)
        print_json({"file": str(out)}) if json else print(out)
    elif json:
        print_json({"table": name} | grid.content())
    else:
        print(written(grid, form or "terminal", shutil.get_terminal_size((80, 24)).columns), end="")


def _print_list(runs: Sequence[Path], form: str | None, out: Path | None, json: bool) -> None:
    if runs or form is not None or out is not None:
        raise UsageError("--table list takes no run, --format or -o; name one of the tables that it lists")
    if json:
        print_json({"tables": titles()})
        return
    width = max(map(len, titles()))
    for name, title in titles().items():
        print(f"{name.ljust(width)}  {title}")
