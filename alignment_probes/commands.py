"""The commands that the probes add to the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from alignment_probes.config import ProbeConfig
from harness.cli import COMPLETION, SHORT, JsonOption, conclude
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be probed; load no model.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure how well a model's modalities agree, at its input or layer by layer."""
    from alignment_probes.config import make_config
    from harness.failures import UsageError
    from harness.registry import load_address
    from harness.terminal import print_json
    from harness.texts import printable

    if from_features is not None and dry_run:
        raise UsageError("--dry-run shows what a model would be given; --from-features needs no model")
    if from_features is None and "model" not in given:
        raise UsageError("name a model with --model, or a probe run with --from-features")

    from alignment_probes import probe as probes

    if dry_run:
        plan = probes.preview(make_config(given))
        print_json(plan) if json else print(printable(_text(plan)))
        return
    draw = load_address("reports.probes:write_figures")
    if from_features is not None:
        run = probes.rescore(from_features, given, out, baseline, draw)
    else:
        run = probes.start(make_config(given), out, baseline, draw)
    conclude(run.path, json)


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
