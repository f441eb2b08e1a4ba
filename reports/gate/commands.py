"""`harness gate` and `harness baseline`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

BASELINES = Path("baselines")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
RunArgument = Annotated[Path, typer.Argument(help="Run directory.")]


class _Check(TyperGroup):
    """`harness gate RUN` is `harness gate check RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["check", *args]
        return list(super().parse_args(ctx, args))


gate_app = typer.Typer(
    cls=_Check,
    no_args_is_help=True,
    help="Hold a run against a baseline: `harness gate RUN --baseline FILE --gates FILE`.",
)
baseline_app = typer.Typer(no_args_is_help=True, help="The numbers that later runs are held against.")


@gate_app.command("check")
def check(
    run: RunArgument,
    baseline: Annotated[Path | None, typer.Option(help="Baseline file, or a run directory.")] = None,
    gates: Annotated[Path, typer.Option(help="Gates file; `harness gate init RUN` writes a first.")] = Path(
        "gates.yaml"
    ),
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of gate.json, gate.md and junit.xml.")] = Path(
        "gate"
    ),
    accept: Annotated[list[str] | None, typer.Option(help="Failing gate to acknowledge; may be repeated.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is accepted.")] = "",
    until: Annotated[str | None, typer.Option(help="Last day of that, YYYY-MM-DD; default: 30 days.")] = None,
    json: JsonOption = False,
) -> None:
    """Decide every gate: exit 0 if none fails, 3 if one does, 4 for an unfinished run, 2 for a file at fault."""
    import shutil

    from harness.failures import Exit, UsageError
    from harness.terminal import complain, print_json
    from reports.gate import outputs
    from reports.gate.held import Accepting, day, hold
    from reports.grid.formats import written

    if (reason or until) and not accept:
        raise UsageError("--reason and --until belong to --accept GATE")
    held = hold(run, baseline, gates, Accepting(accept, reason, day(until)) if accept else None)
    if held.exit == Exit.INCOMPLETE:
        complain(f"{run} is not finished: no gate was decided; `harness resume {run}` goes on with it")
        raise typer.Exit(held.exit)
    outputs.write(out, held.outcomes, held.run, held.baseline, held.exit)
    if json:
        print_json(outputs.content(held.outcomes, held.run, held.baseline, held.exit))
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        print(written(outputs.table(held.outcomes, held.run, held.baseline), "terminal", width))
    raise typer.Exit(held.exit)


@gate_app.command("init")
def init(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Gates file to write.")] = Path("gates.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a first gates file with tolerances from a run's own intervals."""
    from reports.gate.baseline import complete
    from reports.gate.first import first_gates
    from reports.grid.place import write_text

    write_text(out, first_gates(complete(run)), force)
    print(out)


@baseline_app.command("update")
def update(
    run: RunArgument,
    reason: Annotated[str, typer.Option(help="Why the numbers change.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Default: baselines/MODEL.json.")] = None,
) -> None:
    """Make a finished, valid run the baseline; shows what changes and keeps the history. Never in CI."""
    from harness.failures import UsageError
    from harness.manifest import now
    from reports.gate import baseline
    from reports.gate.held import in_ci, who
    from reports.gate.shown import changes

    if in_ci():
        raise UsageError(
            "a baseline is not updated in CI (the variable CI is set): run it by hand and commit the files"
        )
    if not reason.strip():
        raise UsageError("--reason must say why the numbers change")
    opened = baseline.complete(run)
    path = out or BASELINES / f"{opened.manifest.model.name}.json"
    earlier = baseline.read(path) if path.is_file() else None
    entry = baseline.Update(now(), who(), reason, opened.name, opened.manifest.harness.get("commit"))
    made = baseline.make(opened, entry, earlier)
    for line in changes(earlier, made):
        print(line)
    baseline.write(path, made, opened)
    print(f"{path} and {baseline.beside(path).name}: commit both")


@baseline_app.command("show")
def show(
    file: Annotated[Path | None, typer.Argument(help="Baseline file; default: all in baselines/.")] = None,
    json: JsonOption = False,
) -> None:
    """Show a baseline's numbers, where they are from, and why it was changed."""
    import msgspec

    from harness.failures import UsageError
    from harness.terminal import print_json
    from reports.gate import baseline
    from reports.gate.shown import lines

    paths = [file] if file else sorted(BASELINES.glob("*.json"))
    if not paths:
        raise UsageError(f"there is no baseline in {BASELINES}; `harness baseline update RUN --reason ...` makes one")
    found = {str(path): baseline.read(path) for path in paths}
    if json:
        print_json({path: msgspec.to_builtins(one) for path, one in found.items()})
        return
    for path, one in found.items():
        print("\n".join(lines(path, one)))
