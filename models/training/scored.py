"""What every release command does: read what a training left, and run mini benchmarks once for the weights it makes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.config import RunConfig
from harness.run import start
from models.training.loop import REPORT, read_report


def stages(training: Path, names: Iterable[str], command: str) -> dict[str, Path]:
    """The folders of a training's stages, by name. Raises FileNotFoundError naming those that are not done, and the
    command that does them."""
    folders = {name: training / f"stage-{name}" for name in names}
    if absent := [name for name, folder in folders.items() if not (folder / REPORT).exists()]:
        raise FileNotFoundError(f"{training}: stage {', '.join(absent)} is not done; run {command}")
    return folders


def reports(folders: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """What each came to. Raises CheckpointError where one cannot be read."""
    return {name: read_report(folder) for name, folder in folders.items()}


def digest(files: Iterable[Path]) -> str:
    """Of weights, so that other weights get runs of their own."""
    found = hashlib.sha256()
    for path in sorted(files):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def ran(config: RunConfig, out: Path) -> Mapping[str, Any]:
    """A run's `results.json`; runs it unless `out` holds it finished."""
    if not (out / "finished.json").exists():
        shutil.rmtree(out, ignore_errors=True)
        start(config, out)
    results: Mapping[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return results
