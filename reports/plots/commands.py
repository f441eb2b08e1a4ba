"""`harness plot` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def kind_choices(incomplete: str) -> list[str]:
    """Completes the last of several kinds with commas between."""
    from reports.plots.plot import KINDS

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{kind}" for kind in KINDS if kind.startswith(last) and kind not in before.split(",")]


def plot(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, probe runs too; stages in their order.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the plots.")] = Path("plots"),
    kind: Annotated[
        str | None,
        typer.Option(help="Kinds with commas between; all unless named.", autocompletion=kind_choices),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that has other files; they stay.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Draw plots of runs as SVG and PNG, with the CSV behind each."""
    from harness.terminal import complain, print_json
    from harness.texts import printable
    from reports.plots.folder import parse_kinds, write_plots

    written = write_plots(runs, out, parse_kinds(kind), force)
    if json:
        print_json({"folder": str(out)} | written.content())
        return
    for drawn, files in written.plots:
        print(printable(f"{out / files.svg}  {drawn.words.title}"))
    for line in written.told():
        complain(f"– {line}")
