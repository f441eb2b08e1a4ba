"""The commands that reports add to the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.compare.commands import compare
from reports.gate.commands import baseline_app, gate_app
from reports.plots.commands import plot


def media_choices(incomplete: str) -> list[str]:
    return [choice for choice in ("all", "failed", "0", "100") if choice.startswith(incomplete)]


def add(app: typer.Typer) -> None:
    """Add what reads run directories."""
    app.command()(report)
    app.command()(export)
    app.command()(plot)
    app.command()(compare)
    app.add_typer(gate_app, name="gate")
    app.add_typer(baseline_app, name="baseline")


def table_choices(incomplete: str) -> list[str]:
    from reports.papers.layouts import LAYOUTS

    return [name for name in ("list", *LAYOUTS) if name.startswith(incomplete)]


def layout_choices(incomplete: str) -> list[str]:
    from reports.grid.formats import FORMATS

    return [form for form in FORMATS if form.startswith(incomplete)]


def report(
    runs: Annotated[list[Path] | None, typer.Argument(help="Run directories; none are needed with --table.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the page (site unless named), or with --table a file."),
    ] = None,
    media: Annotated[
        str,
        typer.Option(help="Media to copy: all, failed, or the first N of a task.", autocompletion=media_choices),
    ] = "all",
    table: Annotated[
        str | None,
        typer.Option(help="A paper's table with the runs' rows, instead of a page.", autocompletion=table_choices),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Of --table: terminal, markdown, latex or csv.", autocompletion=layout_choices),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --table, replace a file that is there.")] = False,
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw the plots of each run's page.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Make a static HTML page of runs, with every sample; with --table, print a paper's table with their rows."""
    from harness.failures import UsageError
    from harness.terminal import complain, print_json

    if table is not None:
        from reports.papers.commands import report_table

        report_table(table, runs or [], form, out, force, json)
        return
    if form is not None or force:
        raise UsageError("--format and --force belong to --table; `harness report --table list` names the tables")
    if not runs:
        raise UsageError("name a run directory, or a table with --table (`harness report --table list`)")
    from reports.page.site import write_site

    page = write_site(runs, out or Path("site"), media, tell=complain, plots=plots)
    print_json({"page": str(page)}) if json else print(page)


def format_choices(incomplete: str) -> list[str]:
    return [choice for choice in ("submission", "parquet", "csv") if choice.startswith(incomplete)]


def exporter_names(incomplete: str) -> list[str]:
    from harness import registry

    return [name for name in registry.names("exporters") if name.startswith(incomplete)]


def export(
    run: Annotated[Path, typer.Argument(help="Finished run.")],
    task: Annotated[str | None, typer.Option(help="Task; all of the run's unless named.")] = None,
    form: Annotated[
        str,
        typer.Option("--format", help="submission (a server's), parquet or csv.", autocompletion=format_choices),
    ] = "parquet",
    to: Annotated[
        str | None,
        typer.Option("--to", help="Send the numbers to wandb or tensorboard instead.", autocompletion=exporter_names),
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="With --to, of that exporter: NAME=VALUE.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; default: named after run and task.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Write a run's answers to a file, for a benchmark's server or as a table; or send its numbers elsewhere."""
    from harness.failures import UsageError
    from harness.terminal import complain, print_json
    from reports.submission import FORMATS, export

    if to is not None:
        from reports.exporters import send

        if task is not None or form != "parquet" or force:
            raise UsageError("--to sends all numbers of a run: --task, --format and --force do not go with it")
        place = send(run, to, out, option or [])
        print_json({"exporter": to, "place": place}) if json else print(place)
        return
    if option:
        raise UsageError("--option goes with --to")
    chosen = next((known for known in FORMATS if known == form), None)
    if chosen is None:
        raise UsageError(f"--format {form!r} is unknown; there are {', '.join(FORMATS)}")
    made = export(run, task, chosen, out, force)
    if json:
        print_json({"file": str(made.path), "rows": made.rows, "told": made.told})
        return
    for line in made.told:
        complain(f"! {line}")
    print(f"{made.path}: {made.rows:,} rows")
