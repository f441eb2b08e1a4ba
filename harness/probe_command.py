"""The body of `harness probe`: options -> a probe run, its figures and its table.

Probes and reports are found through the registry; the engine imports neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.failures import UsageError
from harness.registry import load_address
from harness.store import RunDir


def probe(
    options: Mapping[str, Any],
    *,
    from_features: Path | None = None,
    baseline: Path | None = None,
    out: Path | None = None,
) -> RunDir:
    """Probe a model, or score the stored features of a run anew. `options` holds the given options only.

    Raises UsageError for what the caller can mend, before the model is loaded where it can be known by then.
    """
    draw = load_address("reports.probes:write_figures")
    run: RunDir
    if from_features is not None:
        run = load_address("alignment_probes.probe:rescore")(from_features, options, out, baseline, draw)
    else:
        run = load_address("alignment_probes.probe:start")(_config(options), out, baseline, draw)
    return run


def preview(options: Mapping[str, Any], *, from_features: Path | None = None) -> dict[str, Any]:
    """What `probe` would do, without loading weights."""
    if from_features is not None:
        raise UsageError("--dry-run shows what a model would be given; --from-features needs no model")
    plan: dict[str, Any] = load_address("alignment_probes.probe:preview")(_config(options))
    return plan


def preview_text(plan: Mapping[str, Any]) -> str:
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


def _config(options: Mapping[str, Any]) -> Any:
    if "model" not in options:
        raise UsageError("name a model with --model, or a probe run with --from-features")
    return load_address("alignment_probes.config:make_config")(dict(options))
