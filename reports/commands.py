"""The commands that reports add to the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def media_choices(incomplete: str) -> list[str]:
    return [choice for choice in ("all", "failed", "0", "100") if choice.startswith(incomplete)]


def add(app: typer.Typer) -> None:
    """Add `report`."""
    app.command()(report)


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run directories.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the page.")] = Path("site"),
    media: Annotated[
        str,
        typer.Option(help="Media to copy: all, failed, or the first N of a task.", autocompletion=media_choices),
    ] = "all",
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Make a static HTML page of runs, with every sample."""
    from harness.terminal import complain, print_json
    from reports.page.site import write_site

    page = write_site(runs, out, media, tell=complain)
    print_json({"page": str(page)}) if json else print(page)
