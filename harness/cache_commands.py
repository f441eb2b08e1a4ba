"""The commands for the answers kept by `harness run --cache`: `cache stat`, `cache prune`, `cache verify`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def add(app: typer.Typer) -> None:
    """Add `cache`."""
    group = typer.Typer(help="Look after the answers kept by `harness run --cache`.", no_args_is_help=True)
    for command in (stat, prune, verify):
        group.command()(command)
    app.add_typer(group, name="cache")


def stat(json: JsonOption = False) -> None:
    """Say how many answers are kept, and how much space they take."""
    from harness import cache

    _show(cache.stat(), json)


def prune(
    days: Annotated[int, typer.Option(min=0, help="Remove what was not used for so many days; 0 removes all.")] = 30,
    json: JsonOption = False,
) -> None:
    """Remove old answers."""
    from harness import cache

    _show(cache.prune(days), json)


def verify(json: JsonOption = False) -> None:
    """Read every kept answer and tell those that are damaged."""
    from harness import cache
    from harness.failures import Exit

    found = cache.verify()
    _show(found, json)
    raise typer.Exit(Exit.GOOD if not found["damaged"] else Exit.INCOMPLETE)


def _show(found: Mapping[str, Any], json: bool) -> None:
    from harness.terminal import print_json
    from harness.texts import printable

    if json:
        print_json(found)
    else:
        print("\n".join(printable(f"{name}: {value}") for name, value in found.items()))
