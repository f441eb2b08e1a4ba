"""What `harness probe --table` prints: table 7 and figure 3 of the NEXUS-O paper with the rows of its runs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.terminal import print_json
from reports import probes
from reports.grid.formats import written
from reports.papers.table import paper_table

NAMES: Mapping[str, str] = {"unembedding": "nexus_o:7", "embedding": "nexus_o:fig3"}
"""The table of a stage."""


def print_tables(runs: Sequence[Path], json: bool = False) -> None:
    """Print each run's table and where its figures are; with `json` everything as one object."""
    found = [(NAMES[probes.load(run)["stage"]], run) for run in runs]
    if json:
        print_json({name: {"run": str(run), "figures": _figures(run)} | _content(name, run) for name, run in found})
        return
    width = shutil.get_terminal_size((80, 24)).columns
    for name, run in found:
        print(written(paper_table(name, [run]), "terminal", width))
        print("\n".join(f"figure: {path}" for path in _figures(run)))
        print(f"run directory: {run}\n")


def _content(name: str, run: Path) -> dict[str, Any]:
    return paper_table(name, [run]).content()


def _figures(run: Path) -> list[str]:
    return [str(path) for path in sorted((run / "figures").glob("*.svg"))]
