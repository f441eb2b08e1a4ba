"""A run directory as it is read by reports: manifest, results, and samples one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness.failures import MIN_COVERAGE, UsageError
from harness.store import RunDir, read_json

FORMAT = 1
MINI = "mini world, not a benchmark number"


@dataclass(frozen=True)
class Run:
    """What `harness run` left in a directory."""

    path: Path
    manifest: Mapping[str, Any]
    results: Mapping[str, Any]
    finished: bool

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def model(self) -> str:
        return str(self.results["model"]["name"])

    @property
    def tasks(self) -> Mapping[str, Mapping[str, Any]]:
        return dict(self.results["tasks"])

    @property
    def is_mini(self) -> bool:
        return self.results.get("data") == "mini"

    def samples(self, task: str) -> Iterator[dict[str, Any]]:
        """The task's records in the order in which they finished; a torn last line is left out."""
        return RunDir(self.path).records(task)


def load(path: Path) -> Run:
    """Read a run directory. Raises UsageError if it is none, has no results, or has another format."""
    if not (path / "manifest.json").is_file():
        raise UsageError(f"not a run directory: {path} (it has no manifest.json). Name one below runs/.")
    manifest = read_json(path / "manifest.json")
    if not (path / "results.json").is_file():
        raise UsageError(f"{path} has no results yet; `harness resume {path}` finishes the run")
    results = read_json(path / "results.json")
    _require(path / "manifest.json", manifest, ("tasks", "config", "model"))
    _require(path / "results.json", results, ("tasks", "model"))
    return Run(path, manifest, results, (path / "finished.json").is_file())


def load_all(paths: Sequence[Path]) -> list[Run]:
    """Several runs, in the order given."""
    if not paths:
        raise UsageError("no run directory was named")
    return [load(Path(path)) for path in paths]


def caveats(run: Run) -> list[str]:
    """What has to be said beside every number of the run, most serious first."""
    said = []
    if note := run.results["model"].get("note"):
        said.append(f"model: {note}")
    if run.is_mini:
        said.append(MINI)
    if not run.finished:
        said.append(f"incomplete run: `harness resume {run.path}` finishes it")
    config = run.manifest["config"]
    if limit := config.get("limit"):
        said.append(f"first {limit} samples of each task only")
    if ablation := config.get("ablate"):
        said.append(f"ablation: {ablation if isinstance(ablation, str) else orjson.dumps(ablation).decode()}")
    return said


def invalid_reason(entry: Mapping[str, Any]) -> str | None:
    """Why a task's numbers do not count; None if they do."""
    if entry.get("valid"):
        return None
    share = 100 * float(entry.get("coverage") or 0.0)
    kinds = ", ".join(f"{n} x {kind}" for kind, n in sorted(entry.get("failures", {}).items()))
    return (
        f"invalid: coverage {share:.1f} % is under {100 * MIN_COVERAGE:g} % "
        f"({entry['n_scored']} of {entry['n_expected']} samples scored" + (f"; {kinds})" if kinds else ")")
    )


def _require(path: Path, content: Mapping[str, Any], fields: Sequence[str]) -> None:
    if content.get("format") != FORMAT:
        raise UsageError(
            f"{path}: format is {content.get('format')}, this version reads {FORMAT}. Use the version that wrote it."
        )
    for field in fields:
        if not isinstance(content.get(field), dict):
            raise UsageError(f"{path}: field {field!r} is missing or not a mapping; was the file edited?")
