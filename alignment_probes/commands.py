"""The commands that the probes add to the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from alignment_probes.config import ProbeConfig
from harness.cli import COMPLETION, SHORT, JsonOption, conclude
from harness.offline import OfflineOption
from harness.options import with_flags


def add(app: typer.Typer) -> None:
    """Add `probe`."""
    app.command()(probe)


@with_flags(ProbeConfig, SHORT, COMPLETION)
def probe(
    given: dict[str, Any],
    baseline: Annotated[Path | None, typer.Option(help="Another probe run, for a paired test against it.")] = None,
    from_features: Annotated[Path | None, typer.Option(help="Probe run whose features are scored anew.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory to make; default: below runs/.")] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Both stages as table 7 and figure 3 of the NEXUS-O paper, with its rows.")
    ] = False,
    concepts: Annotated[
        str | None, typer.Option(help="With --table: data of table 7; default: those of --data.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be probed; load no model.")] = False,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Measure how well a model's modalities agree, at its input or layer by layer."""
    from alignment_probes.config import make_config
    from harness.failures import Exit, UsageError
    from harness.registry import load_address
    from harness.terminal import print_json
    from harness.texts import printable

    if from_features is not None and dry_run:
        raise UsageError("--dry-run shows what a model would be given; --from-features needs no model")
    if from_features is None and "model" not in given:
        raise UsageError("name a model with --model, or a probe run with --from-features")
    if concepts is not None and (not table or from_features is not None):
        raise UsageError("--concepts are the data of table 7: it goes with --table and a model")

    from alignment_probes import probe as probes
    from alignment_probes.tables import configs_of, run_tables

    configs = [] if from_features is not None else configs_of(given, concepts) if table else [make_config(given)]
    if dry_run:
        plans = [probes.preview(config) for config in configs]
        if json:
            print_json({plan["stage"]: plan for plan in plans} if table else plans[0])
        else:
            print(printable("\n\n".join(map(_text, plans))))
        return
    draw = load_address("reports.probes:write_figures")
    if from_features is not None:
        runs = [probes.rescore(from_features, given, out, baseline, draw)]
    else:
        runs = run_tables(configs, out, baseline, draw)
    if not table:
        conclude(runs[0].path, json)
    load_address("reports.papers.probe_tables:print_tables")([run.path for run in runs], json)
    good = all(run.finished and probes.results_of(run)["valid"] for run in runs)
    raise typer.Exit(Exit.GOOD if good else Exit.INCOMPLETE)


def _text(plan: Mapping[str, Any]) -> str:
    """A preview as lines of text."""
    lines = [
        f"model {plan['model']} on {plan['device']} ({plan['dtype']}), {plan['stage']} stage",
        f"{plan['samples']} samples of {plan['data']['source']}, {len(plan['left_out'])} rows left out",
        f"profile {plan['profile']}, k {plan['k']}: {', '.join(plan['metrics'])}",
        f"compared: {', '.join(plan['compared'])}",
        *(f"first {name}: {value}" for name, value in plan["first"].items()),
        *(f"left out: {reason}" for reason in plan["left_out"]),
    ]
    return "\n".join(lines)
