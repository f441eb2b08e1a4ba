"""A run's numbers sent to Weights & Biases, TensorBoard or what a package adds by the group `harness.exporters`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from harness.config import parse_options
from harness.exporting import RunNumbers, numbers_of
from harness.failures import UsageError
from harness.kinds import need_finished
from harness.recount import recounted
from harness.registry import get_exporter
from harness.sync.snapshot import identity


def send(run: Path, name: str, out: Path | None, options: Sequence[str]) -> str:
    """Send a finished run's numbers through the exporter of that name; returns where they are. Raises UsageError."""
    exporter, chosen = get_exporter(name), parse_options(options)
    return exporter(read(run), out, chosen)


def read(run: Path) -> RunNumbers:
    """A finished run as exporters get it. Raises UsageError for one that is not finished."""
    directory = need_finished(run)
    manifest, results = directory.manifest(), recounted(directory)
    synthetic = "mini world, not a benchmark number" if manifest.config.get("data") == "mini" else ""
    return RunNumbers(
        directory.name,
        run,
        identity(run),
        manifest.created,
        manifest.config,
        manifest.model.label,
        "; ".join(filter(None, (manifest.model.note, synthetic, "" if results.valid else "the run is invalid"))),
        results.valid,
        tuple(numbers_of(results)),
    )


def known_options(options: Mapping[str, str], known: Collection[str], exporter: str) -> None:
    """Raises UsageError for an option that the exporter does not have."""
    if stray := options.keys() - set(known):
        there = ", ".join(known) or "none"
        raise UsageError(f"--to {exporter} has no option {', '.join(sorted(stray))}; there are: {there}")
