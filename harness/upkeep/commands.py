"""The commands for run directories that are there: `verify`, `merge`, `exclude`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.upkeep.verify import Verified

RunArgument = Annotated[Path, typer.Argument(help="Run directory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def add(app: typer.Typer) -> None:
    """Add `verify`, `merge` and `exclude`."""
    app.command()(verify)
    app.command()(merge)
    app.command()(exclude)


def verify(run: RunArgument, json: JsonOption = False) -> None:
    """Make everything derived of a finished run again, without a model, and tell what differs from what is stored."""
    from harness.failures import Exit
    from harness.terminal import print_json
    from harness.texts import printable
    from harness.upkeep.verify import verify as verify_run

    found = verify_run(run)
    if json:
        import msgspec

        print_json(msgspec.to_builtins(found))
    else:
        print(printable("\n".join(lines(found))))
    raise typer.Exit(Exit.GOOD if found.agrees else Exit.INCOMPLETE)


def lines(found: Verified) -> Iterator[str]:
    """What was verified, as text."""
    for one in found.differences:
        yield f"! {one.text}"
    for name, count in found.counts.items():
        if count > sum(f"{one.file}: {one.kind}" == name for one in found.differences):
            yield f"! {name}: {count} in all"
    yield from (f"  {note}" for note in found.notes)
    made = ", ".join(f"{count:,} {what}" for what, count in found.made_again.items())
    verdict = "all that can be made again agrees" if found.agrees else f"{sum(found.counts.values()):,} differences"
    yield f"{found.run}: {verdict} ({made})"
    yield "What would have to be trusted:"
    yield from (f"  {sentence}" for sentence in found.trusted)


def merge(
    shards: Annotated[list[Path], typer.Argument(help="Runs of parts, made by `harness run --part K/N`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Run directory to make.")],
    json: JsonOption = False,
) -> None:
    """Join runs of parts of the same tasks into one run."""
    from harness.cli import conclude
    from harness.terminal import complain
    from harness.upkeep.merge import merge as merge_runs

    made = merge_runs(shards, out)
    for line in made.told:
        complain(f"! {line}")
    conclude(made.run.path, json)


def exclude(
    run: RunArgument,
    ids: Annotated[Path | None, typer.Option(help="File of ids, one a line or task<TAB>id; - is stdin.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it stands beside every number.")] = "",
    task: Annotated[str | None, typer.Option(help="Task that the ids are of.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Count the samples again.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Show what is left out, and do nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Leave samples out of a run's numbers, with the reason beside each of them."""
    from harness.cli import conclude
    from harness.failures import UsageError
    from harness.upkeep import exclude as upkeep

    if show:
        _list(run, json)
        return
    if ids is None:
        raise UsageError("name the samples by --ids FILE, or give --list")
    named = upkeep.read_ids(ids, task)
    source = "" if str(ids) == "-" else ids.name
    made = upkeep.undo(run, named, reason, source) if undo else upkeep.exclude(run, named, reason, source)
    conclude(made.path, json)


def _list(path: Path, json: bool) -> None:
    import msgspec

    from harness.exclusions import excluded
    from harness.kinds import need_answers
    from harness.terminal import print_json
    from harness.texts import printable

    lines = [line for by_id in excluded(need_answers(path)).by_task.values() for line in by_id.values()]
    if json:
        print_json({"run": str(path), "excluded": msgspec.to_builtins(lines)})
        return
    for line in lines:
        print(printable(f"{line.task}\t{line.id}\t{line.told}\t{line.when}"))
    if not lines:
        print("nothing is excluded")
