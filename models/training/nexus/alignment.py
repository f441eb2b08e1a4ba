"""The question of the paper's table 7 at small size: how well do the model's inputs agree, after each stage?

Each stage is probed at the model's input (`harness probe --stage unembedding`) on the same pairs, and tested in pairs
against the stage before.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.training.claims import ClaimError

METRICS = ("mutual_knn", "cka", "cknna")
"""Of the seven: overlap of neighbours, likeness of all pairs, and likeness of near ones."""


class Alignment(NamedTuple):
    """One metric of one pair of sides after one stage, as it is printed; `p` is of the difference to the stage before,
    corrected for all metrics of the same sides together (Holm)."""

    stage: str
    sides: str
    metric: str
    value: str
    chance: str
    difference: str
    p: str


def alignments(stages: Mapping[str, Path], runs: Path) -> list[Alignment]:
    """Stages, by name and folder of weights, in order. Raises ClaimError where one cannot be probed."""
    found: list[Alignment] = []
    before: Path | None = None
    for name, weights in stages.items():
        folder = runs / f"probe-{name}"
        if not (folder / "finished.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _probe(weights, folder, before)
        found += read(name, json.loads((folder / "results.json").read_text(encoding="utf-8")))
        before = folder
    return found


def _probe(weights: Path, folder: Path, before: Path | None) -> None:
    command = [
        sys.executable, "-m", "harness", "probe", "--model", "nexus-o", "--weights", str(weights), "--data", "mini",
        "--stage", "unembedding", "--out", str(folder), *(["--baseline", str(before)] if before else []),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClaimError(f"{weights} cannot be probed: {done.stderr.strip()}")


def read(stage: str, results: Mapping[str, Any]) -> list[Alignment]:
    """Out of a probe's `results.json`: raw features, the metrics of METRICS."""
    against = results["against_baseline"] or {"tests": []}
    tests = {(one["comparison"], one["metric"]): one for one in against["tests"] if _plain(one)}
    found = []
    for score in results["scores"]:
        if not _plain(score):
            continue
        for metric in METRICS:
            cell, sides = score["metrics"][metric], score["comparison"]
            found.append(
                Alignment(stage, sides, metric, _value(cell), _chance(cell), *_test(tests.get((sides, metric))))
            )
    return found


def _plain(entry: Mapping[str, Any]) -> bool:
    return entry["variant"] == "raw" and entry["layer"] is None


def _value(cell: Mapping[str, Any]) -> str:
    if cell["value"] is None:
        return "–"
    interval = f" [{cell['ci'][0]:.3f}, {cell['ci'][1]:.3f}]" if cell["ci"] else ""
    return f"{cell['value']:.3f}{interval}"


def _chance(cell: Mapping[str, Any]) -> str:
    return f"{cell['chance']['mean']:.3f}" if cell["chance"] else "–"


def _test(test: Mapping[str, Any] | None) -> Sequence[str]:
    if test is None or test["difference"] is None:
        return "–", "–"
    return f"{test['difference']:+.3f}", f"{test['p_holm']:.2g}" if test["p_holm"] is not None else "–"
